/** What a question asks of our figures, in relation to the others of the same run. */
import { quantity, times } from './format.js';

/**
 * @typedef {import('./types.d.ts').Outcome} Outcome
 * @typedef {import('./types.d.ts').Verdict} Verdict
 */

/** @param {Outcome[]} outcomes @returns {Outcome[]} those with figures */
const present = (outcomes) => outcomes.filter(({ values }) => values.length > 0);

/** @param {Outcome[]} outcomes @param {import('./types.d.ts').Role} role @returns {Outcome[]} */
const having = (outcomes, role) => present(outcomes).filter((outcome) => outcome.role === role);

/** @param {Outcome[]} outcomes @param {import('./types.d.ts').Role} role @returns {Outcome | undefined} */
export const withHighestRate = (outcomes, role) =>
  having(outcomes, role).sort((a, b) => b.median - a.median)[0];

/** @param {Outcome[]} outcomes @param {string} name @returns {Outcome | undefined} */
export const named = (outcomes, name) => present(outcomes).find((outcome) => outcome.name === name);

/** @param {Outcome} outcome @returns {Outcome} the same, whatever its role, as the one to beat */
const asPeer = (outcome) => ({ ...outcome, role: 'peer' });

/**
 * Our rate is at least `atLeast` times the best of the others.
 * @param {number} atLeast
 * @param {{ unit: string, against?: 'peer' | 'limit' }} options
 * @returns {(outcomes: Outcome[]) => Verdict | undefined}
 */
export const rateTimesBest =
  (atLeast, { unit, against = 'peer' }) =>
  (outcomes) => {
    const ours = having(outcomes, 'ours')[0];
    const best = withHighestRate(outcomes, against);
    if (!ours || !best) return undefined;
    const ratio = ours.median / best.median;
    return {
      figure: quantity(ours.median, unit),
      bar: `${quantity(best.median, unit)} (${best.name})`,
      ratio: times(ratio),
      target: `≥ ${atLeast}x`,
      reached: ratio >= atLeast,
    };
  };

/**
 * Our rate is at least `atLeast` times that of one other contender.
 * @param {number} atLeast
 * @param {string} other its name
 * @param {{ unit: string }} options
 * @returns {(outcomes: Outcome[]) => Verdict | undefined}
 */
export const rateTimesOther =
  (atLeast, other, { unit }) =>
  (outcomes) => {
    const bar = named(outcomes, other);
    return bar && rateTimesBest(atLeast, { unit })([...having(outcomes, 'ours'), asPeer(bar)]);
  };

/**
 * Our rate is at least one that was measured on another machine, scaled by a contender that ran
 * there as well.
 * @param {{ name: string, rate: number, scale: { name: string, rate: number } }} elsewhere
 * @param {{ unit: string }} options
 * @returns {(outcomes: Outcome[]) => Verdict | undefined}
 */
export const rateScaledFrom =
  ({ name, rate, scale }, { unit }) =>
  (outcomes) => {
    const here = named(outcomes, scale.name);
    if (!here) return undefined;
    const bar = { ...here, name, median: (rate * here.median) / scale.rate };
    return rateTimesBest(1, { unit })([...having(outcomes, 'ours'), asPeer(bar)]);
  };

/**
 * Several bars at once: all that can be told have to be reached.
 * @param {((outcomes: Outcome[]) => Verdict | undefined)[]} verdicts
 * @returns {(outcomes: Outcome[]) => Verdict | undefined}
 */
export const allOf =
  (...verdicts) =>
  (outcomes) => {
    const told = verdicts.map((verdict) => verdict(outcomes)).filter((one) => one !== undefined);
    const [first] = told;
    if (!first) return undefined;
    /** @param {'bar' | 'ratio' | 'target'} column */
    const joined = (column) => told.map((one) => one[column]).join('; ');
    return {
      figure: first.figure,
      bar: joined('bar'),
      ratio: joined('ratio'),
      target: joined('target'),
      reached: told.every(({ reached }) => reached),
    };
  };

/**
 * Our time is at most `atMost` times that of one other contender.
 * @param {number} atMost
 * @param {string} other its name
 * @returns {(outcomes: Outcome[]) => Verdict | undefined}
 */
export const timeTimesOther = (atMost, other) => (outcomes) => {
  const ours = having(outcomes, 'ours')[0];
  const bar = named(outcomes, other);
  if (!ours || !bar) return undefined;
  const ratio = ours.median / bar.median;
  return {
    figure: quantity(ours.median, 'ns'),
    bar: `${quantity(bar.median, 'ns')} (${bar.name})`,
    ratio: times(ratio),
    target: `≤ ${atMost}x`,
    reached: ratio <= atMost,
  };
};

/**
 * A figure of ours stays under a fixed limit.
 * @param {(ours: Outcome) => number} figure nanoseconds
 * @param {number} limit nanoseconds
 * @param {string} [label] goes before the figure
 * @returns {(outcomes: Outcome[]) => Verdict | undefined}
 */
export const timeUnder =
  (figure, limit, label = '') =>
  (outcomes) => {
    const ours = having(outcomes, 'ours')[0];
    if (!ours) return undefined;
    const value = figure(ours);
    return {
      figure: `${label}${quantity(value, 'ns')}`,
      bar: 'none',
      ratio: times(value / limit),
      target: `≤ ${quantity(limit, 'ns')}`,
      reached: value <= limit,
    };
  };

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

/** @param {Outcome[]} outcomes @param {string} name @returns {Outcome | undefined} */
export const named = (outcomes, name) => present(outcomes).find((outcome) => outcome.name === name);

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
    const best = having(outcomes, against).sort((a, b) => b.median - a.median)[0];
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

/** What is asked of both kinds of our pool, in relation to the peers of both kinds. */
import { quantity, times } from '../harness/format.js';
import { named } from '../harness/verdict.js';

/**
 * @typedef {import('../harness/types.d.ts').Outcome} Outcome
 * @typedef {import('../harness/types.d.ts').Verdict} Verdict
 * @typedef {'more' | 'less'} Better
 */

/** Names of the contenders, by kind. */
export const threads = /** @type {const} */ ({
  ours: 'zoosync, threads',
  floor: 'postMessage, no pool',
  peers: ['piscina', 'tinypool, threads', 'workerpool, threads', 'jest-worker, threads'],
});
export const processes = /** @type {const} */ ({
  ours: 'zoosync, processes',
  floor: 'fork and send, no pool',
  peers: ['tinypool, child_process', 'workerpool, processes', 'jest-worker, processes'],
});

/** @param {Outcome[]} outcomes @param {readonly string[]} names @param {Better} better */
function bestOf(outcomes, names, better) {
  const sign = better === 'more' ? -1 : 1;
  return names
    .flatMap((name) => named(outcomes, name) ?? [])
    .sort((a, b) => sign * (a.median - b.median))[0];
}

/** @param {Better} better @param {number} ratio @param {number} bar */
const reaches = (better, ratio, bar) => (better === 'more' ? ratio >= bar : ratio <= bar);

/** @param {Better} better */
const sign = (better) => (better === 'more' ? '≥' : '≤');

/**
 * Each of our kinds against the best peer with threads and the best with processes.
 * @param {{ unit: string, better: Better, threads: number, processes: number, floor?: boolean }} wanted
 *   ratios to reach; `floor`: both kinds are to be above raw `postMessage` as well
 * @returns {(outcomes: Outcome[]) => Verdict | undefined}
 */
export const againstBothKinds = (wanted) => (outcomes) => {
  const { unit, better } = wanted;
  const bars = [
    { bar: bestOf(outcomes, threads.peers, better), atLeast: wanted.threads },
    { bar: bestOf(outcomes, processes.peers, better), atLeast: wanted.processes },
    ...(wanted.floor ? [{ bar: named(outcomes, threads.floor), atLeast: 1 }] : []),
  ].flatMap(({ bar, atLeast }) => (bar ? [{ bar, atLeast }] : []));
  const ours = [threads.ours, processes.ours].flatMap((name) => named(outcomes, name) ?? []);
  if (ours.length < 2 || bars.length < 2) return undefined;
  const ratios = ours.map(({ median }) => bars.map(({ bar }) => median / bar.median));
  return {
    figure: ours.map(({ name, median }) => `${quantity(median, unit)} (${name})`).join(', '),
    bar: bars.map(({ bar }) => `${quantity(bar.median, unit)} (${bar.name})`).join(', '),
    ratio: ratios.map((row) => row.map((ratio) => times(ratio)).join(' and ')).join('; '),
    target: bars.map(({ atLeast }) => `${sign(better)} ${atLeast}x`).join(' and '),
    reached: ratios.every((row) =>
      row.every((ratio, index) => reaches(better, ratio, bars[index].atLeast)),
    ),
  };
};

/**
 * The time of each of our kinds against the best peer of the same kind.
 * @param {number} atMost times
 * @returns {(outcomes: Outcome[]) => Verdict | undefined}
 */
export const againstSameKind = (atMost) => (outcomes) => {
  const pairs = [threads, processes].flatMap(({ ours, peers }) => {
    const mine = named(outcomes, ours);
    const bar = bestOf(outcomes, peers, 'less');
    return mine && bar ? [{ mine, bar, ratio: mine.median / bar.median }] : [];
  });
  if (pairs.length < 2) return undefined;
  /** @param {Outcome} outcome */
  const text = ({ name, median }) => `${quantity(median, 'ns')} (${name})`;
  return {
    figure: pairs.map(({ mine }) => text(mine)).join(', '),
    bar: pairs.map(({ bar }) => text(bar)).join(', '),
    ratio: pairs.map(({ ratio }) => times(ratio)).join('; '),
    target: `≤ ${atMost}x each`,
    reached: pairs.every(({ ratio }) => ratio <= atMost),
  };
};

/** The rows of the table in README.md, and the bars of the plot beside it. */
import { times } from '../harness/format.js';

/**
 * @typedef {import('../harness/types.d.ts').Result} Result
 * @typedef {import('../harness/types.d.ts').Outcome} Outcome
 *
 * @typedef {object} Row
 * @property {string} label
 * @property {string} id of the question
 * @property {string} ours which contender is ours
 * @property {RegExp} [also] names of contenders that count as peers here beside those that always do
 * @property {boolean} [plotted]
 *
 * @typedef {object} Comparison
 * @property {Row} row
 * @property {Result} result
 * @property {Outcome} ours
 * @property {Outcome} peer the best of them
 * @property {number} ratio how many times better ours is; below 1 the peer is
 */

/** @type {Row[]} */
export const rows = [
  {
    label: '64 B one at a time, blocking',
    id: 'queue-single',
    ours: 'zoosync',
    plotted: true,
  },
  {
    label: 'the same, beside C++ queues',
    id: 'queue-single',
    ours: 'zoosync',
    also: /^(Boost|iceoryx)/,
  },
  {
    label: '64 B, 256 at a time, packed',
    id: 'queue-batch',
    ours: 'zoosync, packed',
    also: /, 256 corked$/,
    plotted: true,
  },
  {
    label: '64 B, `await put` / `for await`, bytes',
    id: 'queue-await',
    ours: 'zoosync, bytes',
    plotted: true,
  },
  { label: 'the same, values', id: 'queue-await', ours: 'zoosync, msgpack' },
  {
    label: '64 B there and back, event loop',
    id: 'queue-round-trip-event-loop',
    ours: 'zoosync',
    plotted: true,
  },
  {
    label: '1 MiB copied in, read in place',
    id: 'queue-copy',
    ours: 'zoosync',
    also: /^Buffer\.copy$/,
  },
  {
    label: '1080p frame to a process, answer back',
    id: 'frames-answer',
    ours: 'zoosync',
    plotted: true,
  },
  {
    label: 'lock and unlock, nobody waits',
    id: 'lock-uncontended',
    ours: 'zoosync, acquireSync',
    also: /^Atomics between threads$/,
  },
  {
    label: 'pool of 2 processes, one no-op at a time',
    id: 'pool-noop-one',
    ours: 'zoosync, processes',
  },
  {
    label: 'pool of 2 processes, 10,000 no-ops in flight',
    id: 'pool-noop-many',
    ours: 'zoosync, processes',
    plotted: true,
  },
  {
    label: 'pool of 2 processes, 8 MiB argument',
    id: 'pool-bytes-in',
    ours: 'zoosync, processes',
    plotted: true,
  },
  {
    label: 'small objects through a channel',
    id: 'streams-channel',
    ours: 'zoosync, to(channel)',
    plotted: true,
  },
  { label: '64 KiB chunks through a pipe, in place', id: 'streams-pipe', ours: 'zoosync, views' },
  {
    label: '`map`, `filter`, `map`, for each item',
    id: 'streams-operators',
    ours: 'zoosync',
    plotted: true,
  },
];

/** @param {Row} row @param {Result} result @returns {Comparison | undefined} */
function compare(row, result) {
  const present = result.outcomes.filter(({ values }) => values.length > 0);
  const ours = present.find(({ name }) => name === row.ours);
  const sign = result.better === 'more' ? -1 : 1;
  const peer = present
    .filter(({ role, name }) => role === 'peer' || row.also?.test(name))
    .sort((a, b) => sign * (a.median - b.median))[0];
  if (!ours || !peer) return undefined;
  const quotient = ours.median / peer.median;
  return { row, result, ours, peer, ratio: result.better === 'more' ? quotient : 1 / quotient };
}

/** @param {readonly Result[]} results @returns {Comparison[]} of the rows whose figures are there */
export const comparisons = (results) =>
  rows.flatMap((row) => {
    const result = results.find(({ id }) => id === row.id);
    return (result && compare(row, result)) ?? [];
  });

/** @param {number} ratio @returns {string} */
export const ratioText = (ratio) => (ratio >= 9.95 ? `${Math.round(ratio)}x` : times(ratio, 2));

/** Measures for a given time instead of a given number of operations: curves have many points. */
import { stopwatch } from './stopwatch.js';

/** How long one point of a curve takes. */
const pointSeconds = 0.06;

/**
 * Repeats with growing amounts until one run takes long enough. `known` keeps the amount for the
 * next round, so that it need not be found again.
 *
 * @param {Map<number, number>} known amounts by point
 * @param {number} point
 * @param {(amount: number) => { operations: number, seconds: number } | Promise<{ operations: number, seconds: number }>} run
 * @param {{ seconds?: number, first?: number }} [options] `first` is the smallest amount
 * @returns {Promise<{ operations: number, seconds: number }>}
 */
export async function runFor(
  known,
  point,
  run,
  { seconds: wanted = pointSeconds, first = 1 } = {},
) {
  let amount = known.get(point) ?? first;
  while (true) {
    const result = await run(amount);
    const needed = Math.max(first, Math.ceil((result.operations / result.seconds) * wanted));
    known.set(point, needed);
    // Also when it once was enough: the run before may have stood still for a while.
    if (result.seconds >= wanted / 2) return result;
    amount = Math.min(needed, result.operations * 8);
  }
}

/**
 * Measures all points of a curve, one after the other.
 * @param {readonly number[]} points
 * @param {(x: number) => Promise<number>} valueAt
 * @returns {Promise<import('../../harness/types.d.ts').Sample>}
 */
export async function curve(points, valueAt) {
  const elapsed = stopwatch();
  const values = [];
  for (const x of points) values.push({ x, value: await valueAt(x) });
  return { operations: values.length, seconds: elapsed(), points: values };
}

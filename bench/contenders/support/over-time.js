/** Measures for a given time instead of a given number of operations: curves have many points. */
import { stopwatch } from './stopwatch.js';

/** How long one point of a curve takes. */
export const pointSeconds = 0.06;

/**
 * Repeats with growing amounts until one run takes long enough. `known` keeps the amount for the
 * next round, so that only the first one has to find it.
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
  let amount = known.get(point);
  if (amount === undefined) {
    amount = first;
    while (true) {
      const { operations, seconds } = await run(amount);
      amount = Math.max(first, Math.ceil((operations / seconds) * wanted));
      if (seconds >= wanted / 4) break;
      amount = Math.min(amount, operations * 8);
    }
    known.set(point, amount);
  }
  return run(amount);
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

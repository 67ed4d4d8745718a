/** The chain that every contender runs: map, filter, map, and a sum so that nothing is left out. */
import { stopwatch } from './stopwatch.js';

/** @param {number} value */
export const increase = (value) => value + 1;

/** @param {number} value */
export const isKept = (value) => value % 3 !== 0;

/** @param {number} value */
export const double = (value) => value * 2;

/** @param {number} sum @param {number} value */
export const add = (sum, value) => sum + value;

/**
 * @param {(items: number[]) => number | Promise<number>} chain gives the sum of what comes out
 * @returns {import('../../harness/types.d.ts').Session}
 */
export function operatorSession(chain) {
  return {
    async run(amount) {
      const items = Array.from({ length: amount }, (_, index) => index);
      const expected = items.map(increase).filter(isKept).map(double).reduce(add, 0);
      const elapsed = stopwatch();
      const sum = await chain(items);
      const seconds = elapsed();
      if (sum !== expected) throw new Error(`the sum is ${sum} instead of ${expected}`);
      return { operations: amount, seconds };
    },
    close() {},
  };
}

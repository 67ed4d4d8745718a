/** The limit: one `Buffer.copy` of each message within one process, round as much memory as a ring has. */
import { place } from '../../harness/processors.js';
import { curve, runFor } from '../support/over-time.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { sizes: number[] }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ sizes, processors }) {
  place(processors, 0, 2);
  const largest = Math.max(...sizes);
  const message = Buffer.alloc(largest, 1);
  const target = Buffer.alloc(Math.max(10 * 2 ** 20, 2 * largest), 2);
  const known = new Map();
  return {
    run: () =>
      curve(sizes, async (size) => {
        const places = Math.max(2, Math.floor((10 * 2 ** 20) / size));
        const { operations, seconds } = await runFor(known, size, (amount) => {
          const elapsed = stopwatch();
          for (let index = 0; index < amount; index += 1) {
            message[0] = index;
            message.copy(target, (index % places) * size, 0, size);
          }
          return { operations: amount, seconds: elapsed() };
        });
        return (operations * size) / seconds;
      }),
    close() {},
  };
}

/** The limit: `Buffer.copy` of the same bytes, round a piece of memory as large as the queue. */
import { place } from '../../harness/processors.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { ringBytes: number }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ bytes, ringBytes, processors }) {
  place(processors, 0, 2);
  const message = Buffer.alloc(bytes, 1);
  const target = Buffer.alloc(ringBytes, 2);
  const places = Math.floor(ringBytes / bytes);
  return {
    run(amount) {
      const elapsed = stopwatch();
      for (let index = 0; index < amount; index += 1) {
        message[0] = index;
        message.copy(target, (index % places) * bytes);
      }
      return { operations: amount, seconds: elapsed() };
    },
    close() {},
  };
}

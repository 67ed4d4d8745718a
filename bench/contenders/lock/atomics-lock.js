/** A word in a SharedArrayBuffer: only for threads of one process, and lost when its owner dies. */
import { place } from '../../harness/processors.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ processors }) {
  const word = new Int32Array(new SharedArrayBuffer(4));
  place(processors, 0, 1);
  return {
    run(amount) {
      const elapsed = stopwatch();
      for (let index = 0; index < amount; index += 1) {
        while (Atomics.compareExchange(word, 0, 0, 1) !== 0) Atomics.wait(word, 0, 1);
        Atomics.store(word, 0, 0);
        Atomics.notify(word, 0, 1);
      }
      return { operations: amount, seconds: elapsed() };
    },
    close() {},
  };
}

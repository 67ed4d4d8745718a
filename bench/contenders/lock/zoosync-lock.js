/** Lock and unlock, with nobody else about. */
import { ZooLock } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { call: 'acquireSync' | 'tryAcquire' }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ prefix, processors, call }) {
  const lock = new ZooLock(`${prefix}-lock`);
  place(processors, 0, 1);
  return {
    run(amount) {
      const elapsed = stopwatch();
      for (let index = 0; index < amount; index += 1) {
        if (call === 'acquireSync') lock.acquireSync();
        else lock.tryAcquire();
        lock.release();
      }
      return { operations: amount, seconds: elapsed() };
    },
    close() {
      lock.close();
      ZooLock.unlink(`${prefix}-lock`);
    },
  };
}

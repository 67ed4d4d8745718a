/** The same objects with `child.send` and the structured clone algorithm. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { checkSum, measurement } from '../support/measurements.js';
import { answer } from '../support/orders.js';
import { stopwatch } from '../support/stopwatch.js';

/** With more on their way at a time the channel gets slower, not faster. */
const window = 64;

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const child = startProcess(import.meta.url, options, { serialization: 'advanced' });
  place(options.processors, 0, 2);
  return {
    async run(amount) {
      const answered = answer(child);
      const elapsed = stopwatch();
      child.send(amount);
      for (let id = 0; id < amount; id += 1) {
        if (id % window < window - 1) child.send(measurement(id));
        else await new Promise((resolve) => child.send(measurement(id), resolve));
      }
      checkSum(await answered, amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      child.disconnect();
      await ended(child);
    },
  };
}

/** @param {ContenderOptions} options */
export function partner({ processors }) {
  place(processors, 1, 2);
  let left = 0;
  let sum = 0;
  process.on('message', (/** @type {number | { id: number }} */ message) => {
    if (typeof message === 'number') {
      left = message;
      sum = 0;
      return;
    }
    sum += message.id;
    left -= 1;
    if (left === 0) process.send?.(sum);
  });
}

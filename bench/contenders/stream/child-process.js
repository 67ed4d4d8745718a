/** `child.send` with the structured clone algorithm. Its callback says when to send more. */
import { once } from 'node:events';
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** With more on their way at a time the channel gets slower, not faster. */
const window = 64;

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const child = startProcess(import.meta.url, options, { serialization: 'advanced' });
  place(options.processors, 0, 2);
  const message = Buffer.alloc(options.bytes);
  return {
    async run(amount) {
      const elapsed = stopwatch();
      const answered = once(child, 'message');
      child.send(announce(amount));
      for (let index = 0; index < amount; index += 1) {
        message[0] = index;
        if (index % window < window - 1) child.send(message);
        else await new Promise((resolve) => child.send(message, resolve));
      }
      const [answer] = await answered;
      checkAnswer(answer, amount);
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
  const tally = new Tally();
  process.on('message', (message) => {
    if (tally.take(/** @type {Uint8Array} */ (message))) process.send?.(tally.answer);
  });
}

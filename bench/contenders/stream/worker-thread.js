/** `postMessage` to a worker thread; the bytes are cloned, or each message's memory handed over. */
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { place } from '../../harness/processors.js';
import { startThread } from '../../harness/start-partner.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { transfer: boolean }} Options */

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  const worker = startThread(import.meta.url, options);
  await once(worker, 'message');
  place(options.processors, 0, 2);
  return {
    /** @param {number} amount @param {number} [bytes] of each message, when not as usual */
    async run(amount, bytes = options.bytes) {
      const message = new Uint8Array(bytes);
      const elapsed = stopwatch();
      const answered = once(worker, 'message');
      worker.postMessage(new Uint8Array(announce(amount)));
      for (let index = 0; index < amount; index += 1) {
        message[0] = index;
        if (options.transfer) {
          const own = message.slice();
          worker.postMessage(own, [own.buffer]);
        } else {
          worker.postMessage(message);
        }
      }
      const [answer] = await answered;
      checkAnswer(answer, amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      await worker.terminate();
    },
  };
}

/** @param {Options} options */
export function partner({ processors }) {
  place(processors, 1, 2);
  const tally = new Tally();
  parentPort?.on('message', (message) => {
    if (tally.take(message)) parentPort?.postMessage(new Uint8Array(tally.answer));
  });
  parentPort?.postMessage('ready');
}

/** There and back with `postMessage` of a worker thread. */
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { place } from '../../harness/processors.js';
import { startThread } from '../../harness/start-partner.js';
import { checkEcho, next } from '../support/echo.js';
import { timeEachAsync } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  const worker = startThread(import.meta.url, options);
  await once(worker, 'message');
  place(options.processors, 0, 2);
  const message = new Uint8Array(options.bytes);
  /** @type {(answer: Uint8Array) => void} */
  let deliver = () => {};
  worker.on('message', (answer) => deliver(answer));
  return {
    run: (amount) =>
      timeEachAsync(amount, async () => {
        /** @type {Promise<Uint8Array>} */
        const answered = new Promise((resolve) => {
          deliver = resolve;
        });
        worker.postMessage(next(message));
        checkEcho(await answered, message);
      }),
    async close() {
      await worker.terminate();
    },
  };
}

/** @param {ContenderOptions} options */
export function partner({ processors }) {
  place(processors, 1, 2);
  parentPort?.on('message', (message) => parentPort?.postMessage(message));
  parentPort?.postMessage('ready');
}

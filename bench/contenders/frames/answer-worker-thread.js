/** A frame copied by `postMessage` to a worker thread, and a number back. */
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { place } from '../../harness/processors.js';
import { startThread } from '../../harness/start-partner.js';
import { timeEachAsync } from '../support/stopwatch.js';
import { touchLines } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  const worker = startThread(import.meta.url, options);
  await once(worker, 'message');
  place(options.processors, 0, 2);
  const frame = new Uint8Array(options.bytes).fill(1);
  /** @type {(answer: unknown) => void} */
  let deliver = () => {};
  worker.on('message', (answer) => deliver(answer));
  return {
    run: (amount) =>
      timeEachAsync(
        amount,
        () =>
          new Promise((resolve) => {
            deliver = resolve;
            worker.postMessage(frame);
          }),
      ),
    async close() {
      await worker.terminate();
    },
  };
}

/** @param {ContenderOptions} options */
export function partner({ processors }) {
  place(processors, 1, 2);
  parentPort?.on('message', (frame) => parentPort?.postMessage(touchLines(frame)));
  parentPort?.postMessage('ready');
}

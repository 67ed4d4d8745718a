/**
 * A frame by `postMessage` to a worker thread, and a number back: cloned, or copied into memory that
 * is handed over and comes back with the answer.
 */
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { place } from '../../harness/processors.js';
import { startThread } from '../../harness/start-partner.js';
import { timeEachAsync } from '../support/stopwatch.js';
import { touchLines } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { transfer: boolean }} Options */

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  const worker = startThread(import.meta.url, options);
  await once(worker, 'message');
  place(options.processors, 0, 2);
  const frame = new Uint8Array(options.bytes).fill(1);
  let lent = new Uint8Array(options.transfer ? options.bytes : 0);
  /** @type {(answer: unknown) => void} */
  let deliver = () => {};
  worker.on('message', ({ sum, returned }) => {
    if (returned) lent = returned;
    deliver(sum);
  });
  function send() {
    if (!options.transfer) return worker.postMessage(frame);
    lent.set(frame);
    return worker.postMessage(lent, [lent.buffer]);
  }
  return {
    run: (amount) =>
      timeEachAsync(
        amount,
        () =>
          new Promise((resolve) => {
            deliver = resolve;
            send();
          }),
      ),
    async close() {
      await worker.terminate();
    },
  };
}

/** @param {Options} options */
export function partner({ processors, transfer }) {
  place(processors, 1, 2);
  parentPort?.on('message', (frame) => {
    const sum = touchLines(frame);
    if (transfer) parentPort?.postMessage({ sum, returned: frame }, [frame.buffer]);
    else parentPort?.postMessage({ sum });
  });
  parentPort?.postMessage('ready');
}

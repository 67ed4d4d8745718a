/**
 * `postMessage` of large messages to a worker thread: cloned, or copied into memory that is handed
 * over and comes back when it was read.
 */
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { place } from '../../harness/processors.js';
import { startThread } from '../../harness/start-partner.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { ringBytes: number, transfer: boolean }} Options */

/** Where messages wait that come back. The worker says nothing else until all have been read. */
class Returned {
  /** @type {Uint8Array[]} */
  #messages = [];
  #wake = () => {};

  /** @param {Uint8Array} message */
  add(message) {
    this.#messages.push(message);
    this.#wake();
  }

  /** @returns {Promise<Uint8Array>} */
  async take() {
    while (true) {
      const message = this.#messages.pop();
      if (message) return message;
      await new Promise((resolve) => {
        this.#wake = () => resolve(undefined);
      });
    }
  }
}

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  const { bytes, ringBytes, transfer } = options;
  const worker = startThread(import.meta.url, options);
  await once(worker, 'message');
  place(options.processors, 0, 2);
  const message = new Uint8Array(bytes).fill(1);
  const free = new Returned();
  // As many on their way at a time as fit into the queue beside it.
  for (let count = Math.floor(ringBytes / bytes); count > 0; count -= 1) {
    free.add(new Uint8Array(transfer ? bytes : 0));
  }
  /** @type {(answer: Uint8Array) => void} */
  let finish = () => {};
  worker.on('message', ({ returned, answer }) => {
    if (returned) free.add(returned);
    if (answer) finish(answer);
  });
  return {
    async run(amount) {
      const elapsed = stopwatch();
      /** @type {Promise<Uint8Array>} */
      const answered = new Promise((resolve) => {
        finish = resolve;
      });
      worker.postMessage(new Uint8Array(announce(amount)));
      for (let index = 0; index < amount; index += 1) {
        const own = await free.take();
        message[0] = index;
        if (transfer) {
          own.set(message);
          worker.postMessage(own, [/** @type {ArrayBuffer} */ (own.buffer)]);
        } else {
          worker.postMessage(message);
        }
      }
      checkAnswer(await answered, amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      await worker.terminate();
    },
  };
}

/** @param {Options} options */
export function partner({ processors, transfer }) {
  place(processors, 1, 2);
  const tally = new Tally();
  parentPort?.on('message', (/** @type {Uint8Array} */ message) => {
    if (tally.isBetweenRuns) {
      tally.take(message);
      return;
    }
    const isLast = tally.touch(message);
    if (transfer) {
      parentPort?.postMessage({ returned: message }, [/** @type {ArrayBuffer} */ (message.buffer)]);
    } else {
      parentPort?.postMessage({ returned: new Uint8Array(0) });
    }
    if (isLast) parentPort?.postMessage({ answer: new Uint8Array(tally.answer) });
  });
  parentPort?.postMessage('ready');
}

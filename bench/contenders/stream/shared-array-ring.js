/** A ring in a SharedArrayBuffer between two threads of one process, with blocking waits. */
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { place } from '../../harness/processors.js';
import { startThread } from '../../harness/start-partner.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';
import { RingReader, RingWriter, makeRing } from '../support/wait-ring.js';

/** A larger one is no faster. */
const ringBytes = 2 ** 20;

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { memory: import('../support/wait-ring.js').RingMemory }} Options */

/** @param {Options} given @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(given) {
  const options = { ...given, memory: makeRing(ringBytes) };
  const worker = startThread(import.meta.url, options);
  await once(worker, 'message');
  place(options.processors, 0, 2);
  const ring = new RingWriter(options.memory);
  const message = Buffer.alloc(options.bytes);
  return {
    async run(amount) {
      const elapsed = stopwatch();
      const answered = once(worker, 'message');
      ring.put(announce(amount));
      for (let index = 0; index < amount; index += 1) {
        message[0] = index;
        ring.put(message);
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
export function partner({ processors, memory }) {
  place(processors, 1, 2);
  const ring = new RingReader(memory);
  const tally = new Tally();
  parentPort?.postMessage('ready');
  while (true) {
    if (tally.take(ring.get())) parentPort?.postMessage(new Uint8Array(tally.answer));
  }
}

/** `await put` here, `for await` there, through a codec. */
import { ZooQueue } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { codec: 'msgpack' | 'bytes' }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const { prefix, codec } = options;
  /** @type {ZooQueue<Uint8Array>} */
  const messages = ZooQueue.create(`${prefix}-messages`, { codec, writer: true });
  /** @type {ZooQueue<Uint8Array>} */
  const answers = ZooQueue.create(`${prefix}-answers`, { codec });
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  const message = new Uint8Array(options.bytes);
  return {
    async run(amount) {
      const elapsed = stopwatch();
      await messages.put(announce(amount));
      for (let index = 0; index < amount; index += 1) {
        message[0] = index;
        await messages.put(message);
      }
      checkAnswer(await answers.get(), amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      messages.end();
      await ended(child);
      for (const queue of [messages, answers]) {
        queue.close();
        queue.unlink();
      }
    },
  };
}

/** @param {Options} options */
export async function partner({ prefix, processors, codec }) {
  /** @type {ZooQueue<Uint8Array>} */
  const messages = ZooQueue.open(`${prefix}-messages`, { codec });
  /** @type {ZooQueue<Uint8Array>} */
  const answers = ZooQueue.open(`${prefix}-answers`, { codec, writer: true });
  place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();
  for await (const message of messages) {
    if (tally.take(message)) await answers.put(tally.answer);
  }
}

/** `putPackedSync` here, `getPackedSync` there, 256 messages at a time: copied in and copied out. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

const batchSize = 256;

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const queues = createQueues(options.prefix);
  const { messages, answers } = queues;
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  const sizes = new Uint32Array(batchSize).fill(options.bytes);
  const bytes = new Uint8Array(batchSize * options.bytes);
  return {
    run(amount) {
      const batches = Math.ceil(amount / batchSize);
      const count = batches * batchSize;
      const elapsed = stopwatch();
      messages.putBytesSync(announce(count));
      for (let batch = 0; batch < batches; batch += 1) {
        for (let index = 0; index < batchSize; index += 1) bytes[index * options.bytes] = index;
        messages.putPackedSync({ bytes, sizes });
      }
      checkAnswer(answers.getBytesSync(), count);
      return { operations: count, seconds: elapsed() };
    },
    async close() {
      messages.end();
      await ended(child);
      removeQueues(queues);
    },
  };
}

/** @param {ContenderOptions} options */
export function partner({ prefix, processors }) {
  const { messages, answers } = openQueues(prefix);
  place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();
  while (true) {
    const { bytes, sizes } = messages.getPackedSync(batchSize);
    if (tally.takeAll(bytes, sizes)) answers.putBytesSync(tally.answer);
  }
}

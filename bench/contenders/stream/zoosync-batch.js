/** `putBytesManySync` here, `recvViewsSync` and `commitReadMany` there, 256 messages at a time. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { touch: boolean }} Options */

const batchSize = 256;

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const queues = createQueues(options.prefix);
  const { messages, answers } = queues;
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  const batch = Array.from({ length: batchSize }, (_, index) => Buffer.alloc(options.bytes, index));
  return {
    run(amount) {
      const batches = Math.ceil(amount / batchSize);
      const count = batches * batchSize;
      const elapsed = stopwatch();
      messages.putBytesSync(announce(count));
      for (let index = 0; index < batches; index += 1) messages.putBytesManySync(batch);
      const answer = answers.getBytesSync();
      const seconds = elapsed();
      if (options.touch) checkAnswer(answer, count);
      return { operations: count, seconds };
    },
    async close() {
      messages.end();
      await ended(child);
      removeQueues(queues);
    },
  };
}

/** @param {Options} options */
export function partner({ prefix, processors, touch }) {
  const { messages, answers } = openQueues(prefix);
  place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();
  while (true) {
    let isLast = false;
    const views = messages.recvViewsSync(batchSize);
    for (const received of views) {
      isLast = touch || tally.isBetweenRuns ? tally.take(received.view) : tally.pass();
    }
    messages.commitReadMany(views);
    if (isLast) answers.putBytesSync(tally.answer);
  }
}

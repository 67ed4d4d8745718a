/** `putBytesSync` copies in; the other process reads the view, one byte in each cache line. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { ringBytes: number }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const queues = createQueues(options.prefix, { size: options.ringBytes });
  const { messages, answers } = queues;
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  const message = Buffer.alloc(options.bytes, 1);
  return {
    run(amount) {
      const elapsed = stopwatch();
      messages.putBytesSync(announce(amount));
      for (let index = 0; index < amount; index += 1) {
        message[0] = index;
        messages.putBytesSync(message);
      }
      checkAnswer(answers.getBytesSync(), amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      messages.end();
      await ended(child);
      removeQueues(queues);
    },
  };
}

/** @param {Options} options */
export function partner({ prefix, processors }) {
  const { messages, answers } = openQueues(prefix);
  place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();
  while (true) {
    const { view, cursor } = messages.recvViewSync();
    const isLast = tally.touch(view);
    messages.commitRead(cursor);
    if (isLast) answers.putBytesSync(tally.answer);
  }
}

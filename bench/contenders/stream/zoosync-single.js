/** `putBytesSync` here, `getBytesSync` there. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const queues = createQueues(options.prefix);
  const { messages, answers } = queues;
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  const message = Buffer.alloc(options.bytes);
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

/** @param {ContenderOptions} options */
export function partner({ prefix, processors }) {
  const { messages, answers } = openQueues(prefix);
  place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();
  while (true) {
    if (tally.take(messages.getBytesSync())) answers.putBytesSync(tally.answer);
  }
}

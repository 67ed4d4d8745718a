/** There and back with `putBytesSync` and `getBytesSync`. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { checkEcho, next } from '../support/echo.js';
import { timeEach } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const queues = createQueues(options.prefix);
  const { messages, answers } = queues;
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  const message = Buffer.alloc(options.bytes);
  return {
    run: (amount) =>
      timeEach(amount, () => {
        messages.putBytesSync(next(message));
        checkEcho(answers.getBytesSync(), message);
      }),
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
  while (true) answers.putBytesSync(messages.getBytesSync());
}

/** There and back with `await putBytes` and `await getBytes`. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { checkEcho, next } from '../support/echo.js';
import { timeEachAsync } from '../support/stopwatch.js';

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
      timeEachAsync(amount, async () => {
        await messages.putBytes(next(message));
        checkEcho(await answers.getBytes(), message);
      }),
    async close() {
      messages.end();
      await ended(child);
      removeQueues(queues);
    },
  };
}

/** @param {ContenderOptions} options */
export async function partner({ prefix, processors }) {
  const { messages, answers } = openQueues(prefix);
  place(processors, 1, 2);
  process.disconnect();
  while (true) await answers.putBytes(await messages.getBytes());
}

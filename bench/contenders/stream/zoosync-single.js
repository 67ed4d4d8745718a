/** `putBytesSync` here, `getBytesSync` there. */
import { place } from '../../harness/processors.js';
import { openQueues, sendingSession } from '../support/queue-pair.js';
import { Tally } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const message = Buffer.alloc(options.bytes);
  return sendingSession(import.meta.url, options, {
    send(messages, count) {
      for (let index = 0; index < count; index += 1) {
        message[0] = index;
        messages.putBytesSync(message);
      }
    },
  });
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

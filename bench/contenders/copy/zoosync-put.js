/** `putBytesSync` copies in; the other process reads the view, one byte in each cache line. */
import { place } from '../../harness/processors.js';
import { openQueues, sendingSession } from '../support/queue-pair.js';
import { Tally } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { ringBytes: number }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const message = Buffer.alloc(options.bytes, 1);
  return sendingSession(import.meta.url, options, {
    queue: { size: options.ringBytes },
    send(messages, count) {
      for (let index = 0; index < count; index += 1) {
        message[0] = index;
        messages.putBytesSync(message);
      }
    },
  });
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

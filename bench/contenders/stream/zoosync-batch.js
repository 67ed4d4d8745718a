/** `putBytesManySync` here, `recvViewsSync` and `commitReadMany` there, 256 messages at a time. */
import { place } from '../../harness/processors.js';
import { openQueues, sendingSession } from '../support/queue-pair.js';
import { Tally } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { touch: boolean }} Options */

const batch = 256;

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const list = Array.from({ length: batch }, (_, index) => Buffer.alloc(options.bytes, index));
  return sendingSession(import.meta.url, options, {
    batch,
    isRead: options.touch,
    send(messages, count) {
      for (let sent = 0; sent < count; sent += batch) messages.putBytesManySync(list);
    },
  });
}

/** @param {Options} options */
export function partner({ prefix, processors, touch }) {
  const { messages, answers } = openQueues(prefix);
  place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();
  while (true) {
    let isLast = false;
    const views = messages.recvViewsSync(batch);
    for (const received of views) {
      isLast = touch || tally.isBetweenRuns ? tally.take(received.view) : tally.pass();
    }
    messages.commitReadMany(views);
    if (isLast) answers.putBytesSync(tally.answer);
  }
}

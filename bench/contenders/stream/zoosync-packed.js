/** `putPackedSync` here, `getPackedSync` there, 256 messages at a time: copied in and copied out. */
import { place } from '../../harness/processors.js';
import { openQueues, sendingSession } from '../support/queue-pair.js';
import { Tally } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

const batch = 256;

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const { bytes: each } = options;
  const sizes = new Uint32Array(batch).fill(each);
  const bytes = new Uint8Array(batch * each);
  return sendingSession(import.meta.url, options, {
    batch,
    send(messages, count) {
      for (let sent = 0; sent < count; sent += batch) {
        for (let index = 0; index < batch; index += 1) bytes[index * each] = index;
        messages.putPackedSync({ bytes, sizes });
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
    const { bytes, sizes } = messages.getPackedSync(batch);
    if (tally.takeAll(bytes, sizes)) answers.putBytesSync(tally.answer);
  }
}

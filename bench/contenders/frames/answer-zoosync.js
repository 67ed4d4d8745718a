/** A frame copied into a slot, read in place by a worker process, and a small answer back. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { timeEach } from '../support/stopwatch.js';
import { announce, touchLines } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { slots: number }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const { prefix, bytes, slots } = options;
  const queues = createQueues(prefix, { slots, slotSize: bytes });
  const { messages, answers } = queues;
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  const frame = Buffer.alloc(bytes, 1);
  return {
    run: (amount) =>
      timeEach(amount, () => {
        const { view, cursor } = messages.reserveSync(bytes);
        frame.copy(view);
        messages.commitWrite(cursor);
        answers.getBytesSync();
      }),
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
  while (true) {
    const { view, cursor } = messages.recvViewSync();
    const sum = touchLines(view);
    messages.commitRead(cursor);
    answers.putBytesSync(announce(sum));
  }
}

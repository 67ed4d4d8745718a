/** Frames copied once into a slot, read in place by three processes, each in a group of its own. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { slots: number, group: string }} Options */

const groups = ['detect', 'encode', 'preview'];

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const queues = createQueues(options.prefix, {
    slots: options.slots,
    slotSize: options.bytes,
    groups: Object.fromEntries(groups.map((group) => [group, {}])),
  });
  const { messages, answers } = queues;
  const children = groups.map((group) => startProcess(import.meta.url, { ...options, group }));
  place(options.processors, 0, 1 + groups.length);
  const frame = Buffer.alloc(options.bytes, 1);
  return {
    run(amount) {
      const elapsed = stopwatch();
      messages.putBytesSync(announce(amount));
      for (let index = 0; index < amount; index += 1) {
        const { view, cursor } = messages.reserveSync(options.bytes);
        frame[0] = index;
        frame.copy(view);
        messages.commitWrite(cursor);
      }
      for (const _ of groups) checkAnswer(answers.getBytesSync(), amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      messages.end();
      await Promise.all(children.map((child) => ended(child)));
      removeQueues(queues);
    },
  };
}

/** @param {Options} options */
export function partner({ prefix, processors, group }) {
  const { messages, answers } = openQueues(prefix, { group });
  place(processors, 1 + groups.indexOf(group), 1 + groups.length);
  process.disconnect();
  const tally = new Tally();
  while (true) {
    const { view, cursor } = messages.recvViewSync();
    const isLast = tally.touch(view);
    messages.commitRead(cursor);
    if (isLast) answers.putBytesSync(tally.answer);
  }
}

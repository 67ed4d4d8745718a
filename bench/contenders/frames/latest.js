/** A viewer that takes every frame, alone or beside one that holds each frame for a second. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer, touchLines } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { slots: number, sleeper: boolean, group: 'every' | 'preview' }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const queues = createQueues(options.prefix, {
    slots: options.slots,
    slotSize: options.bytes,
    groups: { every: {}, preview: { overflow: 'latest' } },
    group: 'every',
  });
  const { messages, answers } = queues;
  const groups = options.sleeper ? ['every', 'preview'] : ['every'];
  const children = groups.map((group) => startProcess(import.meta.url, { ...options, group }));
  place(options.processors, 0, 2);
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
      checkAnswer(answers.getBytesSync(), amount);
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
  if (group === 'every') place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();
  const clock = new Int32Array(new SharedArrayBuffer(4));
  while (true) {
    const { view, cursor } = messages.recvViewSync();
    if (group === 'preview') {
      touchLines(view);
      Atomics.wait(clock, 0, 0, 1000);
      messages.commitRead(cursor);
    } else {
      const isLast = tally.touch(view);
      messages.commitRead(cursor);
      if (isLast) answers.putBytesSync(tally.answer);
    }
  }
}

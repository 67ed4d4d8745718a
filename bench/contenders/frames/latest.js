/**
 * A viewer that takes every frame, alone or beside one that holds each frame for a second. Each run
 * has memory and processes of its own, and nobody is pinned: where a queue comes to lie in memory
 * makes a difference of several percent, and has to differ from run to run for both.
 */
import { once } from 'node:events';
import { ended, startProcess } from '../../harness/start-partner.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer, touchLines } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { slots: number, sleeper: boolean, group: 'every' | 'preview' }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  let runs = 0;
  return {
    run(amount) {
      runs += 1;
      return runOnce({ ...options, prefix: `${options.prefix}-${runs}` }, amount);
    },
    close() {},
  };
}

/** @param {Options} options @param {number} amount */
async function runOnce(options, amount) {
  const queues = createQueues(options.prefix, {
    slots: options.slots,
    slotSize: options.bytes,
    groups: { every: {}, preview: { overflow: 'latest' } },
    group: 'every',
  });
  const { messages, answers } = queues;
  const groups = options.sleeper ? ['every', 'preview'] : ['every'];
  const children = groups.map((group) => startProcess(import.meta.url, { ...options, group }));
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    const frame = Buffer.alloc(options.bytes, 1);
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
  } finally {
    messages.end();
    await Promise.all(children.map((child) => ended(child)));
    removeQueues(queues);
  }
}

/** @param {Options} options */
export async function partner({ prefix, group }) {
  const { messages, answers } = openQueues(prefix, { group });
  await new Promise((resolve) => process.send?.('ready', resolve));
  process.disconnect();
  if (group === 'every') viewAll(messages, answers);
  else sleepOver(messages);
}

/** @param {import('../../../dist/index.js').ZooQueue} messages @param {import('../../../dist/index.js').ZooQueue} answers */
function viewAll(messages, answers) {
  const tally = new Tally();
  while (true) {
    const { view, cursor } = messages.recvViewSync();
    const isLast = tally.touch(view);
    messages.commitRead(cursor);
    if (!isLast) continue;
    answers.putBytesSync(tally.answer);
    return;
  }
}

/** @param {import('../../../dist/index.js').ZooQueue} messages until its end */
function sleepOver(messages) {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  while (true) {
    const { view, cursor } = messages.recvViewSync();
    touchLines(view);
    Atomics.wait(clock, 0, 0, 1000);
    messages.commitRead(cursor);
  }
}

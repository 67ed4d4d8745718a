/**
 * Several producers and one consumer, or one producer and several consumers that share a group:
 * processes that stay, of which each point of the curve uses as many as it says.
 */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { answer, ask, onOrder } from '../support/orders.js';
import { curve, runFor } from '../support/over-time.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {'producers' | 'consumers'} Side */
/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { counts: number[], side: Side, batch: number }} Options */
/** @typedef {ReturnType<typeof createQueues>} Queues */
/** @typedef {Queues['messages']} ZooQueue */

/** Says to a consumer that its part of a run is over. */
const endMark = 255;

/** @param {ZooQueue} queue @param {number} amount @param {number} batch @param {number} bytes */
function produce(queue, amount, batch, bytes) {
  if (batch === 1) {
    const message = Buffer.alloc(bytes, 1);
    for (let index = 0; index < amount; index += 1) queue.putBytesSync(message);
  } else {
    const messages = Array.from({ length: batch }, () => Buffer.alloc(bytes, 1));
    for (let index = 0; index < amount; index += batch) queue.putBytesManySync(messages);
  }
}

/** @param {ZooQueue} queue @param {number} batch @returns {Buffer[]} */
const take = (queue, batch) =>
  batch === 1 ? [queue.getBytesSync()] : queue.getBytesManySync(batch);

/** @param {Queues} queues @param {Options} options @param {import('node:child_process').ChildProcess[]} producers @param {number} each */
async function consumeAll({ messages }, { batch }, producers, each) {
  const elapsed = stopwatch();
  for (const producer of producers) producer.send({ amount: each });
  const amount = each * producers.length;
  let sum = 0;
  for (let taken = 0; taken < amount;) {
    for (const message of take(messages, batch)) {
      sum += /** @type {number} */ (message[0]);
      taken += 1;
    }
  }
  const seconds = elapsed();
  if (sum !== amount) throw new Error(`${amount} messages arrived with sum ${sum}`);
  return { operations: amount, seconds };
}

/** @param {Queues} queues @param {Options} options @param {import('node:child_process').ChildProcess[]} consumers @param {number} amount */
async function produceAll({ messages, answers }, { batch, bytes }, consumers, amount) {
  await Promise.all(consumers.map((consumer) => ask(consumer, {})));
  const elapsed = stopwatch();
  produce(messages, amount, batch, bytes);
  let sum = 0;
  // One after the other: a consumer that takes several at a time must not take another one's mark.
  for (const _ of consumers) {
    messages.putBytesSync(Buffer.of(endMark));
    sum += answers.getBytesSync().readDoubleLE(0);
  }
  const seconds = elapsed();
  if (sum !== amount) throw new Error(`${amount} messages arrived with sum ${sum}`);
  return { operations: amount, seconds };
}

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  const { counts, side, batch } = options;
  const queues = createQueues(options.prefix);
  const most = Math.max(...counts);
  const children = Array.from({ length: most }, () => startProcess(import.meta.url, options));
  await Promise.all(children.map((child) => answer(child)));
  place(options.processors, 0, 1 + most);
  const known = new Map();
  const runAll = side === 'producers' ? consumeAll : produceAll;
  return {
    run: () =>
      curve(counts, async (count) => {
        const some = children.slice(0, count);
        const run = (/** @type {number} */ amount) => {
          const shares = side === 'producers' ? count : 1;
          const whole = Math.ceil(amount / shares / batch) * batch;
          return runAll(queues, options, some, whole);
        };
        const { operations, seconds } = await runFor(known, count, run, { first: 256 });
        return operations / seconds;
      }),
    async close() {
      for (const child of children) child.disconnect();
      await Promise.all(children.map((child) => ended(child)));
      removeQueues(queues);
    },
  };
}

/** @param {Options} options */
export function partner({ prefix, side, batch, bytes }) {
  const { messages, answers } = openQueues(prefix);
  onOrder((/** @type {{ amount: number }} */ { amount }, say) => {
    if (side === 'producers') {
      produce(messages, amount, batch, bytes);
      return;
    }
    say('ready');
    let sum = 0;
    for (let isOver = false; !isOver;) {
      for (const message of take(messages, batch)) {
        if (message[0] === endMark) isOver = true;
        else sum += /** @type {number} */ (message[0]);
      }
    }
    const count = Buffer.alloc(8);
    count.writeDoubleLE(sum);
    answers.putBytesSync(count);
  });
  process.send?.('open');
}

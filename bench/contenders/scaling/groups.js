/** What a message costs by itself with one to four groups of one consumer each, all drained; one thread. */
import { ZooQueue } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { curve, runFor } from '../support/over-time.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../../dist/index.js').QueueOptions} QueueOptions */
/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { counts: number[], queue: QueueOptions }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ prefix, bytes, counts, queue, processors }) {
  const queues = counts.map((count) => {
    const name = `${prefix}-${count}`;
    const groups = Array.from({ length: count }, (_, index) => `group${index}`);
    const producer = ZooQueue.create(name, {
      ...queue,
      groups: Object.fromEntries(groups.map((group) => [group, {}])),
      // The producer's handle belongs to a group too, but never reads.
      group: 'group0',
    });
    const consumers = groups.map((group) => ZooQueue.open(name, { group }));
    return { count, producer, consumers };
  });
  place(processors, 0, 2);
  const known = new Map();
  return {
    run: () =>
      curve(counts, async (count) => {
        const used = queues.find((other) => other.count === count);
        if (!used) throw new Error(`no queue has ${count} groups`);
        const { producer, consumers } = used;
        const { operations, seconds } = await runFor(known, count, (amount) => {
          const elapsed = stopwatch();
          for (let index = 0; index < amount; index += 1) {
            producer.commitWrite(producer.reserveSync(bytes).cursor);
            for (const consumer of consumers) consumer.commitRead(consumer.recvViewSync().cursor);
          }
          return { operations: amount, seconds: elapsed() };
        });
        return (seconds * 1e9) / operations;
      }),
    close() {
      for (const { producer, consumers } of queues) {
        for (const consumer of consumers) consumer.close();
        producer.close();
        producer.unlink();
      }
    },
  };
}

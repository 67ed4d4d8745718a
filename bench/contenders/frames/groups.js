/** What a frame costs by itself, nobody touching it, with one consumer in each of some groups. */
import { ZooQueue } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { slots: number, groups: string[] }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ prefix, bytes, slots, groups, processors }) {
  const name = `${prefix}-messages`;
  const producer = ZooQueue.create(name, {
    slots,
    slotSize: bytes,
    groups: Object.fromEntries(groups.map((group) => [group, {}])),
    // The producer's handle belongs to a group too, but never reads.
    group: /** @type {string} */ (groups[0]),
  });
  const consumers = groups.map((group) => ZooQueue.open(name, { group }));
  place(processors, 0, 2);
  return {
    run(amount) {
      const elapsed = stopwatch();
      for (let index = 0; index < amount; index += 1) {
        producer.commitWrite(producer.reserveSync(bytes).cursor);
        for (const consumer of consumers) consumer.commitRead(consumer.recvViewSync().cursor);
      }
      return { operations: amount, seconds: elapsed() };
    },
    close() {
      for (const queue of [...consumers, producer]) queue.close();
      ZooQueue.unlink(name);
    },
  };
}

/** `reserveSync`, `commitWrite`, `recvViewSync`, `commitRead`: what a message costs by itself. */
import { ZooQueue } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { size: number }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ prefix, bytes, size, processors }) {
  const producer = ZooQueue.create(`${prefix}-messages`, { size, prefault: true });
  const consumer = ZooQueue.open(`${prefix}-messages`);
  place(processors, 0, 2);
  return {
    run(amount) {
      const elapsed = stopwatch();
      for (let index = 0; index < amount; index += 1) {
        producer.commitWrite(producer.reserveSync(bytes).cursor);
        consumer.commitRead(consumer.recvViewSync().cursor);
      }
      return { operations: amount, seconds: elapsed() };
    },
    close() {
      consumer.close();
      producer.close();
      producer.unlink();
    },
  };
}

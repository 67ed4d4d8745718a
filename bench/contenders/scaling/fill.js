/** One put and one get by the same thread while the ring holds many other messages. */
import { ZooQueue } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { curve, runFor } from '../support/over-time.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { percents: number[] }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ prefix, bytes, percents, processors }) {
  const queue = ZooQueue.create(`${prefix}-messages`, { prefault: true });
  place(processors, 0, 2);
  const message = Buffer.alloc(bytes, 1);
  let most = 0;
  while (queue.tryPutBytes(message)) most += 1;
  while (queue.tryGetBytes());
  const known = new Map();
  return {
    async run() {
      let held = 0;
      const sample = await curve(percents, async (percent) => {
        for (; held < (most * percent) / 100; held += 1) queue.putBytesSync(message);
        const { operations, seconds } = await runFor(known, percent, (amount) => {
          const elapsed = stopwatch();
          for (let index = 0; index < amount; index += 1) {
            queue.putBytesSync(message);
            queue.getBytesSync();
          }
          return { operations: amount, seconds: elapsed() };
        });
        return (seconds * 1e9) / operations;
      });
      while (queue.tryGetBytes());
      return sample;
    },
    close() {
      queue.close();
      queue.unlink();
    },
  };
}

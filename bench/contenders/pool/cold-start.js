/** From the constructor of a pool until each of its workers has answered. */
import { timeEachAsync } from '../support/stopwatch.js';
import { answeredBy, loadPool } from './start.js';
import { workers } from './workers.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions & import('./start.js').PoolChoice} options */
export async function open(options) {
  const start = await loadPool({ ...options, hasBytes: false });

  return {
    /** @param {number} amount @returns {Promise<import('../../harness/types.d.ts').Sample>} */
    async run(amount) {
      let seconds = 0;
      const latencies = [];
      for (let index = 0; index < amount; index += 1) {
        /** @type {import('./adapter.d.ts').PoolAdapter[]} */
        const pools = [];
        const sample = await timeEachAsync(1, async () => {
          const pool = start();
          pools.push(pool);
          await answeredBy(pool, workers);
        });
        await pools[0].close();
        seconds += sample.seconds;
        latencies.push(...(sample.latencies ?? []));
      }
      return { operations: amount, seconds, latencies };
    },
    close() {},
  };
}

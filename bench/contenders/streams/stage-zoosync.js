/** A stage whose work is done by the processes of a pool. */
import { Stream, ZooPool } from '../../../dist/index.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { workers: number, each: number }} Options */

const tasks = new URL('../support/busy.js', import.meta.url);

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open({ workers, each }) {
  /** @type {ZooPool<typeof import('../support/busy.js')>} */
  const pool = new ZooPool(tasks, { workers });
  await pool.ready();
  const work = pool.task('work');
  return {
    async run(amount) {
      const elapsed = stopwatch();
      // Several for each process: then the pool has the next at hand as soon as it reads an answer.
      const done = await Stream.range(0, amount)
        .stage(work, { workers: each * workers, ordered: false })
        .reduce((count) => count + 1, 0);
      if (done !== amount) throw new Error(`${done} of ${amount} items came out`);
      return { operations: amount, seconds: elapsed() };
    },
    close: () => pool.close(),
  };
}

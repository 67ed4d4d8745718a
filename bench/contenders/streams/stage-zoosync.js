/** A stage whose work is done by the processes of a pool. */
import { Stream, ZooPool } from '../../../dist/index.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { workers: number }} Options */

const tasks = new URL('../support/busy.js', import.meta.url);

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open({ workers }) {
  /** @type {ZooPool<typeof import('../support/busy.js')>} */
  const pool = new ZooPool(tasks, { workers });
  await pool.ready();
  const work = pool.task('work');
  return {
    async run(amount) {
      const elapsed = stopwatch();
      // Two for each process, so that its next item lies ready when it has finished one.
      const done = await Stream.range(0, amount)
        .stage(work, { workers: 2 * workers, ordered: false })
        .reduce((count) => count + 1, 0);
      if (done !== amount) throw new Error(`${done} of ${amount} items came out`);
      return { operations: amount, seconds: elapsed() };
    },
    close: () => pool.close(),
  };
}

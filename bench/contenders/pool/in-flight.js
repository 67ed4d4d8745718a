/** Waves of tasks, all of them handed to the pool before the first answer comes. */
import { stopwatch } from '../support/stopwatch.js';
import { answeredBy, loadPool } from './start.js';
import { makeOrder } from './values.js';
import { workers } from './workers.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */
/** @typedef {{ task: 'noop' | 'countItems', inFlight: number }} Wave */

/** @param {ContenderOptions & import('./start.js').PoolChoice & Wave} options */
export async function open({ task, inFlight, ...choice }) {
  const start = await loadPool({ ...choice, hasBytes: false });
  const pool = start();
  await answeredBy(pool, workers);
  const order = makeOrder();

  async function runWave() {
    const calls = [];
    let expected = 0;
    for (let index = 0; index < inFlight; index += 1) {
      const value = task === 'noop' ? index : order;
      expected += task === 'noop' ? index : order.items.length;
      calls.push(pool.call(task, value));
    }
    let sum = 0;
    for (const answer of await Promise.all(calls)) sum += Number(answer);
    if (sum !== expected) throw new Error(`the answers' sum was ${sum} instead of ${expected}`);
  }

  return {
    /** @param {number} amount of tasks, rounded up to whole waves */
    async run(amount) {
      const waves = Math.ceil(amount / inFlight);
      const elapsed = stopwatch();
      for (let wave = 0; wave < waves; wave += 1) await runWave();
      return { operations: waves * inFlight, seconds: elapsed() };
    },
    close: async () => void (await pool.close()),
  };
}

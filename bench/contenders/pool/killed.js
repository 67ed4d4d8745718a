/** From the death of a worker until the task that it was running rejects. */
import { readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopwatch } from '../support/stopwatch.js';
import { answeredBy, loadPool } from './start.js';
import { workers } from './workers.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {string} file @returns {Promise<string>} what the task wrote, as soon as it is there */
async function noteIn(file) {
  while (true) {
    try {
      const note = readFileSync(file, 'utf8');
      rmSync(file);
      return note;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
      await sleep(1);
    }
  }
}

/** @param {ContenderOptions & import('./start.js').PoolChoice} options */
export async function open({ prefix, ...choice }) {
  const start = await loadPool({ ...choice, hasBytes: false });
  const pool = start();
  await answeredBy(pool, workers);
  const file = path.join(os.tmpdir(), `${prefix}-note`);

  /** @param {'hang' | 'leave'} task @returns {Promise<bigint>} when its promise rejected */
  const rejection = (task) =>
    pool.call(task, file).then(
      () => {
        throw new Error('the worker died, but its task has a result');
      },
      () => process.hrtime.bigint(),
    );

  /** @returns {Promise<number>} nanoseconds */
  async function killOne() {
    const rejected = rejection('hang');
    const pid = Number(await noteIn(file));
    // Everybody goes to sleep meanwhile, at another moment of their checks each time.
    await sleep(5 + Math.random() * 25);
    const killed = process.hrtime.bigint();
    process.kill(pid, 'SIGKILL');
    return Number((await rejected) - killed);
  }

  /** A thread cannot be shot alone, so it leaves. @returns {Promise<number>} nanoseconds */
  async function letOneLeave() {
    const rejected = rejection('leave');
    const left = BigInt(await noteIn(file));
    return Number((await rejected) - left);
  }

  const loseOne = choice.kind === 'process' ? killOne : letOneLeave;
  return {
    /** @param {number} amount */
    async run(amount) {
      const elapsed = stopwatch();
      const latencies = [];
      while (latencies.length < amount) {
        latencies.push(await loseOne());
        await answeredBy(pool, workers);
      }
      return { operations: amount, seconds: elapsed(), latencies };
    },
    async close() {
      await pool.close();
      rmSync(file, { force: true });
    },
  };
}

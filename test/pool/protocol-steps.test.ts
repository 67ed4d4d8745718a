/** Workers that die at every step of what they do for a task: contract of the pool, as a property. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { within } from '../support/index.js';
import { describeEachKind, makeGate, type Gate } from '../support/pools.js';

type Steps = {
  setup(data: { directory: string; seed: number; chance: number }): void;
  work(number: number): number;
};

const seed = Number(process.env['ZOO_SEED'] ?? Date.now() % 1_000_000_007);

function lines(gate: Gate, file: string): string[] {
  return readFileSync(join(gate.directory, file), 'utf8').split('\n').slice(0, -1);
}

function timesRun(gate: Gate): Map<number, number> {
  const counts = new Map<number, number>();
  for (const line of lines(gate, 'log')) {
    counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1);
  }
  return counts;
}

describeEachKind(`workers that die at steps of the protocol, ZOO_SEED=${seed}`, (pools) => {
  const total = pools.kind === 'process' ? 10_000 : 3000;
  // Five steps per task: about twenty-five deaths.
  const chance = 25 / (5 * total);

  for (const retries of [2, 0]) {
    const tasks = retries > 0 ? total : total / 5;
    it(`with ${retries} retries, every promise settles, with the right answer`, async () => {
      const gate = makeGate();
      const pool = pools.open<Steps>('pool-steps.js', {
        workers: 2,
        retries,
        size: '64KiB',
        data: { directory: gate.directory, seed, chance: retries > 0 ? chance : chance * 2 },
      });
      const calls = Array.from({ length: tasks }, (_, number) => pool.run('work', [number]));
      const settled = await within(Promise.allSettled(calls), 'every promise', 150_000);
      const rejected = settled.filter(({ status }) => status === 'rejected');
      for (const [number, outcome] of settled.entries()) {
        if (outcome.status === 'fulfilled') expect(outcome.value).toBe(number * 2 + 1);
        else
          expect(outcome.reason).toMatchObject({
            code: 'ERR_ZOO_WORKER_DIED',
            attempts: retries + 1,
          });
      }
      // Each was settled once.
      expect(pool.stats.done).toBe(tasks - rejected.length);
      expect(pool.stats.failed).toBe(rejected.length);
      const counts = timesRun(gate);
      for (const [number, outcome] of settled.entries()) {
        const runs = counts.get(number) ?? 0;
        expect(runs, `runs of task ${number}`).toBeLessThanOrEqual(retries + 1);
        if (outcome.status === 'fulfilled') expect(runs).toBeGreaterThan(0);
      }
      expect(lines(gate, 'log-deaths').length).toBeGreaterThan(3);
      await pool.close();
    }, 180_000);
  }
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ZooPool } from 'zoosync';
import { expect, it } from 'vitest';
import { randomFrom } from '../fixtures/numbered-messages.js';
import { within, type CaughtError } from '../support/index.js';
import {
  describeEachKind,
  isDead,
  makeGate,
  poolSegments,
  untilDead,
  type Gate,
  type Pools,
} from '../support/pools.js';

type Shot = Record<string, (...args: unknown[]) => unknown>;

const ends = ['SIGKILL', 'SIGSEGV', 'SIGSTOP', 'exit'] as const;

/** Ends some worker of the pool, in some way. Answers its pid, 0 for a thread. */
async function shoot(
  pools: Pools,
  pool: ZooPool<Shot>,
  random: () => number,
): Promise<number | undefined> {
  // Five deaths in a row of workers that were only starting would rightly break the pool.
  const workers = pool.workers.filter(({ state }) => state === 'idle' || state === 'busy');
  const worker = workers[Math.floor(random() * workers.length)];
  if (worker === undefined) return undefined;
  const how = ends[Math.floor(random() * ends.length)] ?? 'SIGKILL';
  if (pools.kind === 'thread') {
    pools.kill(worker);
  } else if (how === 'exit') {
    pool.run('exitSoon', [random() * 3]).catch(() => undefined);
  } else if (!isDead(worker.pid)) {
    process.kill(worker.pid, how);
    if (how === 'SIGSTOP') {
      await sleep(random() * 3);
      process.kill(worker.pid, 'SIGKILL');
    }
  }
  return pools.kind === 'process' ? worker.pid : 0;
}

/** Gives the pool tasks, and shoots, until there were enough of both. */
async function siege(
  pools: Pools,
  { retries, tasks, shots }: { retries: number; tasks: number; shots: number },
): Promise<{ answers: PromiseSettledResult<unknown>[]; gate: Gate; pool: ZooPool<Shot> }> {
  const gate = makeGate();
  const seed = Number(process.env['ZOO_SEED'] ?? Date.now() % 1_000_000_007);
  const random = randomFrom(seed);
  const pool = pools.open<Shot>('pool-target.js', { workers: 2, retries, size: '64KiB' });
  await pool.ready();
  const answers: Promise<unknown>[] = [];
  const pids = new Set<number>();
  let shot = 0;
  const shooting = (async () => {
    while (shot < shots) {
      await sleep(random() * 30);
      if (pool.stats.done === 0) continue;
      const pid = await shoot(pools, pool, random);
      if (pid === undefined) continue;
      if (pid > 0) pids.add(pid);
      shot += 1;
    }
  })();
  while (answers.length < tasks || shot < shots) {
    for (let i = 0; i < 100; i += 1) {
      const bytes = random() < 0.02 ? 70_000 : Math.floor(random() * 300);
      const number = answers.length;
      const answer = pool.run('work', [gate.directory, number, Buffer.alloc(bytes, 'x')]);
      answer.catch(() => undefined);
      answers.push(answer);
    }
    await Promise.allSettled(answers.slice(-200, -100));
  }
  await shooting;
  const settled = await within(Promise.allSettled(answers), `every promise (ZOO_SEED=${seed})`);
  expect(await within(pool.run('work', [gate.directory, -1, Buffer.alloc(1)]), 'one more')).toBe(
    '-1: 1',
  );
  await pool.close();
  await untilDead(...pids);
  expect(poolSegments(process.pid), `segments left (ZOO_SEED=${seed})`).toEqual([]);
  for (const [i, answer] of settled.entries()) {
    if (answer.status === 'fulfilled') {
      expect(answer.value, `task ${i} (ZOO_SEED=${seed})`).toMatch(new RegExp(`^${i}: \\d+$`));
    } else {
      expect(answer.reason, `task ${i} (ZOO_SEED=${seed})`).toMatchObject({
        code: 'ERR_ZOO_WORKER_DIED',
        attempts: retries + 1,
      });
    }
  }
  return { answers: settled, gate, pool };
}

/** How often each task was started, by its number. */
function runs(gate: Gate): Map<number, number> {
  const found = new Map<number, number>();
  for (const line of readFileSync(join(gate.directory, 'log'), 'utf8').split('\n')) {
    if (line !== '') found.set(Number(line), (found.get(Number(line)) ?? 0) + 1);
  }
  return found;
}

describeEachKind('workers that are shot at random', (pools) => {
  const tasks = pools.kind === 'process' ? 10_000 : 4000;
  const shots = pools.kind === 'process' ? 14 : 8;

  it('leave no promise unsettled and no answer wrong, with retries', async () => {
    const { answers, gate } = await siege(pools, { retries: 2, tasks, shots });
    for (const [i, count] of runs(gate)) {
      if (i >= 0) expect(count, `runs of task ${i}`).toBeLessThanOrEqual(3);
    }
    expect(answers.filter(({ status }) => status === 'rejected').length).toBeLessThan(shots);
  });

  it('never make a task run twice, without retries', async () => {
    const { answers, gate } = await siege(pools, {
      retries: 0,
      tasks: tasks / 4,
      shots: shots / 2,
    });
    const counts = runs(gate);
    for (const [i, count] of counts) expect(count, `runs of task ${i}`).toBe(1);
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 'fulfilled') expect(counts.get(i)).toBe(1);
      else expect((answer.reason as CaughtError).message).toContain('work');
    }
  });
});

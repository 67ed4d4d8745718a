import { availableParallelism } from 'node:os';
import { ZooPool } from 'zoosync';
import { expect, it } from 'vitest';
import { afterThisTest, codeOf, isPending, until, within } from '../support/index.js';
import { describeEachKind, fixture, makeGate, untilDead, type Tasks } from '../support/pools.js';

const ids = (pool: ZooPool<Tasks>): number[] => pool.workers.map(({ id }) => id);

describeEachKind('workers', (pools) => {
  it('are started at once when their number is fixed', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    expect(pool.workers.map(({ state }) => state)).toEqual(['starting', 'starting']);
    await pool.ready();
    expect(pool.workers.map(({ state }) => state)).toEqual(['idle', 'idle']);
    const [a, b] = pool.workers;
    expect(a?.id).not.toBe(b?.id);
    if (pools.kind === 'process') expect(a?.pid).not.toBe(b?.pid);
    else expect([a?.pid, b?.pid]).toEqual([process.pid, process.pid]);
  });

  it('are started on demand by default, up to the number of cores', async () => {
    const pool = new ZooPool<Tasks>(fixture('pool-tasks.js'), { kind: pools.kind });
    afterThisTest(() => pool.destroy());
    expect(pool.workers).toEqual([]);
    expect(await pool.run('add', [1, 1])).toBe(2);
    expect(pool.workers).toHaveLength(1);
    const gate = makeGate();
    const most = Math.min(availableParallelism(), 2);
    const held = Array.from({ length: most }, (_, i) => pool.run('hold', [gate.directory, `${i}`]));
    await gate.logged(...held.map((_, i) => `start ${i}`));
    expect(pool.workers.length).toBeGreaterThanOrEqual(most);
    gate.open();
    await Promise.all(held);
  });

  it('are never more than the most, and say what they do', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: { min: 1, max: 2 } });
    await pool.ready();
    expect(pool.workers.map(({ state }) => state)).toEqual(['idle']);
    const held = ['a', 'b', 'c'].map((name) => pool.run('hold', [gate.directory, name]));
    await gate.logged('start a', 'start b');
    expect(pool.workers.map(({ state }) => state)).toEqual(['busy', 'busy']);
    gate.open();
    await Promise.all(held);
    expect(pool.workers).toHaveLength(2);
    await until(() => pool.workers.every(({ state }) => state === 'idle'), 'all to be idle');
  });

  it('that have nothing to do end, down to the least', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: { min: 1, max: 3 }, idleTimeout: 40 });
    const exits: unknown[] = [];
    pool.on('worker:exit', (event) => exits.push(event));
    const held = ['a', 'b', 'c'].map((name) => pool.run('hold', [gate.directory, name]));
    await gate.logged('start a', 'start b', 'start c');
    expect(pool.workers).toHaveLength(3);
    gate.open();
    await Promise.all(held);
    await until(() => exits.length === 2 && pool.workers.length === 1, 'two workers to end');
    expect(exits).toMatchObject([
      { exitCode: 0, signal: null },
      { exitCode: 0, signal: null },
    ]);
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('come back after all have gone', async () => {
    const pool = pools.open('pool-tasks.js', { workers: { min: 0, max: 2 }, idleTimeout: 20 });
    for (let i = 0; i < 2; i += 1) {
      expect(await pool.run('add', [i, 1])).toBe(i + 1);
      await until(() => pool.workers.length === 0, 'the workers to go');
    }
  });

  it('that go because they are idle lose no task that comes just then', async () => {
    const pool = pools.open('pool-tasks.js', { workers: { min: 0, max: 2 }, idleTimeout: 1 });
    for (let i = 0; i < 25; i += 1) {
      const answers = await Promise.all([pool.run('add', [i, 1]), pool.run('pause', [i % 4])]);
      expect(answers).toEqual([i + 1, i % 4]);
    }
  });
});

describeEachKind('resize', (pools) => {
  it('brings more workers and fewer', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 1 });
    await pool.ready();
    const [first] = ids(pool);
    await pool.resize(3);
    expect(pool.workers).toHaveLength(3);
    expect(ids(pool)).toContain(first);
    await pool.resize(1);
    expect(pool.workers).toHaveLength(1);
    expect(await pool.run('add', [1, 1])).toBe(2);
    await pool.resize({ min: 0, max: 2 });
    expect(await pool.run('add', [1, 2])).toBe(3);
  });

  it('waits for tasks that run', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    const held = ['a', 'b'].map((name) => pool.run('hold', [gate.directory, name]));
    await gate.logged('start a', 'start b');
    const resized = pool.resize(1);
    expect(await isPending(Promise.all(held))).toBe(true);
    gate.open();
    expect(await Promise.all(held)).toEqual(['a', 'b']);
    await within(resized, 'the new size');
    expect(pool.workers).toHaveLength(1);
  });

  it('ends when a worker is killed meanwhile', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    const held = ['a', 'b'].map((name) =>
      pool
        .run('holdThenDie', [gate.directory, name])
        .catch((error: { code: string }) => error.code),
    );
    await gate.logged('start a', 'start b');
    const resized = pool.resize(1);
    gate.open();
    expect(await Promise.all(held)).toEqual(['ERR_ZOO_WORKER_DIED', 'ERR_ZOO_WORKER_DIED']);
    await within(resized, 'the new size');
    expect(await pool.run('add', [1, 1])).toBe(2);
    await until(() => pool.workers.length === 1, 'one worker');
  });

  it('again and again, with tasks running, loses none', async () => {
    const sizes = pools.kind === 'thread' ? [12, 2, 1, 12, 6, 1, 8, 5] : [5, 1, 4, 2];
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    const answers: Promise<number>[] = [];
    for (const size of sizes) {
      for (let i = 0; i < 30; i += 1) answers.push(pool.run('pause', [i % 3]));
      await within(pool.resize(size), `${size} workers`);
      expect(pool.workers).toHaveLength(size);
    }
    expect(await Promise.all(answers)).toEqual(answers.map((_, i) => (i % 30) % 3));
  });

  it('without waiting in between ends at the last size', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 1 });
    const answers = Array.from({ length: 50 }, (_, i) => pool.run('pause', [i % 3]));
    const resized = [3, 1, 4, 2].map((size) => pool.resize(size));
    await within(Promise.all(resized), 'all sizes');
    expect(pool.workers).toHaveLength(2);
    expect(await Promise.all(answers)).toEqual(answers.map((_, i) => i % 3));
  });

  it.each([0, -1, 1.5, NaN, { min: 3, max: 2 }, { min: -1, max: 2 }, { min: 0, max: 0 }])(
    'refuses %o workers',
    async (workers) => {
      const pool = pools.open('pool-tasks.js', { workers: { min: 0, max: 1 } });
      expect(await codeOf(() => pool.resize(workers))).toBe('ERR_OUT_OF_RANGE');
    },
  );
});

describeEachKind('recycling', (pools) => {
  it('replaces a worker after so many tasks, the next one ready before', async () => {
    const pool = pools.open('pool-tasks.js', { maxTasksPerWorker: 3 });
    const events: string[] = [];
    pool.on('worker:ready', ({ id }: { id: number }) => events.push(`ready ${id}`));
    pool.on('worker:exit', ({ id }: { id: number }) => events.push(`exit ${id}`));
    await pool.ready();
    const perWorker = new Map<number, number>();
    for (let i = 0; i < 10; i += 1) {
      const { worker } = await pool.run('whoAmI', []);
      perWorker.set(worker, (perWorker.get(worker) ?? 0) + 1);
    }
    expect(Math.max(...perWorker.values())).toBeLessThanOrEqual(3);
    expect(perWorker.size).toBeGreaterThanOrEqual(4);
    await until(() => events.filter((event) => event.startsWith('exit')).length >= 3);
    for (const [at, event] of events.entries()) {
      if (!event.startsWith('exit')) continue;
      const ready = events.slice(0, at).filter((one) => one.startsWith('ready')).length;
      const gone = events.slice(0, at).filter((one) => one.startsWith('exit')).length;
      expect(ready, events.join(', ')).toBeGreaterThanOrEqual(gone + 2);
    }
  });

  it('runs each task exactly once, with many in flight', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2, maxTasksPerWorker: 30 });
    const lines = Array.from({ length: 200 }, (_, i) => `${i}`);
    const notes = lines.map((line) => pool.run('note', [gate.directory, line]));
    expect(await Promise.all(notes)).toEqual(lines);
    expect(gate.log().sort()).toEqual(lines.sort());
  });

  it('replaces a worker that has grown too large, after its task', async () => {
    const thread = pools.kind === 'thread';
    const pool = pools.open('pool-tasks.js', { maxMemory: thread ? '60MiB' : '150MiB' });
    const before = await pool.run('whoAmI', []);
    const exits: number[] = [];
    pool.on('worker:exit', ({ id }: { id: number }) => exits.push(id));
    expect(await pool.run('allocate', [160 << 20, thread ? 'heap' : 'outside'])).toBeGreaterThan(0);
    await until(() => exits.includes(before.worker), 'the large worker to go');
    expect((await pool.run('whoAmI', [])).worker).not.toBe(before.worker);
  });
});

describeEachKind('an idle worker', (pools) => {
  it('that is killed is replaced without a word, when it is needed', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    await pool.ready();
    await Promise.all([pool.run('whoAmI', []), pool.run('whoAmI', []), pool.run('whoAmI', [])]);
    const exits: unknown[] = [];
    pool.on('worker:exit', (event) => exits.push(event));
    const { worker } = await pool.run('whoAmI', []);
    const victim = pool.workers.find(({ id }) => id === worker);
    if (victim === undefined) throw new Error('the worker is not there');
    pools.kill(victim);
    await until(() => exits.length === 1, "the event 'worker:exit'");
    expect(exits).toMatchObject([{ id: victim.id, pid: victim.pid, ...pools.killed }]);
    await until(
      () => pool.workers.length === 2 && pool.workers.every(({ state }) => state === 'idle'),
      'the replacement',
    );
    expect(ids(pool)).not.toContain(victim.id);
    expect(await pool.run('add', [1, 1])).toBe(2);
    if (pools.kind === 'process') await untilDead(victim.pid);
  });

  it('that is killed is not replaced above the least', async () => {
    const pool = pools.open('pool-tasks.js', { workers: { min: 0, max: 1 } });
    const { worker } = await pool.run('whoAmI', []);
    const [victim] = pool.workers;
    if (victim === undefined) throw new Error('the worker is not there');
    expect(victim.id).toBe(worker);
    pools.kill(victim);
    await until(() => pool.workers.length === 0, 'the worker to go');
    expect(await pool.run('add', [1, 1])).toBe(2);
  });
});

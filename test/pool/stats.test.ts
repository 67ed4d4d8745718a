import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, it } from 'vitest';
import { codeOf, until } from '../support/index.js';
import { afterThisTest } from '../support/index.js';
import { describeEachKind, makeGate } from '../support/pools.js';

describeEachKind('stats', (pools) => {
  it('count tasks in each of their states', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: { min: 0, max: 1 } });
    expect(pool.stats).toMatchObject({ queued: 0, running: 0, done: 0, failed: 0, retried: 0 });
    const held = pool.run('hold', [gate.directory, 'a']);
    const behind = [pool.run('add', [1, 1]), pool.run('add', [2, 2])];
    await gate.logged('start a');
    expect(pool.stats.queued + pool.stats.running).toBe(3);
    gate.open();
    await Promise.all([held, ...behind]);
    expect(await codeOf(pool.run('die', ['kill']))).toBe('ERR_ZOO_WORKER_DIED');
    expect(pool.stats).toMatchObject({ queued: 0, running: 0, done: 3, failed: 1, retried: 0 });
  });

  it('have histograms of run and wait times', async () => {
    const pool = pools.open();
    for (let i = 0; i < 5; i += 1) await pool.run('pause', [10]);
    const { runTime, waitTime, utilization } = pool.stats;
    expect(runTime.count).toBeGreaterThan(0);
    expect(runTime.max).toBeGreaterThan(5_000_000);
    expect(waitTime.count).toBeGreaterThan(0);
    expect(utilization).toBeGreaterThan(0);
    expect(utilization).toBeLessThanOrEqual(1);
  });

  it('count bytes that were copied and shared', async () => {
    const pool = pools.open();
    await pool.run('echo', ['x'.repeat(1000)]);
    expect(pool.stats.bytesCopied).toBeGreaterThanOrEqual(2000);
    await pool.run('keep', [new Uint8Array(200_000)]);
    expect(pool.stats.bytesShared).toBeGreaterThanOrEqual(200_000);
  });
});

describeEachKind('events', (pools) => {
  it('say when workers come and go', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    const events: [string, Record<string, unknown>][] = [];
    pool.on('worker:ready', (event) => events.push(['ready', event]));
    pool.on('worker:exit', (event) => events.push(['exit', event]));
    await pool.ready();
    const workers = pool.workers.map(({ id, pid }) => ({ id, pid }));
    expect(events.map(([name]) => name)).toEqual(['ready', 'ready']);
    expect(
      events.map(([, event]) => event).sort((a, b) => Number(a['id']) - Number(b['id'])),
    ).toEqual(workers.sort((a, b) => a.id - b.id));
    await pool.close();
    await until(() => events.length === 4, 'the workers to go');
    for (const [name, event] of events.slice(2)) {
      expect(name).toBe('exit');
      expect(event).toMatchObject({ exitCode: 0, signal: null });
    }
  });

  it('are heard by nobody at no cost: a listener that throws is the problem of its owner', async () => {
    const pool = pools.open();
    expect(pool.listenerCount('error')).toBe(0);
    expect(await codeOf(pool.run('die', ['kill']))).toBe('ERR_ZOO_WORKER_DIED');
    expect(await pool.run('add', [1, 1])).toBe(2);
  });
});

describeEachKind('context', (pools) => {
  it('of the caller is there after the answer', async () => {
    const pool = pools.open();
    const storage = new AsyncLocalStorage<string>();
    const seen = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        storage.run(name, async () => {
          await pool.run('add', [1, 1]);
          return storage.getStore();
        }),
      ),
    );
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});

describeEachKind('diagnostics', (pools) => {
  it('say which task ran, when somebody listens', async () => {
    const seen: unknown[] = [];
    const listener = (message: unknown): void => void seen.push(message);
    subscribe('zoosync:pool:settled', listener);
    afterThisTest(() => unsubscribe('zoosync:pool:settled', listener));
    const pool = pools.open();
    await pool.run('add', [1, 1]);
    expect(seen).toMatchObject([{ name: 'add', attempts: 1, ok: true }]);
    expect(await codeOf(pool.run('add', [() => 1] as never))).toBe('ERR_ZOO_UNSENDABLE');
    expect(await codeOf(pool.run('die', ['kill']))).toBe('ERR_ZOO_WORKER_DIED');
    expect(seen.at(-1)).toMatchObject({ name: 'die', ok: false });
  });
});

import { expect, it } from 'vitest';
import { runProgram, until, within } from '../support/index.js';
import { collect, describeEachKind, describeProcesses } from '../support/pools.js';

type Edges = {
  setup(data: Uint8Array): void;
  add(a: number, b: number): number;
  endless(): Generator<number>;
  frames(buffer: Uint8Array, count: number): Generator<Uint8Array>;
  report(buffer: Uint8Array, count: number): void;
  snapshot(): Uint8Array;
  fillState(value: number): void;
  stubborn(milliseconds: number): Promise<number>;
  stuck(): Promise<never>;
  large(bytes: number): Uint8Array;
  sum(parts: Uint8Array[]): number;
  explode(): void;
  spin(milliseconds: number): number;
  throwingThenable(): Promise<never>;
  hastyThenable(): Promise<number>;
  fatal(): void;
  note(number: number): void;
  noted(): number[];
};

const largeBytes = 100_000;

describeEachKind('at the edges, a pool', (pools) => {
  const open = (options = {}) => pools.open<Edges>('pool-edges.js', options);

  it('goes on after a stream gave an item that cannot be sent', async () => {
    const pool = open();
    const items: number[] = [];
    await expect(
      (async () => {
        for await (const item of pool.stream('endless', [])) items.push(item);
      })(),
    ).rejects.toMatchObject({ code: 'ERR_ZOO_UNSENDABLE' });
    expect(items).toEqual([1]);
    expect(await within(pool.run('add', [1, 2]), 'the next task')).toBe(3);
    await within(pool.close(), 'close()');
  });

  it('gives each item of a stream as it was, though the task uses one buffer for all', async () => {
    const pool = open();
    const frames = await collect(pool.stream('frames', [new Uint8Array(largeBytes), 10]));
    expect(frames.map((frame) => frame[5])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('gives progress as it was', async () => {
    const pool = open();
    const seen: unknown[] = [];
    await pool.run('report', [new Uint8Array(largeBytes), 5], {
      onProgress: (value) => seen.push((value as Uint8Array)[0]),
    });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('gives what a worker keeps as it was', async () => {
    const pool = open({ data: new Uint8Array(largeBytes).fill(1) });
    for (let round = 0; round < 20; round++) {
      const before = pool.run('snapshot', []);
      const after = pool.run('fillState', [(round + 2) % 200]);
      expect((await before)[0]).toBe(round === 0 ? 1 : (round + 1) % 200);
      await after;
    }
  });

  it('forgets a broadcast that failed: workers that are born later work', async () => {
    const pool = open({ retries: 1 });
    await expect(pool.broadcast('nothing' as 'add', [1, 2])).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    });
    await expect(pool.broadcast('explode', [])).rejects.toThrow('boom');
    await pool.resize(2);
    await within(pool.ready(), 'ready()');
    expect(await Promise.all([pool.run('add', [1, 2]), pool.run('add', [3, 4])])).toEqual([3, 7]);
  });

  it('uses a worker again whose aborted task came to an end by itself after all', async () => {
    const pool = open({ concurrency: 2, killAfter: 50 });
    await pool.ready();
    const abort = new AbortController();
    const aborted = pool.run('stubborn', [300], { signal: abort.signal });
    const other = pool.run('stubborn', [400]);
    await until(() => pool.stats.running === 2, 'both tasks to run');
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'ABORT_ERR' });
    expect(await other).toBe(400);
    expect(await within(pool.run('add', [1, 2]), 'the next task')).toBe(3);
  });

  it('kills a stuck worker also while a broadcast waits behind the task', async () => {
    const pool = open({ killAfter: 50 });
    await pool.ready();
    const stuck = pool.run('stuck', [], { timeout: 100 });
    stuck.catch(() => undefined);
    const broadcast = pool.broadcast('add', [1, 2]);
    await expect(stuck).rejects.toMatchObject({ code: 'ERR_ZOO_TIMEOUT' });
    await within(broadcast, 'the broadcast');
    expect(await within(pool.run('add', [1, 2]), 'the next task')).toBe(3);
  });

  it('is gone after destroy(), with tasks sent ahead too', async () => {
    const pool = open();
    await pool.run('add', [1, 2]);
    await Promise.all(Array.from({ length: 50 }, () => pool.run('add', [1, 2])));
    const calls = [
      pool.run('stuck', []),
      ...Array.from({ length: 50 }, () => pool.run('add', [1, 2])),
    ];
    const settled = Promise.allSettled(calls);
    await until(() => pool.stats.running > 0, 'a task to run');
    await pool.destroy();
    for (const { status } of await settled) expect(status).toBe('rejected');
    await new Promise((resolve) => setImmediate(resolve));
    expect(pool.workers).toEqual([]);
  });

  it('delivers a large result although its worker has ended meanwhile', async () => {
    const pool = open({ maxTasksPerWorker: 1 });
    await pool.ready();
    for (let round = 0; round < 3; round++) {
      const result = pool.run('large', [1_000_000]);
      // Nothing is read here while the worker answers, is replaced, and ends.
      const end = performance.now() + 300;
      await new Promise((resolve) => setImmediate(resolve));
      while (performance.now() < end);
      expect((await result)[999_999]).toBe(7);
    }
  });

  it('takes more large arguments than a note of their places has room for', async () => {
    const pool = open({ size: '64KiB' });
    const parts = Array.from({ length: 200 }, (_, i) => new Uint8Array(65_536).fill(i));
    expect(await pool.run('sum', [parts])).toBe((199 * 200) / 2);
    expect(await pool.run('add', [1, 2])).toBe(3);
  });

  it('rejects a broadcast that is under way when it is destroyed', async () => {
    const pool = open({ workers: { min: 0, max: 1 } });
    const running = pool.run('stuck', []);
    running.catch(() => undefined);
    await until(() => pool.stats.running === 1, 'the task to run');
    const broadcast = pool.broadcast('add', [1, 2]);
    broadcast.catch(() => undefined);
    await pool.destroy();
    await expect(broadcast).rejects.toMatchObject({ code: 'ERR_ZOO_CLOSED' });
  });

  it('answers ready() when it is closed meanwhile', async () => {
    const pool = open({ workers: { min: 0, max: 1 } });
    const ready = pool.ready();
    ready.catch(() => undefined);
    await within(pool.close(), 'close()');
    await within(
      ready.then(
        () => 'ready',
        (error: { code: string }) => error.code,
      ),
      'ready()',
    );
  });

  it('keeps queueTimeout for a task that was sent ahead behind a slow one', async () => {
    const pool = open();
    for (let i = 0; i < 20; i++) await pool.run('spin', [0]);
    const slow = pool.run('spin', [1500]);
    await expect(pool.run('spin', [0], { queueTimeout: 100 })).rejects.toMatchObject({
      code: 'ERR_ZOO_TIMEOUT',
    });
    expect(await slow).toBe(1500);
  });

  it('takes what a strange thenable does for the answer of its task only', async () => {
    const pool = open();
    await pool.ready();
    const [{ id } = { id: 0 }] = pool.workers;
    await expect(pool.run('throwingThenable', [])).rejects.toThrow('no thenable');
    expect(await pool.run('hastyThenable', [])).toBe(1);
    expect(await pool.run('add', [1, 2])).toBe(3);
    expect(pool.workers.map((worker) => worker.id)).toEqual([id]);
  });

  it('starts tasks with one key in order, also when others are aborted', async () => {
    const pool = open();
    for (let batch = 0; batch < 20; batch++) {
      const abort = new AbortController();
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < 20; i++) {
        calls.push(pool.run('note', [batch * 20 + i], { key: 'k' }));
        calls.push(pool.run('add', [1, 2], { key: 'k', signal: abort.signal }));
      }
      await calls[batch];
      abort.abort();
      await Promise.allSettled(calls);
    }
    const order = await pool.run('noted', []);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order.length).toBe(400);
  });

  it('runs nothing again once it was destroyed by a listener of a retry', async () => {
    const pool = open({ retries: 5 });
    let retries = 0;
    pool.on('retry', () => {
      retries += 1;
      void pool.destroy();
    });
    await expect(pool.run('fatal', [])).rejects.toMatchObject({ code: 'ERR_ZOO_CLOSED' });
    expect(retries).toBe(1);
    await until(() => pool.workers.length === 0, 'the workers to be gone');
  });

  it('hands over what a failing source gave before, in chunks too', async () => {
    const pool = open();
    function* source(): Generator<number> {
      yield 1;
      yield 2;
      throw new Error('source');
    }
    const seen: unknown[] = [];
    await expect(
      (async () => {
        for await (const each of pool.map('spin', source(), { chunk: 4 })) seen.push(each);
      })(),
    ).rejects.toThrow('source');
    expect(seen).toEqual([1, 2]);
  });
});

describeProcesses('a pool', (pools) => {
  it('whose workers cannot be started says so, and harms nobody when it is destroyed', async () => {
    const module = new URL('../fixtures/pool-edges.js', import.meta.url).href;
    // In a process group of its own: the signals that are looked for would reach all of it.
    const finished = await runProgram(
      `for (let round = 0; round < 20; round += 1) {
         const pool = new zoosync.ZooPool(new URL(args[0]), { workers: 3, cwd: '/no/such/folder' });
         const failure = pool.run('add', [1, 2]).catch((error) => error);
         if (round % 2 === 0) await pool.destroy();
         const { code, cause } = await failure;
         if (round % 2 !== 0) {
           if (code !== 'ERR_ZOO_POOL_BROKEN') console.log(code, cause);
           await pool.destroy();
         }
       }
       console.log('alive');`,
      { args: [module], through: ['setsid', '--wait'] },
    );
    expect(finished).toEqual({ code: 0, signal: null, stdout: 'alive\n', stderr: '' });
  });

  it('replaces a stopped worker that had nothing to do', async () => {
    const pool = pools.open<Edges>('pool-edges.js', { killAfter: 50 });
    await pool.ready();
    const [worker] = pool.workers;
    process.kill(worker?.pid ?? 0, 'SIGSTOP');
    expect(await within(pool.run('add', [1, 2], { timeout: 5000 }), 'the task')).toBe(3);
  });
});

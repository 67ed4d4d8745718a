import { expect, it } from 'vitest';
import { codeOf, failureOf, until, within } from '../support/index.js';
import { collect, describeEachKind, makeGate } from '../support/pools.js';

type Streams = Record<string, (...args: unknown[]) => unknown>;
const module = 'pool-streams.js';

describeEachKind('a stream', (pools) => {
  const shared = pools.share<Streams>(module);

  it.each(['count', 'countSlowly'])('gives what a generator yields, in order: %s', async (name) => {
    const pool = shared();
    const items = await collect(pool.stream(name, [300]));
    expect(items).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect(await collect(pool.stream(name, [0]))).toEqual([]);
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('can be read item by item, several pulls at a time', async () => {
    const pool = shared();
    const stream = pool.stream('count', [4]);
    expect(stream[Symbol.asyncIterator]()).toBe(stream);
    const pulls = Array.from({ length: 6 }, () => stream.next());
    expect((await Promise.all(pulls)).map(({ value, done }) => [value, done === true])).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, false],
      [undefined, true],
      [undefined, true],
    ]);
    expect((await stream.next()).done).toBe(true);
  });

  it('runs only as far ahead as its reader has room', async () => {
    const gate = makeGate();
    const pool = pools.open<Streams>(module, { concurrency: 2 });
    const stream = pool.stream('endless', [gate.directory]);
    expect(await stream.next()).toEqual({ value: 1, done: false });
    let before = -1;
    const ahead = await until(async () => {
      const now = (await pool.run('howManyMade', [])) as number;
      const stays = now === before;
      before = now;
      return stays && now;
    }, 'the generator to wait');
    expect(ahead).toBeLessThan(2000);
    for (let i = 2; i <= ahead + 100; i += 1) expect((await stream.next()).value).toBe(i);
    await stream.return?.();
    await gate.logged('closed');
  });

  it.each(['endless', 'endlessAtOnce'])('is cancelled by `break`: %s', async (name) => {
    const gate = makeGate();
    const pool = shared();
    const seen: unknown[] = [];
    for await (const item of pool.stream(name, [gate.directory])) {
      seen.push(item);
      if (seen.length === 5) break;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    await gate.logged('closed');
    expect(await pool.run('add', [1, 1])).toBe(2);
    expect(pool.stats.running).toBe(0);
  });

  it('that was returned before its first item leaves nothing running', async () => {
    const gate = makeGate();
    const pool = shared();
    const stream = pool.stream('endless', [gate.directory]);
    expect((await stream.return?.())?.done).toBe(true);
    expect((await stream.next()).done).toBe(true);
    expect(await within(pool.run('add', [1, 1]), 'the next task')).toBe(2);
  });

  it('gives what came before an error, then the error', async () => {
    const pool = shared();
    const seen: unknown[] = [];
    const error = await failureOf(async () => {
      for await (const item of pool.stream('failAt', [4])) seen.push(item);
    });
    expect(seen).toEqual([1, 2, 3]);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: 'failed at 4', code: 'E_AT' });
    expect(error.stack).toContain('pool-streams.js');
    expect(await codeOf(collect(pool.stream('failAt', [1])))).toBe('E_AT');
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('of a function that throws fails with that', async () => {
    const pool = shared();
    const error = await failureOf(collect(pool.stream('failAtOnce', [])));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('no generator came of it');
  });

  it('of an unknown name, or of what gives no items, fails', async () => {
    const pool = shared();
    expect(await codeOf(async () => collect(pool.stream('missing', [])))).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    expect((await failureOf(collect(pool.stream('noList', [])))).message).toMatch(/run\(/);
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('cannot be run as a single answer', async () => {
    const pool = shared();
    expect((await failureOf(pool.run('count', [3]))).message).toMatch(/stream/);
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('fails at an item that cannot be sent, and closes its generator', async () => {
    const gate = makeGate();
    const pool = shared();
    const seen: unknown[] = [];
    const error = await failureOf(async () => {
      for await (const item of pool.stream('unsendableAt', [gate.directory, 3])) seen.push(item);
    });
    expect(seen).toEqual([{ i: 1 }, { i: 2 }]);
    expect(error.code).toBe('ERR_ZOO_UNSENDABLE');
    expect(error.message).toContain('.callback');
    await gate.logged('closed');
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('gives large items as copies that stay', async () => {
    const pool = pools.open<Streams>(module, { size: '64KiB' });
    const blocks = (await collect(pool.stream('blocks', [12, 200_000]))) as Uint8Array[];
    expect(blocks.map(({ length }) => length)).toEqual(Array(12).fill(200_000));
    for (const [i, block] of blocks.entries()) {
      expect(Buffer.compare(block, Buffer.alloc(200_000, i + 1))).toBe(0);
    }
    const texts = (await collect(pool.stream('texts', [50, 20_000]))) as string[];
    expect(texts.map((text) => Number.parseFloat(text))).toEqual(texts.map((_, i) => i));
  });

  it('works beside others, each in its worker or several in one', async () => {
    const pool = pools.open<Streams>(module, { workers: 2, concurrency: 2 });
    const all = await Promise.all(
      [100, 50, 25, 10, 5].map((to) => collect(pool.stream('countSlowly', [to]))),
    );
    expect(all.map((items) => items.length)).toEqual([100, 50, 25, 10, 5]);
  });

  it('reports progress too', async () => {
    const pool = shared();
    const seen: unknown[] = [];
    const items = await collect(
      pool.stream('withProgress', [], { onProgress: (value) => seen.push(value) }),
    );
    expect(items).toEqual([1, 2]);
    expect(seen).toEqual(['half']);
  });

  it('rejects when its worker dies, and is not retried after its first item', async () => {
    const gate = makeGate();
    const pool = pools.open<Streams>(module, { retries: 3 });
    const seen: unknown[] = [];
    const error = await failureOf(async () => {
      for await (const item of pool.stream('giveThenDie', [gate.directory])) seen.push(item);
    });
    expect(seen).toEqual([1, 2]);
    expect(error).toMatchObject({ code: 'ERR_ZOO_WORKER_DIED', ...pools.killed, started: true });
    expect(await pool.run('add', [1, 1])).toBe(2);
    expect(gate.log()).toEqual(['attempt 1']);
  });

  it('is retried before its first item, when asked to', async () => {
    const gate = makeGate();
    const pool = pools.open<Streams>(module, { retries: 1 });
    expect(await collect(pool.stream('dieBeforeFirst', [gate.directory]))).toEqual([2]);
    const other = pools.open<Streams>(module);
    expect(await codeOf(collect(other.stream('dieBeforeFirst', [gate.directory])))).toBe(
      'ERR_ZOO_WORKER_DIED',
    );
  });

  it('ends with its signal, in the worker too', async () => {
    const gate = makeGate();
    const pool = shared();
    const controller = new AbortController();
    const stream = pool.stream('untilAborted', [gate.directory], { signal: controller.signal });
    expect((await stream.next()).value).toBe('first');
    const next = stream.next();
    controller.abort('enough');
    expect(await failureOf(next)).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
    await gate.logged('closed');
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('that is aborted between two items fails at the next', async () => {
    const gate = makeGate();
    const pool = shared();
    const controller = new AbortController();
    const error = await failureOf(async () => {
      const { signal } = controller;
      for await (const item of pool.stream('endless', [gate.directory], { signal })) {
        if (item === 3) controller.abort();
      }
    });
    expect(error.code).toBe('ABORT_ERR');
    await gate.logged('closed');
  });

  it('ends at its timeout', async () => {
    const gate = makeGate();
    const pool = shared();
    const stream = pool.stream('untilAborted', [gate.directory], { timeout: 50 });
    expect(await codeOf(collect(stream))).toBe('ERR_ZOO_TIMEOUT');
    await gate.logged('closed');
  });

  it('is finished by close()', async () => {
    const pool = pools.open<Streams>(module);
    const stream = pool.stream('countSlowly', [40]);
    expect((await stream.next()).value).toBe(1);
    const closed = pool.close();
    expect((await collect(stream)).length).toBe(39);
    await within(closed, 'the pool to close');
  });

  it('is cut off by destroy()', async () => {
    const gate = makeGate();
    const pool = pools.open<Streams>(module);
    const stream = pool.stream('untilAborted', [gate.directory]);
    await stream.next();
    const next = stream.next();
    next.catch(() => undefined);
    await within(pool.destroy(), 'the pool to be destroyed');
    expect(await codeOf(next)).toBe('ERR_ZOO_CLOSED');
  });
});

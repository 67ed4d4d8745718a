import { expect, it } from 'vitest';
import { codeOf, failureOf, isPending, turns, until, within } from '../support/index.js';
import { collect, describeEachKind, makeGate } from '../support/pools.js';

/** A source that counts what was taken from it, and knows whether it was closed. */
function source<T>(item: (i: number) => T, length = Infinity) {
  const state = { pulled: 0, closed: false };
  function* items(): Generator<T> {
    try {
      while (state.pulled < length) {
        state.pulled += 1;
        yield item(state.pulled - 1);
      }
    } finally {
      state.closed = true;
    }
  }
  return Object.assign(state, { items });
}

const numbers = (length: number): number[] => Array.from({ length }, (_, i) => i);

describeEachKind('map', (pools) => {
  const shared = pools.share('pool-tasks.js', { workers: 2 });

  it('answers in the order of its items', async () => {
    const pool = shared();
    expect(await pool.map('echo', numbers(200)).toArray()).toEqual(numbers(200));
    expect(await collect(pool.map('echo', numbers(20)))).toEqual(numbers(20));
    expect(await pool.map('echo', []).toArray()).toEqual([]);
    expect(await pool.map('echo', new Set(['a', 'b'])).toArray()).toEqual(['a', 'b']);
  });

  it('takes items that come later', async () => {
    const pool = shared();
    async function* late() {
      for (const i of numbers(20)) {
        await turns(1);
        yield i;
      }
    }
    expect(await pool.map('echo', late()).toArray()).toEqual(numbers(20));
  });

  it.each([1, 2, 4, 50])('gives single items in chunks of %i', async (chunk) => {
    const pool = shared();
    expect(await pool.map('echo', numbers(101), { chunk, concurrency: 8 }).toArray()).toEqual(
      numbers(101),
    );
    const answers = await pool
      .map('echo', numbers(101), { chunk, concurrency: 8, ordered: false })
      .toArray();
    expect(answers.sort((a, b) => Number(a) - Number(b))).toEqual(numbers(101));
  });

  it.each([
    { concurrency: 1 },
    { concurrency: 3 },
    { concurrency: 3, ordered: false },
    { concurrency: 6, chunk: 3 },
    {},
  ])('never pulls more items than that, beyond what it handed over: %o', async (options) => {
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    const most = options.concurrency ?? 4;
    const from = source((i) => i, 60);
    const answers = pool.map('echo', from.items(), options);
    await turns();
    expect(from.pulled).toBeLessThanOrEqual(most);
    let handedOver = 0;
    for await (const _ of answers) {
      handedOver += 1;
      await turns();
      expect(from.pulled - handedOver).toBeLessThanOrEqual(most);
    }
    expect(handedOver).toBe(60);
  });

  it('pulls nothing further while its head is slow', async () => {
    const gate = makeGate();
    const pool = shared();
    const { directory } = gate;
    const from = source((i) => ({ directory, name: `${i}` }), 10);
    const answers = pool.map('holdItem', from.items(), { concurrency: 2 });
    const first = answers.next();
    gate.open('1');
    await gate.logged('start 0', 'end 1');
    await turns(10);
    expect(await isPending(first)).toBe(true);
    expect(from.pulled).toBe(2);
    gate.open();
    expect((await first).value).toBe('0');
    expect(await collect(answers)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  it('without order hands over what is ready, and the slow one when it is', async () => {
    const gate = makeGate();
    const pool = shared();
    const { directory } = gate;
    const from = source((i) => ({ directory, name: `${i}` }), 5);
    for (const name of ['1', '2', '3', '4']) gate.open(name);
    const answers = pool.map('holdItem', from.items(), { ordered: false, concurrency: 2 });
    const seen: unknown[] = [];
    for (let i = 0; i < 4; i += 1) seen.push((await answers.next()).value);
    expect(seen).toEqual(['1', '2', '3', '4']);
    gate.open();
    expect(await collect(answers)).toEqual(['0']);
  });

  it.each([
    [3, 10, 1],
    [3, 10, 2],
    [3, 10, 4],
    [7, 20, 1],
    [7, 20, 2],
    [7, 20, 4],
  ])('fails when its source does: at item %i of %i, in chunks of %i', async (at, length, chunk) => {
    const pool = pools.open();
    const failure = new RangeError('the source failed');
    function* failing() {
      for (const i of numbers(length)) {
        if (i === at) throw failure;
        yield i;
      }
    }
    const seen: unknown[] = [];
    const error = await failureOf(async () => {
      for await (const item of pool.map('echo', failing(), { chunk, concurrency: 4 })) {
        seen.push(item);
      }
    });
    expect(error).toBe(failure);
    expect(seen).toEqual(numbers(seen.length));
    expect(seen.length).toBeLessThanOrEqual(at);
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('fails when one of its tasks does, and closes its source', async () => {
    const pool = shared();
    const from = source((i) => i);
    const seen: unknown[] = [];
    const error = await failureOf(async () => {
      for await (const item of pool.map('failAtItem', from.items())) seen.push(item);
    });
    expect(error).toMatchObject({ name: 'RangeError', message: 'not 5' });
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    await until(() => from.closed, 'the source to be closed');
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('fails at an item that cannot be sent, and closes its source', async () => {
    const pool = shared();
    const from = source((i) => (i === 3 ? { bad: () => 1 } : i));
    const seen: unknown[] = [];
    const error = await failureOf(async () => {
      for await (const item of pool.map('echo', from.items())) seen.push(item);
    });
    expect(error.code).toBe('ERR_ZOO_UNSENDABLE');
    expect(error.message).toContain('.bad');
    expect(seen).toEqual(numbers(seen.length));
    await until(() => from.closed, 'the source to be closed');
  });

  it('stops at `break`, and closes its source', async () => {
    const pool = shared();
    const from = source((i) => i);
    for await (const item of pool.map('echo', from.items(), { concurrency: 4 })) {
      if (item === 10) break;
    }
    expect(from.closed).toBe(true);
    const { pulled } = from;
    expect(pulled).toBeLessThanOrEqual(15);
    expect(await pool.run('add', [1, 1])).toBe(2);
    expect(from.pulled).toBe(pulled);
  });

  it('stops tasks that run or wait at `break`', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { killAfter: 30 });
    const { worker } = await pool.run('whoAmI', []);
    const { directory } = gate;
    const from = source((i) => ({ directory, name: `${i}` }), 10);
    gate.open('0');
    for await (const item of pool.map('holdItem', from.items(), { concurrency: 3 })) {
      expect(item).toBe('0');
      await gate.logged('start 1');
      break;
    }
    // The task that runs does not listen to its signal, so its worker is replaced.
    expect((await within(pool.run('whoAmI', []), 'the next task')).worker).not.toBe(worker);
    expect(gate.log()).toEqual(['start 0', 'end 0', 'start 1']);
  });

  it('ends with its signal', async () => {
    const pool = shared();
    const controller = new AbortController();
    const from = source((i) => i);
    const error = await failureOf(async () => {
      const { signal } = controller;
      for await (const item of pool.map('echo', from.items(), { signal })) {
        if (item === 5) controller.abort('enough');
      }
    });
    expect(error).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
    await until(() => from.closed, 'the source to be closed');
    expect(
      await codeOf(pool.map('echo', numbers(3), { signal: AbortSignal.abort() }).toArray()),
    ).toBe('ABORT_ERR');
  });

  it('survives the death of workers, with retries', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2, retries: 2 });
    const answers = pool.map('echo', numbers(400), { concurrency: 16 }).toArray();
    const dying = pool.run('dieAtFirst', [gate.directory, 2]);
    expect(await answers).toEqual(numbers(400));
    expect(await dying).toBe(3);
  });

  it('waits for room instead of failing when the queue is bounded', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 2, maxQueue: 2 });
    expect(await pool.map('echo', numbers(100), { concurrency: 20 }).toArray()).toEqual(
      numbers(100),
    );
  });

  it.each([
    [{ concurrency: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ concurrency: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ chunk: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ ordered: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
    [{ order: true }, 'ERR_INVALID_ARG_VALUE'],
  ])('refuses the options %o', async (options, code) => {
    const pool = pools.open('pool-tasks.js', { workers: { min: 0, max: 1 } });
    expect(await codeOf(() => pool.map('echo', [1], options as never).toArray())).toBe(code);
  });

  it('refuses what is no source of items', async () => {
    const pool = pools.open('pool-tasks.js', { workers: { min: 0, max: 1 } });
    expect(await codeOf(() => pool.map('echo', 7 as never).toArray())).toBe('ERR_INVALID_ARG_TYPE');
  });
});

import { expect, it } from 'vitest';
import { codeOf, failureOf, thrownBy, until, within } from '../support/index.js';
import { describeEachKind, makeGate, type Gate } from '../support/pools.js';

type Hooked = Record<string, (...args: unknown[]) => unknown>;
const module = 'pool-setup.js';

interface State {
  isReady: boolean;
  given: Record<string, unknown>;
  heard: unknown[];
  worker: number;
}

const count = (gate: Gate, word: string): number =>
  gate.log().filter((line) => line.startsWith(word)).length;

describeEachKind('setup and teardown', (pools) => {
  it('run once in each worker, setup before its first task, teardown after its last', async () => {
    const gate = makeGate();
    const { directory } = gate;
    const pool = pools.open<Hooked>(module, { workers: 2, data: { directory } });
    await pool.ready();
    expect(count(gate, 'setup')).toBe(2);
    const states = (await Promise.all(
      Array.from({ length: 20 }, () => pool.run('state', [])),
    )) as State[];
    expect(states.every(({ isReady }) => isReady)).toBe(true);
    expect(count(gate, 'teardown')).toBe(0);
    await pool.close();
    expect(count(gate, 'teardown')).toBe(2);
    expect(count(gate, 'setup')).toBe(2);
  });

  it('take data of any kind, also large arrays', async () => {
    const { directory } = makeGate();
    const table = new Float64Array(50_000).fill(0.5);
    const data = { directory, map: new Map([['a', { when: new Date(5) }]]), table };
    const pool = pools.open<Hooked>(module, { data });
    const { given } = (await pool.run('state', [])) as State;
    expect(given).toStrictEqual(data);
    expect(await pool.run('sumOfTable', [])).toBe(25_000);
    table.fill(9);
    expect(await pool.run('sumOfTable', [])).toBe(25_000);
  });

  it('give data to workers that are born later, as it was', async () => {
    const { directory } = makeGate();
    const table = new Float64Array(20_000).fill(1);
    const pool = pools.open<Hooked>(module, { data: { directory, table } });
    await pool.ready();
    table.fill(2);
    expect(await codeOf(pool.run('die', ['kill']))).toBe('ERR_ZOO_WORKER_DIED');
    expect(await pool.run('sumOfTable', [])).toBe(20_000);
  });

  it('refuse data that cannot be sent when the pool is made', () => {
    const error = thrownBy(() =>
      pools.open<Hooked>(module, { data: { list: [1, { callback: () => 1 }] } }),
    );
    expect(error.code).toBe('ERR_ZOO_UNSENDABLE');
    expect(error.message).toContain('.list[1].callback');
  });

  it('are no tasks', async () => {
    const { directory } = makeGate();
    const pool = pools.open<Hooked>(module, { data: { directory } });
    expect(await codeOf(async () => pool.run('setup', [{}]))).toBe('ERR_INVALID_ARG_VALUE');
    expect(await codeOf(async () => pool.run('teardown', []))).toBe('ERR_INVALID_ARG_VALUE');
  });

  it('break the pool when setup fails every time, with its error as the cause', async () => {
    const gate = makeGate();
    const { directory } = gate;
    const pool = pools.open<Hooked>(module, { data: { directory, failure: 'no model' } });
    const error = await failureOf(pool.run('state', []));
    expect(error.code).toBe('ERR_ZOO_POOL_BROKEN');
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(error.cause).toMatchObject({ message: 'no model', code: 'E_SETUP' });
    expect(count(gate, 'setup')).toBe(5);
  });

  it('end the pool all the same when teardown fails', async () => {
    const gate = makeGate();
    const { directory } = gate;
    const pool = pools.open<Hooked>(module, { data: { directory, failsAtTheEnd: true } });
    await pool.run('add', [1, 1]);
    await within(pool.close(), 'the pool to close');
    expect(count(gate, 'teardown')).toBe(1);
  });

  it('leave teardown out when a worker is killed', async () => {
    const gate = makeGate();
    const { directory } = gate;
    const pool = pools.open<Hooked>(module, { data: { directory } });
    await pool.ready();
    await pool.destroy();
    expect(count(gate, 'teardown')).toBe(0);
  });

  it('run teardown in a worker that is idle for too long', async () => {
    const gate = makeGate();
    const { directory } = gate;
    const pool = pools.open<Hooked>(module, {
      workers: { min: 0, max: 1 },
      idleTimeout: 30,
      data: { directory },
    });
    expect(await pool.run('add', [1, 1])).toBe(2);
    await until(() => count(gate, 'teardown') === 1, 'the teardown');
    expect(await pool.run('add', [2, 2])).toBe(4);
    expect(count(gate, 'setup')).toBe(2);
  });
});

describeEachKind('broadcast', (pools) => {
  const heardIn = async (pool: ReturnType<typeof pools.open<Hooked>>, workers: number) => {
    const found = new Map<number, unknown[]>();
    await until(async () => {
      const states = (await Promise.all(
        Array.from({ length: workers * 2 }, () => pool.run('state', [])),
      )) as State[];
      for (const { worker, heard } of states) found.set(worker, heard);
      return found.size >= workers;
    }, 'an answer of each worker');
    return [...found.values()];
  };

  it('runs once in every worker, in the order of the calls', async () => {
    const { directory } = makeGate();
    const pool = pools.open<Hooked>(module, { workers: 2, data: { directory } });
    await pool.ready();
    expect(await pool.broadcast('hear', ['a'])).toBeUndefined();
    await Promise.all([pool.broadcast('hear', ['b']), pool.broadcast('hear', [{ c: 1 }])]);
    expect(await heardIn(pool, 2)).toEqual([
      ['a', 'b', { c: 1 }],
      ['a', 'b', { c: 1 }],
    ]);
  });

  it('runs in workers born later too, before their first task', async () => {
    const { directory } = makeGate();
    const pool = pools.open<Hooked>(module, { data: { directory } });
    await pool.ready();
    await pool.broadcast('hear', ['a']);
    await pool.broadcast('hear', ['b']);
    await pool.resize(2);
    expect(await heardIn(pool, 2)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(await codeOf(pool.run('die', ['kill']))).toBe('ERR_ZOO_WORKER_DIED');
    await pool.broadcast('hear', ['c']);
    expect(await heardIn(pool, 2)).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
  });

  it('waits for nobody when there is no worker, and is heard when one comes', async () => {
    const { directory } = makeGate();
    const pool = pools.open<Hooked>(module, { workers: { min: 0, max: 1 }, data: { directory } });
    await within(pool.broadcast('hear', ['early']), 'the broadcast');
    expect(((await pool.run('state', [])) as State).heard).toEqual(['early']);
  });

  it('reaches a busy worker when its task has ended', async () => {
    const gate = makeGate();
    const { directory } = gate;
    const pool = pools.open<Hooked>(module, { data: { directory } });
    const held = pool.run('hold', [directory, 'a']);
    await gate.logged('start a');
    const told = pool.broadcast('hear', ['late']);
    const state = pool.run('state', []);
    gate.open();
    await within(told, 'the broadcast');
    expect(await held).toBe('a');
    expect(((await state) as State).heard).toEqual(['late']);
  });

  it('fails with what the task throws, and the workers stay', async () => {
    const { directory } = makeGate();
    const pool = pools.open<Hooked>(module, { workers: 2, data: { directory } });
    await pool.ready();
    const workers = pool.workers.map(({ id }) => id);
    const error = await failureOf(pool.broadcast('hearBadly', ['this']));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('cannot hear this');
    expect(await pool.run('add', [1, 1])).toBe(2);
    expect(pool.workers.map(({ id }) => id)).toEqual(workers);
  });

  it('refuses what cannot be sent, and what is not there', async () => {
    const { directory } = makeGate();
    const pool = pools.open<Hooked>(module, { data: { directory } });
    await pool.ready();
    expect(await codeOf(() => pool.broadcast('hear', [() => 1]))).toBe('ERR_ZOO_UNSENDABLE');
    expect(await codeOf(() => pool.broadcast('missing', []))).toBe('ERR_INVALID_ARG_VALUE');
    expect(((await pool.run('state', [])) as State).heard).toEqual([]);
  });

  it('settles when a worker dies of it or before it', async () => {
    const { directory } = makeGate();
    const pool = pools.open<Hooked>(module, { workers: 2, data: { directory } });
    await pool.ready();
    const [first] = pool.workers;
    const told = pool.broadcast('hear', ['a']);
    const dying = pool.run('die', ['kill']).catch((error: { code: string }) => error.code);
    await within(
      told.catch(() => undefined),
      'the broadcast',
    );
    expect(await dying).toBe('ERR_ZOO_WORKER_DIED');
    expect(first).toBeDefined();
    expect(await heardIn(pool, 2)).toEqual([['a'], ['a']]);
  });
});

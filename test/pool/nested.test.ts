import { ZooPool } from 'zoosync';
import { expect, it } from 'vitest';
import { within } from '../support/index.js';
import { describeEachKind, makeGate, untilDead, type Kind } from '../support/pools.js';

type Nested = Record<string, (...args: unknown[]) => unknown>;
const kinds: Kind[] = ['process', 'thread'];
const pairs = [
  [1, 2],
  [3, 4],
  [5, 6],
];

describeEachKind('a pool inside a worker', (pools) => {
  it.each(kinds)('of kind %s works, several times', async (kind) => {
    const pool = pools.open<Nested>('pool-nested.js');
    expect(await within(pool.run('sum', [kind, pairs]), 'the inner pool')).toEqual([3, 7, 11]);
    expect(await within(pool.run('sum', [kind, pairs]), 'the inner pool')).toEqual([3, 7, 11]);
    await within(pool.close(), 'the outer pool to close');
  });

  it('and inside that one works too', async () => {
    const pool = pools.open<Nested>('pool-nested.js');
    expect(await within(pool.run('deeper', [pools.kind, 2]), 'the inner pools')).toBe(2);
  });

  it('ends with the outer worker, however that ends', async () => {
    const gate = makeGate();
    const pool = pools.open<Nested>('pool-nested.js');
    const inner = (await pool.run('leaveOpen', ['process', gate.directory])) as number;
    await gate.logged('start inner');
    await within(pool.destroy(), 'the outer pool');
    await untilDead(inner);
  });
});

it('a pool in the program that imports its own tasks has no effect on them', async () => {
  await using pool = new ZooPool(new URL('../fixtures/pool-tasks.js', import.meta.url), {
    kind: 'thread',
    workers: 1,
  });
  const { add, task } = await import('../fixtures/pool-tasks.js').then(async (module) => ({
    add: module.add,
    ...((await import(new URL('../../dist/pool/worker.js', import.meta.url).href)) as {
      task: { id: number };
    }),
  }));
  expect(add(1, 2)).toBe(3);
  // There is no task here, and asking for it says so.
  expect(() => task.id).toThrow();
  expect(await pool.run('add', [1, 2])).toBe(3);
});

import type { ZooPool } from 'zoosync';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { failureOf } from '../support/index.js';
import { describeEachKind } from '../support/pools.js';

type Tasks = Record<string, (...args: unknown[]) => unknown>;

describeEachKind('what a task throws', (pools) => {
  const shared = pools.share<Tasks>('pool-errors.js');
  let pool: ZooPool<Tasks>;
  let worker: number | undefined;

  beforeAll(async () => {
    pool = shared();
    await pool.run('alive', []);
    worker = pool.workers[0]?.id;
  });
  afterEach(() => {
    // No error, however strange, has cost the worker its life.
    expect(pool.workers.map(({ id }) => id)).toEqual([worker]);
  });

  it.each(['fail', 'failLater'])(
    'arrives with class, name, message and stack: %s',
    async (name) => {
      const error = await failureOf(pool.run(name, ['typed']));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.name).toBe('TypeError');
      expect(error.message).toBe('typed');
      expect(error.stack).toMatch(/^TypeError: typed\n/);
      expect(error.stack).toContain('pool-errors.js');
    },
  );

  it('keeps the name of an own class, on the built-in class below it', async () => {
    const error = await failureOf(pool.run('fail', ['custom']));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ name: 'ValidationError', message: 'too old', field: 'age' });
  });

  it('keeps code and own properties', async () => {
    const error = await failureOf(pool.run('fail', ['coded']));
    expect(error).toMatchObject({
      code: 'E_CODED',
      details: { list: [1, { deep: true }], when: new Date(0) },
    });
    expect([...(error.bytes ?? [])]).toEqual([1, 2, 3]);
  });

  it('keeps the whole chain of causes', async () => {
    const error = await failureOf(pool.run('fail', ['caused']));
    const middle = error.cause as Error;
    const bottom = middle.cause as Error;
    expect(middle).toBeInstanceOf(TypeError);
    expect(middle).toMatchObject({ message: 'middle', code: 'E_MIDDLE' });
    expect(middle.stack).toContain('pool-errors.js');
    expect(bottom).toBeInstanceOf(RangeError);
    expect(bottom.message).toBe('bottom');
  });

  it('keeps the errors of an AggregateError', async () => {
    const error = (await failureOf(pool.run('fail', ['aggregate']))) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.message).toBe('several');
    const [first, second, third] = error.errors as [Error, Error, string];
    expect(first).toBeInstanceOf(TypeError);
    expect(first.message).toBe('first');
    expect(second).toMatchObject({ message: 'second', code: 'E_SECOND' });
    expect(third).toBe('third');
  });

  it('may be frozen', async () => {
    const error = await failureOf(pool.run('fail', ['frozen']));
    expect(error).toMatchObject({ message: 'frozen', code: 'E_FROZEN' });
    expect(error.stack).toContain('pool-errors.js');
  });

  it('may lead back to itself', async () => {
    const error = (await failureOf(pool.run('fail', ['circular']))) as Error & { self: unknown };
    expect(error.message).toBe('circular');
    expect(error.self).toBe(error);
  });

  it('may carry what cannot be sent: the rest arrives', async () => {
    const error = await failureOf(pool.run('fail', ['unsendable']));
    expect(error).toMatchObject({ message: 'carries a function', kept: 1 });
  });

  it('may be without a stack', async () => {
    const error = await failureOf(pool.run('fail', ['without stack']));
    expect(error.message).toBe('no stack');
  });

  it('may have a getter that throws: the task still fails', async () => {
    const error = await failureOf(pool.run('fail', ['getter']));
    expect(error).toBeInstanceOf(Error);
    expect(await pool.run('alive', [])).toBe('alive');
  });

  it('may be a DOMException', async () => {
    const error = await failureOf(pool.run('fail', ['domException']));
    expect(error).toMatchObject({ name: 'DataCloneError', message: 'from the DOM' });
  });

  it.each<[string, unknown]>([
    ['a text', 'just text'],
    ['a number', 42],
    ['null', null],
    ['an object', { reason: { deep: [1] } }],
    ['a date', new Date(1)],
  ])('and is no error arrives as it is: %s', async (_, value) => {
    const caught = await pool.run('throwValue', [value]).then(
      () => 'an answer',
      (thrown: unknown) => ({ thrown }),
    );
    expect(caught).toEqual({ thrown: value });
  });

  it('may be undefined', async () => {
    const caught = await pool.run('throwNothing', []).then(
      () => 'an answer',
      (thrown: unknown) => ({ thrown }),
    );
    expect(caught).toEqual({ thrown: undefined });
  });

  it('may be something that cannot be sent: the task still fails', async () => {
    const caught = await pool.run('throwFunction', []).then(
      () => 'an answer',
      () => 'a failure',
    );
    expect(caught).toBe('a failure');
    expect(await pool.run('alive', [])).toBe('alive');
  });

  it('is counted', async () => {
    const { failed, done } = pool.stats;
    await failureOf(pool.run('fail', ['plain']));
    await pool.run('alive', []);
    expect(pool.stats).toMatchObject({ failed: failed + 1, done: done + 1 });
  });

  it('never makes it run again', async () => {
    const seen: unknown[] = [];
    pool.on('retry', (event) => seen.push(event));
    await failureOf(pool.run('fail', ['plain'], { retries: 3 }));
    expect(seen).toEqual([]);
  });

  it('is only its own failure, among many', async () => {
    const calls = Array.from({ length: 100 }, (_, i) =>
      (i % 3 === 0 ? pool.run('throwValue', [i]) : pool.run('alive', [])).catch(
        (thrown: unknown) => thrown,
      ),
    );
    expect(await Promise.all(calls)).toEqual(calls.map((_, i) => (i % 3 === 0 ? i : 'alive')));
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ZooPool } from 'zoosync';
import { expect, it } from 'vitest';
import { afterThisTest, codeOf, failureOf, turns, within } from '../support/index.js';
import { describeEachKind, fixture, makeGate, type Gate } from '../support/pools.js';

type Tasks = Record<string, (...args: unknown[]) => unknown>;

function imports(gate: Gate): number {
  return readFileSync(join(gate.directory, 'log'), 'utf8').split('\n').length - 1;
}

const environment = (gate: Gate, more: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  POOL_TEST_LOG: join(gate.directory, 'log'),
  ...more,
});

describeEachKind('a worker module', (pools) => {
  it('that throws when it is imported breaks the pool after five tries, until the next call', async () => {
    const gate = makeGate();
    const env = environment(gate, { POOL_TEST_FAILURES: '5' });
    const pool = pools.open<Tasks>('pool-throws.js', { env });
    const calls = [
      pool.run('add', [1, 1]),
      pool.run('add', [2, 2]),
      pool.ready(),
      pool.stream('add', []).next(),
      pool.map('add', [1, 2]).toArray(),
    ].map((call) => within(failureOf(call), 'the failure'));
    for (const error of await Promise.all(calls)) {
      expect(error.code).toBe('ERR_ZOO_POOL_BROKEN');
      expect(error.cause).toBeInstanceOf(RangeError);
      expect(error.cause).toMatchObject({ message: 'not today', code: 'E_NOT_TODAY' });
      expect((error.cause as Error).stack).toContain('pool-throws.js');
    }
    expect(imports(gate)).toBe(5);
    await turns(20);
    expect(imports(gate)).toBe(5);
    expect(pool.workers).toEqual([]);
    // The module was mended meanwhile.
    expect(await pool.run('add', [2, 2])).toBe(4);
    expect(imports(gate)).toBe(6);
  });

  it('that ends its process when it is imported breaks the pool too', async () => {
    const gate = makeGate();
    const env = environment(gate, { POOL_TEST_HOW: 'exit' });
    const pool = pools.open<Tasks>('pool-throws.js', { env });
    const error = await failureOf(pool.run('add', [1, 1]));
    expect(error.code).toBe('ERR_ZOO_POOL_BROKEN');
    expect(String((error.cause as Error).message)).toMatch(/\b3\b/);
    expect(imports(gate)).toBe(5);
  });

  it('that can be imported at last is used: a few deaths are no end', async () => {
    const gate = makeGate();
    const env = environment(gate, { POOL_TEST_FAILURES: '3' });
    const pool = pools.open<Tasks>('pool-throws.js', { env });
    expect(await pool.run('add', [1, 1])).toBe(2);
    expect(imports(gate)).toBe(4);
  });

  it('that is not there breaks the pool, and the error names it', async () => {
    const pool = new ZooPool<Tasks>(fixture('pool-no-such-module.js'), {
      kind: pools.kind,
      workers: { min: 0, max: 1 },
    });
    afterThisTest(() => pool.destroy());
    const error = await failureOf(pool.run('add', [1, 1]));
    expect(error.code).toBe('ERR_ZOO_POOL_BROKEN');
    expect(error.cause).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
    expect((error.cause as Error).message).toContain('pool-no-such-module.js');
  });

  it('that is broken does not keep close() waiting, or hide behind it', async () => {
    const gate = makeGate();
    const pool = pools.open<Tasks>('pool-throws.js', { env: environment(gate) });
    const call = codeOf(pool.run('add', [1, 1]));
    const told = pool.broadcast('add', [1]).catch(() => undefined);
    await within(pool.close(), 'the pool to close');
    await within(told, 'the broadcast to settle');
    expect(['ERR_ZOO_POOL_BROKEN', 'ERR_ZOO_CLOSED']).toContain(await call);
  });
});

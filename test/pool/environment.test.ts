import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { ZooPool } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { until, within } from '../support/index.js';
import { describeEachKind, fixture } from '../support/pools.js';

type Anything = Record<string, (...args: unknown[]) => unknown>;

describeEachKind('the event loop of a worker', (pools) => {
  it('runs timers between tasks', async () => {
    const pool = pools.open<Anything>('pool-environment.js');
    await pool.run('startClock', []);
    const first = (await pool.run('readClock', [])) as number;
    await until(async () => ((await pool.run('readClock', [])) as number) > first + 5, 'the clock');
    await pool.run('stopClock', []);
  });

  it('serves sockets between tasks, while the pool has nothing to do', async () => {
    const pool = pools.open<Anything>('pool-environment.js');
    const port = (await pool.run('listen', [])) as number;
    expect(await within(text(connect(port, '127.0.0.1')), 'the socket')).toBe('from the worker');
    expect(await within(text(connect(port, '127.0.0.1')), 'the socket')).toBe('from the worker');
    await pool.run('stopListening', []);
  });

  it('keeps nobody waiting at the end: open timers and sockets do not hold up close()', async () => {
    const pool = pools.open<Anything>('pool-environment.js');
    await pool.run('startClock', []);
    await pool.run('listen', []);
    await within(pool.close(), 'the pool to close');
  });

  it('keeps turning under a steady stream of short tasks', async () => {
    const pool = pools.open<Anything>('pool-environment.js');
    await pool.run('startClock', []);
    let ended = false;
    const pump = async (): Promise<void> => {
      while (!ended) await Promise.all(Array.from({ length: 50 }, () => pool.run('add', [1, 1])));
    };
    const pumping = pump();
    const first = (await pool.run('readClock', [])) as number;
    await until(async () => ((await pool.run('readClock', [])) as number) > first + 5, 'the clock');
    ended = true;
    await pumping;
  });
});

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const stripsTypes = major > 22 || (major === 22 && minor >= 18);

describe.skipIf(!stripsTypes)('a worker module in TypeScript', () => {
  it.each(['process', 'thread'] as const)('runs in a %s', async (kind) => {
    await using pool = new ZooPool(fixture('pool-typescript.ts'), { kind, workers: 1 });
    expect(await pool.run('add', [1, 2])).toBe(3);
  });
});

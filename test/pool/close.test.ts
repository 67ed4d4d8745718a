import { ZooPool } from 'zoosync';
import { expect, it } from 'vitest';
import { codeOf, failureOf, isPending, runProgram, within } from '../support/index.js';
import {
  describeEachKind,
  fixture,
  isDead,
  makeGate,
  untilDead,
  type Tasks,
} from '../support/pools.js';

describeEachKind('close()', (pools) => {
  it('finishes everything accepted, in all workers, however unequal', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    await pool.ready();
    const pids = pool.workers.map(({ pid }) => pid);
    const long = pool.run('hold', [gate.directory, 'long']);
    const short = pool.run('pause', [5]);
    const waiting = Array.from({ length: 20 }, (_, i) => pool.run('add', [i, 1]));
    await gate.logged('start long');
    const closed = pool.close();
    expect(await short).toBe(5);
    expect(await Promise.all(waiting)).toEqual(waiting.map((_, i) => i + 1));
    expect(await isPending(closed)).toBe(true);
    expect(await isPending(long)).toBe(true);
    gate.open();
    expect(await long).toBe('long');
    await within(closed, 'the pool to close');
    expect(pool.workers).toEqual([]);
    if (pools.kind === 'process') expect(pids.every(isDead)).toBe(true);
  });

  it('refuses what comes later', async () => {
    const gate = makeGate();
    const pool = pools.open();
    const held = pool.run('hold', [gate.directory, 'a']);
    await gate.logged('start a');
    const closed = pool.close();
    const all = async (): Promise<(string | undefined)[]> => [
      await codeOf(() => pool.run('add', [1, 1])),
      await codeOf(() => pool.call.add(1, 1)),
      await codeOf(async () => pool.task('add')(1)),
      await codeOf(async () => pool.stream('add' as never, [] as never).next()),
      await codeOf(async () => pool.map('echo', [1]).toArray()),
      await codeOf(() => pool.broadcast('add', [1, 1])),
      await codeOf(() => pool.resize(2)),
    ];
    expect(await all()).toEqual(Array(7).fill('ERR_ZOO_CLOSED'));
    gate.open();
    expect(await held).toBe('a');
    await closed;
    expect(await all()).toEqual(Array(7).fill('ERR_ZOO_CLOSED'));
  });

  it('can be called again, and settles each time', async () => {
    const pool = pools.open();
    expect(await pool.run('add', [1, 1])).toBe(2);
    await within(Promise.all([pool.close(), pool.close(), pool.close()]), 'all to close');
    await within(pool.close(), 'once more');
    await within(pool.destroy(), 'and to destroy');
  });

  it('ends a pool that never did anything', async () => {
    const fixed = pools.open('pool-tasks.js', { workers: 2 });
    await within(fixed.close(), 'workers that were still starting');
    const idle = pools.open('pool-tasks.js', { workers: { min: 0, max: 2 } });
    await within(idle.close(), 'a pool without workers');
  });

  it('runs what waits for workers that are still starting', async () => {
    const pool = pools.open('pool-tasks.js', { workers: { min: 0, max: 1 } });
    const calls = Array.from({ length: 10 }, (_, i) => pool.run('add', [i, 1]));
    await within(pool.close(), 'the pool to close');
    expect(await Promise.all(calls)).toEqual(calls.map((_, i) => i + 1));
  });

  it('gives up after its timeout: then tasks reject, and workers are killed', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js');
    await pool.ready();
    const pids = pool.workers.map(({ pid }) => pid);
    const calls = [
      pool.run('stuck', [gate.directory, 'a']),
      pool.run('note', [gate.directory, 'never']),
    ].map((call) => codeOf(call));
    await gate.logged('start a');
    await within(pool.close({ timeout: 50 }), 'the pool to close');
    expect(await Promise.all(calls)).toEqual(['ERR_ZOO_CLOSED', 'ERR_ZOO_CLOSED']);
    expect(gate.log()).toEqual(['start a']);
    if (pools.kind === 'process') await untilDead(...pids);
  });

  it('with time enough is an ordinary close', async () => {
    const pool = pools.open();
    const call = pool.run('pause', [10]);
    await within(pool.close({ timeout: 30_000 }), 'the pool to close');
    expect(await call).toBe(10);
  });

  it('is what `await using` does', async () => {
    let call: Promise<number> | undefined;
    let outside: ZooPool<Tasks> | undefined;
    {
      await using pool = new ZooPool<Tasks>(fixture('pool-tasks.js'), {
        kind: pools.kind,
        workers: 1,
      });
      outside = pool;
      call = pool.run('pause', [10]);
    }
    expect(await call).toBe(10);
    expect(await codeOf(() => outside?.run('add', [1, 1]))).toBe('ERR_ZOO_CLOSED');
  });

  it('while workers end because they are idle is done once', async () => {
    for (const idleTimeout of [0, 2]) {
      const pool = pools.open('pool-tasks.js', { workers: { min: 0, max: 2 }, idleTimeout });
      await Promise.all([pool.run('add', [1, 1]), pool.run('add', [2, 2])]);
      await within(pool.close(), 'the pool to close');
      expect(pool.workers).toEqual([]);
    }
  });

  it('finishes although a worker is killed just then', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js');
    const running = pool.run('hold', [gate.directory, 'a']);
    await gate.logged('start a');
    const waiting = Array.from({ length: 10 }, (_, i) => pool.run('add', [i, 1]));
    const [worker] = pool.workers;
    if (worker === undefined) throw new Error('there is no worker');
    pools.kill(worker);
    const closed = pool.close();
    expect(await failureOf(running)).toMatchObject({
      code: 'ERR_ZOO_WORKER_DIED',
      ...pools.killed,
    });
    expect(await Promise.all(waiting)).toEqual(waiting.map((_, i) => i + 1));
    await within(closed, 'the pool to close');
  });

  it('finishes although an idle worker is killed just then', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    await Promise.all([pool.run('whoAmI', []), pool.run('whoAmI', []), pool.ready()]);
    const [worker] = pool.workers;
    if (worker === undefined) throw new Error('there is no worker');
    pools.kill(worker);
    await within(pool.close(), 'the pool to close');
  });
});

describeEachKind('destroy()', (pools) => {
  it('rejects everything and kills the workers', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2, retries: 3 });
    await pool.ready();
    const pids = pool.workers.map(({ pid }) => pid);
    const calls = [
      pool.run('stuck', [gate.directory, 'a']),
      pool.run('hold', [gate.directory, 'b']),
      ...Array.from({ length: 20 }, (_, i) => pool.run('note', [gate.directory, `${i}`])),
    ].map((call) => failureOf(call));
    await gate.logged('start a', 'start b');
    const reason = new RangeError('the user left');
    await within(pool.destroy(reason), 'the pool to be destroyed');
    for (const error of await Promise.all(calls)) {
      expect(error.code).toBe('ERR_ZOO_CLOSED');
      expect(error.cause).toBe(reason);
    }
    expect(pool.workers).toEqual([]);
    expect(gate.log().sort()).toEqual(['start a', 'start b']);
    if (pools.kind === 'process') await untilDead(...pids);
    expect(await codeOf(() => pool.run('add', [1, 1]))).toBe('ERR_ZOO_CLOSED');
  });

  it('rejects at once, also while workers are starting, and ready() with it', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    const waiting = codeOf(pool.run('add', [1, 1]));
    const ready = codeOf(pool.ready());
    await within(pool.destroy(), 'the pool to be destroyed');
    expect(await waiting).toBe('ERR_ZOO_CLOSED');
    expect(await ready).toBe('ERR_ZOO_CLOSED');
  });

  it('cuts close() short', async () => {
    const gate = makeGate();
    const pool = pools.open();
    const call = codeOf(pool.run('stuck', [gate.directory, 'a']));
    await gate.logged('start a');
    const closed = pool.close();
    await within(pool.destroy(), 'the pool to be destroyed');
    await within(closed, 'the pool to close');
    expect(await call).toBe('ERR_ZOO_CLOSED');
  });

  it('ends calls that wait for room', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { maxQueue: 1, overflow: 'wait' });
    const calls = ['a', 'b', 'c', 'd'].map((name) =>
      codeOf(pool.run('hold', [gate.directory, name])),
    );
    await gate.logged('start a');
    await pool.destroy();
    expect(await Promise.all(calls)).toEqual(Array(4).fill('ERR_ZOO_CLOSED'));
  });
});

describeEachKind('a program', (pools) => {
  const open = `const pool = new zoosync.ZooPool(args[0], { kind: args[1], workers: 2 });`;
  const args = [fixture('pool-tasks.js').href, pools.kind];

  it('ends by itself with an idle pool open, and its workers with it', async () => {
    const finished = await runProgram(
      `${open}
       await pool.ready();
       console.log(await pool.run('add', [1, 2]));
       console.log(JSON.stringify(pool.workers.map(({ pid }) => pid)));`,
      { args },
    );
    expect(finished).toMatchObject({ code: 0, signal: null, stderr: '' });
    const [sum, pids = '[]'] = finished.stdout.split('\n');
    expect(sum).toBe('3');
    if (pools.kind === 'process') await untilDead(...(JSON.parse(pids) as number[]));
  });

  it('is kept alive by a task that runs', async () => {
    const finished = await runProgram(
      `${open}
       void pool.run('pause', [150]).then((time) => console.log('after', time));`,
      { args },
    );
    expect(finished).toMatchObject({ code: 0, stdout: 'after 150\n', stderr: '' });
  });

  it('sees a rejected call as any other promise, and no event that it has to handle', async () => {
    const finished = await runProgram(
      `${open}
       pool.run('die', ['exit 7']).catch((error) => console.log(error.name, error.exitCode));
       process.on('unhandledRejection', (error) => console.log('unhandled', error));
       process.on('uncaughtException', (error) => console.log('uncaught', error));
       await pool.run('pause', [50]);
       await pool.close();`,
      { args },
    );
    expect(finished).toMatchObject({ code: 0, stdout: 'WorkerDied 7\n', stderr: '' });
  });
});

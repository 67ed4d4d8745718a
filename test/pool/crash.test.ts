import { setTimeout as sleep } from 'node:timers/promises';
import type { ZooPool } from 'zoosync';
import { describe, expect, it } from 'vitest';
import type { End } from '../fixtures/pool-tasks.js';
import { codeOf, failureOf, isPending, until, within, type CaughtError } from '../support/index.js';
import {
  describeEachKind,
  describeProcesses,
  fixture,
  host,
  makeGate,
  untilDead,
  type Pools,
  type Tasks,
} from '../support/pools.js';

type Crashing = Record<string, (...args: unknown[]) => unknown>;
type Call = (pool: ZooPool<Crashing>) => Promise<unknown>;

/** The two ways to call: plainly, and while another task settles. */
const ways: [string, (pool: ZooPool<Crashing>, call: Call) => Promise<unknown>][] = [
  ['plainly', (pool, call) => call(pool)],
  [
    'from the settling callback of another task',
    (pool, call) => pool.run('add', [1, 1]).then(() => call(pool)),
  ],
];

interface Died {
  exitCode?: number;
  signal?: NodeJS.Signals;
}

/** What goes wrong where, and what becomes of the task: a death, or the thrown error. */
const cases: [string, Call, Died | 'throws', 'process'?][] = [
  [
    'arguments are encoded: a getter throws an error',
    async (pool) =>
      pool.run('take', [
        {
          get trap() {
            throw new RangeError('boom');
          },
        },
      ]),
    'throws',
  ],
  [
    'arguments are encoded: the codec throws what is no error',
    async (pool) => pool.run('take', [{ bomb: 'encode in parent: throw a string', host }]),
    'throws',
  ],
  ...bombs('arguments are decoded', 'decode in worker', (bomb) => [
    'take',
    [{ bomb, host }] as unknown[],
  ]),
  ...ends(),
  ...bombs('the result is encoded', 'encode in worker', (bomb) => ['give', [bomb, host]]),
  [
    'the result is decoded: the codec throws an error',
    (pool) => pool.run('give', ['decode in parent: throw', host]),
    'throws',
  ],
  [
    'the result is decoded: the codec throws what is no error',
    (pool) => pool.run('give', ['decode in parent: throw a string', host]),
    'throws',
  ],
];

function bombs(
  where: string,
  at: string,
  call: (bomb: string) => [string, unknown[]],
): [string, Call, Died | 'throws', 'process'?][] {
  const run =
    (how: string): Call =>
    (pool) =>
      pool.run(...call(`${at}: ${how}`));
  return [
    [`${where}: process.exit()`, run('exit'), { exitCode: 0 }],
    [`${where}: exit from C`, run('exit from C'), { exitCode: 0 }],
    [`${where}: the codec throws`, run('throw'), 'throws'],
    [`${where}: segmentation fault`, run('segmentation fault'), { signal: 'SIGSEGV' }, 'process'],
  ];
}

function ends(): [string, Call, Died | 'throws', 'process'?][] {
  const run =
    (how: string): Call =>
    (pool) =>
      pool.run('end', [how]);
  return [
    ['in the task: process.exit()', run('exit'), { exitCode: 0 }],
    ['in the task: exit from C', run('exit from C'), { exitCode: 0 }],
    ['in the task: it throws', run('throw'), 'throws'],
    [
      'in the task: segmentation fault',
      run('segmentation fault'),
      { signal: 'SIGSEGV' },
      'process',
    ],
  ];
}

/** What was thrown, or the reason behind it, speaks of the bomb. */
function speaksOfBoom(thrown: unknown): boolean {
  for (let link = thrown; link !== undefined; link = (link as Error).cause) {
    if (/boom/.test(link instanceof Error ? link.message : String(link))) return true;
    if (!(link instanceof Error)) return false;
  }
  return false;
}

describeEachKind('a crash', (pools) => {
  const shared = pools.share<Crashing>('pool-crash.js', {
    codec: { module: fixture('pool-codec.js') },
  });

  describe.each(ways)('called %s', (_, way) => {
    for (const [what, call, outcome, only] of cases) {
      it.skipIf(only !== undefined && only !== pools.kind)(`when ${what}`, async () => {
        const pool = shared();
        expect(await pool.run('add', [1, 2])).toBe(3);
        const before = pool.workers[0]?.id;
        const thrown: unknown = await within(
          way(pool, call).then(
            (answer) => new Error(`there was an answer: ${String(answer)}`),
            (reason: unknown) => reason,
          ),
          'the task to settle',
        );
        if (outcome === 'throws') {
          expect(speaksOfBoom(thrown), String(thrown)).toBe(true);
        } else {
          expect(thrown).toMatchObject({
            name: 'WorkerDied',
            code: 'ERR_ZOO_WORKER_DIED',
            exitCode: outcome.exitCode ?? null,
            signal: outcome.signal ?? null,
            workerId: before,
            attempts: 1,
            started: true,
          });
        }
        expect(await within(pool.run('add', [2, 3]), 'the next task')).toBe(5);
        if (outcome === 'throws') expect(pool.workers[0]?.id).toBe(before);
      });
    }
  });
});

/** Runs `die` and answers the error. */
function deathBy(pool: ZooPool<Tasks>, how: End): Promise<CaughtError> {
  return within(failureOf(pool.run('die', [how])), 'the task to settle');
}

describeEachKind('a death', (pools) => {
  it('says who died, how, and with which task', async () => {
    const pool = pools.open();
    const exits: unknown[] = [];
    pool.on('worker:exit', (event) => exits.push(event));
    const { pid, worker } = await pool.run('whoAmI', []);
    const error = await deathBy(pool, 'kill');
    expect(error).toMatchObject({
      name: 'WorkerDied',
      code: 'ERR_ZOO_WORKER_DIED',
      pid,
      workerId: worker,
      attempts: 1,
      started: true,
      ...pools.killed,
    });
    expect(error.message).toContain('die');
    expect(error.message).toContain(String(pid));
    await until(() => exits.length === 1, "the event 'worker:exit'");
    expect(exits).toEqual([{ id: worker, pid, ...pools.killed }]);
  });

  it.each<[End, number]>([
    ['exit', 0],
    ['exit 7', 7],
    ['exit from C', 0],
  ])('by %s is one, whatever the code', async (how, exitCode) => {
    const pool = pools.open();
    expect(await deathBy(pool, how)).toMatchObject({
      code: 'ERR_ZOO_WORKER_DIED',
      exitCode,
      signal: null,
      started: true,
    });
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it.each<[End, string, string]>([
    ['unhandled rejection', 'left alone', 'E_ALONE'],
    ['uncaught exception', 'thrown into nowhere', 'E_NOWHERE'],
  ])('by an %s names it as the cause', async (how, message, code) => {
    const pool = pools.open('pool-tasks.js', { stdio: 'ignore' });
    const error = await deathBy(pool, how);
    expect(error.code).toBe('ERR_ZOO_WORKER_DIED');
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(error.cause).toMatchObject({ message, code });
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('costs the tasks behind nothing: they run elsewhere, in their order', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 1 });
    await Promise.all(Array.from({ length: 500 }, (_, i) => pool.run('add', [i, 1])));
    const dying = codeOf(pool.run('holdThenDie', [gate.directory, 'a']));
    const lines = Array.from({ length: 40 }, (_, i) => `${i}`);
    const notes = lines.map((line) => pool.run('note', [gate.directory, line]));
    await gate.logged('start a');
    gate.open();
    expect(await dying).toBe('ERR_ZOO_WORKER_DIED');
    expect(await Promise.all(notes)).toEqual(lines);
    expect(gate.log().slice(2)).toEqual(lines);
    expect(pool.stats.retried).toBe(0);
  });

  it('of both workers at once, with innocents queued behind, costs two tasks', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    await pool.ready();
    const victims = [pool.run('die', ['kill']), pool.run('die', ['kill'])].map((one) =>
      codeOf(one),
    );
    const innocents = Array.from({ length: 6 }, (_, i) => pool.run('add', [i, 1]));
    expect(await within(Promise.all(victims), 'the victims')).toEqual(
      Array(2).fill('ERR_ZOO_WORKER_DIED'),
    );
    expect(await within(Promise.all(innocents), 'the innocents')).toEqual([1, 2, 3, 4, 5, 6]);
    const later = Array.from({ length: 4 }, (_, i) => pool.run('add', [i, 1]));
    expect(await within(Promise.all(later), 'later tasks')).toEqual([1, 2, 3, 4]);
  });

  it('is not noticed by a task in another worker', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    const held = pool.run('hold', [gate.directory, 'a']);
    await gate.logged('start a');
    for (let i = 0; i < 3; i += 1)
      expect((await deathBy(pool, 'kill')).code).toBe('ERR_ZOO_WORKER_DIED');
    expect(await isPending(held)).toBe(true);
    gate.open();
    expect(await held).toBe('a');
  });

  it('after the answer was sent takes the next task, and not the answer', async () => {
    const gate = makeGate();
    const pool = pools.open();
    expect(await pool.run('dieLater', [gate.directory, 'now'])).toBe('answered');
    const error = await failureOf(pool.run('victim', [gate.directory, 'now']));
    expect(error).toMatchObject({ code: 'ERR_ZOO_WORKER_DIED', started: true, ...pools.killed });
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('for want of memory takes nobody along', async () => {
    const { directory } = makeGate();
    const thread = pools.kind === 'thread';
    const pool = pools.open('pool-tasks.js', {
      workers: 2,
      stdio: 'ignore',
      ...(thread
        ? { resourceLimits: { maxOldGenerationSizeMb: 40 } }
        : { execArgv: ['--max-old-space-size=40'], cwd: directory }),
    });
    await pool.ready();
    const exhausted = failureOf(pool.run('exhaust', []));
    const others = Array.from({ length: 20 }, (_, i) => pool.run('add', [i, 1]));
    expect(await Promise.all(others)).toEqual(others.map((_, i) => i + 1));
    expect(await exhausted).toMatchObject(
      thread
        ? { code: 'ERR_ZOO_WORKER_DIED', cause: { code: 'ERR_WORKER_OUT_OF_MEMORY' } }
        : { code: 'ERR_ZOO_WORKER_DIED', signal: 'SIGABRT' },
    );
  });

  it('with several tasks at a time takes exactly those that had started', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { concurrency: 3 });
    const held = ['a', 'b'].map((name) => codeOf(pool.run('hold', [gate.directory, name])));
    await gate.logged('start a', 'start b');
    const dying = codeOf(pool.run('holdThenDie', [gate.directory, 'c']));
    await gate.logged('start c');
    const waiting = pool.run('add', [1, 1]);
    gate.open('c');
    expect(await Promise.all([...held, dying])).toEqual(Array(3).fill('ERR_ZOO_WORKER_DIED'));
    expect(await waiting).toBe(2);
  });

  it.each([1, 2, 5])('of every worker by its neighbour, %i of them', async (count) => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: count });
    await pool.ready();
    const { workers } = pool;
    const calls = workers.map((_, i) => {
      const { pid, id } = workers[(i + 1) % count]!;
      return codeOf(pool.run('killNeighbour', [gate.directory, `${i}`, pid, id]));
    });
    await gate.logged(...workers.map((_, i) => `start ${i}`));
    const innocents = Array.from({ length: 10 }, (_, i) => pool.run('add', [i, 1]));
    gate.open();
    expect(await within(Promise.all(innocents), 'the innocents')).toEqual(
      innocents.map((_, i) => i + 1),
    );
    // A killer may be dead before it has killed: who is left is ended by the next one.
    for (let left = pool.stats.running; left > 0; left = pool.stats.running) {
      for (const { id, pid } of pool.workers) {
        if (workers.some((one) => one.id === id)) pools.kill({ id, pid });
      }
      await sleep(20);
    }
    expect(await within(Promise.all(calls), 'the killers')).toEqual(
      Array(count).fill('ERR_ZOO_WORKER_DIED'),
    );
    expect(await pool.run('add', [1, 1])).toBe(2);
  });

  it('in a storm leaves every promise settled, and each answer right', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2, retries: 2 });
    let deaths = 0;
    pool.on('worker:exit', () => (deaths += 1));
    const answers = Array.from({ length: 600 }, (_, i) =>
      i % 100 === 50
        ? pool
            .run('dieAtFirst', [gate.directory, 1, i % 200 === 50 ? 'kill' : 'exit'])
            .then((attempt) => (attempt === 2 ? i : -1))
        : pool.run('add', [i, 0]),
    );
    const settled = await within(Promise.allSettled(answers), 'every promise');
    for (const [i, one] of settled.entries()) {
      // Who runs beside a task that dies loses a run as well, with one task at a time nobody does.
      expect(one).toEqual({ status: 'fulfilled', value: i });
    }
    expect(deaths).toBe(6);
    expect(pool.stats).toMatchObject({ queued: 0, running: 0, done: 600, retried: 6 });
  });
});

describeProcesses('a process', (pools: Pools) => {
  it.each(['SIGTERM', 'SIGKILL', 'SIGSEGV'] as const)(
    'that is ended by %s in the middle of its task takes that task along, and no other',
    async (signal) => {
      const gate = makeGate();
      const pool = pools.open('pool-tasks.js');
      const { pid, worker } = await pool.run('whoAmI', []);
      const held = failureOf(pool.run('hold', [gate.directory, 'a']));
      const next = pool.run('add', [1, 1]);
      await gate.logged('start a');
      process.kill(pid, signal);
      expect(await held).toMatchObject({
        code: 'ERR_ZOO_WORKER_DIED',
        signal,
        exitCode: null,
        pid,
        workerId: worker,
        started: true,
      });
      expect(await next).toBe(2);
      expect(await pool.run('add', [2, 2])).toBe(4);
    },
  );

  it('that is stopped and then killed is no different', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js');
    const { pid } = await pool.run('whoAmI', []);
    const held = failureOf(pool.run('hold', [gate.directory, 'a']));
    await gate.logged('start a');
    process.kill(pid, 'SIGSTOP');
    const next = pool.run('add', [1, 1]);
    process.kill(pid, 'SIGKILL');
    expect(await held).toMatchObject({ code: 'ERR_ZOO_WORKER_DIED', signal: 'SIGKILL' });
    expect(await next).toBe(2);
  });

  it('that is stopped holds up its own task only, and an abort gets rid of it', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2, killAfter: 30 });
    await pool.ready();
    const controller = new AbortController();
    const held = codeOf(pool.run('hold', [gate.directory, 'a'], { signal: controller.signal }));
    await gate.logged('start a');
    const { pid } = pool.workers.find(({ state }) => state === 'busy')!;
    process.kill(pid, 'SIGSTOP');
    expect(await pool.run('add', [1, 1])).toBe(2);
    controller.abort();
    expect(await held).toBe('ABORT_ERR');
    await untilDead(pid);
    expect(await pool.run('add', [2, 2])).toBe(4);
  });

  it('that aborts from native code says so', async () => {
    const { directory } = makeGate();
    const pool = pools.open('pool-tasks.js', { stdio: 'ignore', cwd: directory });
    expect(await deathBy(pool, 'abort')).toMatchObject({
      code: 'ERR_ZOO_WORKER_DIED',
      signal: 'SIGABRT',
      exitCode: null,
    });
    expect(await pool.run('add', [1, 1])).toBe(2);
  });
});

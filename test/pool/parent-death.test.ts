import { readFileSync, existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startPeer, until, within, type Peer } from '../support/index.js';
import {
  describeEachKind,
  fixture,
  makeGate,
  poolSegments,
  untilDead,
  type Gate,
  type Pools,
} from '../support/pools.js';

/** A program with two workers, one of which never lets go. Answers their pids. */
async function startProgram(pools: Pools, gate: Gate): Promise<{ peer: Peer; pids: number[] }> {
  const peer = await startPeer();
  const pids = await peer.run(
    async ({ zoosync, state }, module, kind, directory) => {
      const pool = new zoosync.ZooPool(module, { kind, workers: 2 });
      state['pool'] = pool;
      await pool.ready();
      for (const [name, task] of [
        ['a', 'stuck'],
        ['b', 'hold'],
      ] as const) {
        pool.run(task, [directory, name]).catch(() => undefined);
      }
      // Large values on their way, in segments of their own.
      pool.run('echo', [new Uint8Array(5_000_000)]).catch(() => undefined);
      return pool.workers.map(({ pid }) => pid);
    },
    fixture('pool-tasks.js').href,
    pools.kind,
    gate.directory,
  );
  await gate.logged('start a', 'start b');
  return { peer, pids };
}

/** The files in /dev/shm that a process has mapped, whether their names are still there or not. */
function mappedSegments(pid: number): string[] {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
  const names = maps.match(/\/dev\/shm\/[^\s]+/g) ?? [];
  return [...new Set(names)];
}

describeEachKind('the death of a program', (pools) => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'by %s ends its workers, also busy ones, and leaves no segment',
    async (signal) => {
      const gate = makeGate();
      const { peer, pids } = await startProgram(pools, gate);
      const segments = mappedSegments(peer.pid);
      peer.kill(signal);
      await within(peer.ended, 'the program to end');
      await untilDead(...pids);
      const left = (): string[] => [
        ...segments.filter((path) => existsSync(path)),
        ...poolSegments(peer.pid),
      ];
      await until(() => left().length === 0, 'the segments to go').catch(() => undefined);
      expect(left()).toEqual([]);
    },
  );

  it('by process.exit(), or by an error that nobody caught, does the same', async () => {
    for (const how of ['exit', 'throw']) {
      const gate = makeGate();
      const { peer, pids } = await startProgram(pools, gate);
      const segments = mappedSegments(peer.pid);
      void peer.run((_, way) => {
        setImmediate(() => {
          if (way === 'exit') process.exit(0);
          throw new Error('nobody catches this');
        });
      }, how);
      await within(peer.ended, 'the program to end');
      await untilDead(...pids);
      await until(() => poolSegments(peer.pid).length === 0, 'the segments to go');
      expect(segments.filter((path) => existsSync(path))).toEqual([]);
    }
  });

  it('while its workers are starting ends them as well', async () => {
    const peer = await startPeer();
    await peer.run(
      async ({ zoosync, state }, module, kind) => {
        state['pool'] = new zoosync.ZooPool(module, { kind, workers: 2 });
        state['pool'].ready().catch(() => undefined);
        await new Promise((resolve) => void setTimeout(resolve, 15));
      },
      fixture('pool-tasks.js').href,
      pools.kind,
    );
    const children = readFileSync(`/proc/${peer.pid}/task/${peer.pid}/children`, 'utf8').trim();
    peer.kill('SIGKILL');
    await within(peer.ended, 'the program to end');
    await untilDead(...children.split(' ').filter(Boolean).map(Number));
    // A thread that was starting leaves nobody who could clean up: the next pool does.
    if (pools.kind === 'thread') {
      const next = pools.open();
      expect(await next.run('add', [1, 1])).toBe(2);
    }
    await until(() => poolSegments(peer.pid).length === 0, 'the segments to go');
  });
});

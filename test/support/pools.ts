/**
 * One suite for both kinds of worker: processes and threads.
 *
 * Each pool made here is destroyed after its test, and each file that uses this module fails when
 * a worker process or a segment of one of its pools is left at the end.
 */
import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel, threadId } from 'node:worker_threads';
import { ZooPool, type PoolOptions } from 'zoosync';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type * as tasks from '../fixtures/pool-tasks.js';
import { afterThisTest, runPrefix, shmDirectory } from './names.js';
import { until } from './patience.js';

export type Kind = 'process' | 'thread';
export type Tasks = typeof tasks;

type Options<M extends object> = Omit<PoolOptions<M>, 'kind'>;

/** The address of a worker module in `test/fixtures`. */
export function fixture(name: string): URL {
  return new URL(`../fixtures/${name}`, import.meta.url);
}

export interface Pools {
  readonly kind: Kind;
  /** What `WorkerDied` and 'worker:exit' say about a worker that ended by `kill`. */
  readonly killed: { signal: NodeJS.Signals | null; exitCode: number | null };
  /** A new pool; destroyed after the test. One worker, unless the options say otherwise. */
  open<M extends object = Tasks>(module?: string, options?: Options<M>): ZooPool<M>;
  /** One pool for all tests of the suite, made before the first. Its tests leave it idle. */
  share<M extends object = Tasks>(module?: string, options?: Options<M>): () => ZooPool<M>;
  /** Kills a worker from outside, at once. */
  kill(worker: { id: number; pid: number }): void;
  /** Waits until a worker is gone, and not only its entry in `pool.workers`. */
  untilGone(worker: { pid: number }): Promise<void>;
}

const seenWorkers = new Set<number>();

function poolsOf(kind: Kind): Pools {
  const start = <M extends object>(module = 'pool-tasks.js', options?: Options<M>): ZooPool<M> => {
    const pool = new ZooPool<M>(fixture(module), { workers: 1, ...options, kind });
    if (kind === 'process') {
      pool.on('worker:ready', ({ pid }: { pid: number }) => void seenWorkers.add(pid));
    }
    return pool;
  };
  return {
    kind,
    killed:
      kind === 'process' ? { signal: 'SIGKILL', exitCode: null } : { signal: null, exitCode: 1 },
    share<M extends object>(module?: string, options?: Options<M>): () => ZooPool<M> {
      let pool: ZooPool<M>;
      beforeAll(() => {
        pool = start<M>(module, options);
      });
      afterAll(() => pool.close());
      return () => pool;
    },
    open(module, options) {
      const pool = start(module, options);
      afterThisTest(() => pool.destroy());
      return pool;
    },
    kill({ id, pid }) {
      if (kind === 'process') {
        process.kill(pid, 'SIGKILL');
      } else {
        const channel = new BroadcastChannel('zoopool-test-kill');
        channel.unref();
        channel.postMessage(`${process.pid}.${id}`);
        setTimeout(() => channel.close(), 1000).unref();
      }
    },
    async untilGone({ pid }) {
      if (kind === 'process') await untilDead(pid);
    },
  };
}

/** Runs a suite twice: once with processes, once with threads. */
export function describeEachKind(name: string, suite: (pools: Pools) => void): void {
  for (const kind of ['process', 'thread'] as const) {
    describe(`${name} (${kind})`, () => suite(poolsOf(kind)));
  }
}

/** Runs a suite with processes only: what it does would take the host of a thread along. */
export function describeProcesses(name: string, suite: (pools: Pools) => void): void {
  describe(`${name} (process)`, () => suite(poolsOf('process')));
}

/** This thread, as the worker modules of the tests name it. */
export const host = `${process.pid}.${threadId}`;

/** Tells whether a process has ended; one that nobody has waited for yet counts. */
export function isDead(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

export async function untilDead(...pids: readonly number[]): Promise<void> {
  await until(() => pids.every(isDead), `the end of ${pids.join(', ')}`);
}

/** The segments in /dev/shm that belong to pools of the process `pid`. */
export function poolSegments(pid: number): string[] {
  return readdirSync(shmDirectory).filter(
    (name) => !name.startsWith(runPrefix) && name.split(/\D+/).includes(String(pid)),
  );
}

/** A directory through which a test steers its tasks. */
export class Gate {
  readonly directory = mkdtempSync(join(tmpdir(), 'zoopool-'));

  /** Lets the tasks of this name go on, or all of them. */
  open(name?: string): void {
    appendFileSync(join(this.directory, name === undefined ? 'open' : `open-${name}`), '');
  }

  /** The lines that tasks have logged, in order. */
  log(): string[] {
    try {
      return readFileSync(join(this.directory, 'log'), 'utf8').split('\n').slice(0, -1);
    } catch {
      return [];
    }
  }

  /** Waits until the log has all these lines. */
  async logged(...lines: readonly string[]): Promise<void> {
    await until(
      () => {
        const log = this.log();
        return lines.every((line) => log.includes(line));
      },
      `the log to have ${lines.join(', ')}`,
    );
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A new gate; its directory is removed after the test. */
export function makeGate(): Gate {
  const gate = new Gate();
  afterThisTest(() => gate.remove());
  return gate;
}

/** Everything that an async iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

afterAll(async () => {
  await untilDead(...seenWorkers);
  await until(() => poolSegments(process.pid).length === 0, 'the segments to be gone').catch(() => {
    expect(poolSegments(process.pid), 'segments that pools left in /dev/shm').toEqual([]);
  });
});

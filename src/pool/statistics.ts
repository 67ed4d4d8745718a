/** What a pool counts. */
import { channel } from 'node:diagnostics_channel';
import { createHistogram, performance } from 'node:perf_hooks';
import type { Task } from './task.js';
import type { PoolStats } from './types.js';
import type { WorkerHandle } from './worker-handle.js';

/** Each task that was settled: `{ pool, id, name, attempts, ok }`. Costs nothing while nobody listens. */
const settledTasks = channel('zoosync:pool:settled');

export class PoolRecords {
  readonly #pool: string;
  readonly #runTime = createHistogram();
  readonly #waitTime = createHistogram();
  #done = 0;
  #failed = 0;
  #retried = 0;
  // Of workers that have ended.
  #ran = 0;
  #lived = 0;
  #copied = 0;
  #shared = 0;

  constructor(pool: string) {
    this.#pool = pool;
  }

  waited(milliseconds: number): void {
    this.#waitTime.record(nanoseconds(milliseconds));
  }

  ran(milliseconds: number): void {
    this.#runTime.record(nanoseconds(milliseconds));
  }

  retried(): void {
    this.#retried += 1;
  }

  settled(task: Task, ok: boolean): void {
    if (ok) this.#done += 1;
    else this.#failed += 1;
    if (!settledTasks.hasSubscribers) return;
    const { id, name, attempts } = task;
    settledTasks.publish({ pool: this.#pool, id, name, attempts, ok });
  }

  ended(worker: WorkerHandle): void {
    this.#ran += worker.ran;
    this.#lived += performance.now() - worker.startedAt;
    this.#copied += worker.bytesCopied;
    this.#shared += worker.bytesShared;
  }

  read(
    queued: number,
    running: number,
    concurrency: number,
    workers: Iterable<WorkerHandle>,
  ): PoolStats {
    const now = performance.now();
    let [ran, lived, bytesCopied, bytesShared] = [
      this.#ran,
      this.#lived,
      this.#copied,
      this.#shared,
    ];
    for (const worker of workers) {
      ran += worker.ran;
      lived += now - worker.startedAt;
      bytesCopied += worker.bytesCopied;
      bytesShared += worker.bytesShared;
    }
    return {
      queued,
      running,
      done: this.#done,
      failed: this.#failed,
      retried: this.#retried,
      utilization: lived === 0 ? 0 : Math.min(1, ran / (lived * concurrency)),
      bytesCopied,
      bytesShared,
      runTime: this.#runTime,
      waitTime: this.#waitTime,
    };
  }
}

/** A histogram begins at 1. */
function nanoseconds(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds * 1e6));
}

/**
 * Calls that every worker makes once: those that live make it now, those that are born later before
 * they get any task. One that fails is withdrawn once its caller has been told so; one that fails in
 * a worker that was born later ends that worker, which could not be like the others.
 */
import type { Caller, TaskCargo } from './task.js';
import type { WorkerHandle } from './worker-handle.js';

/** Makes one call in one worker, before all others; the caller is answered in any case. */
export type TellWorker = (
  worker: WorkerHandle,
  name: string,
  cargo: TaskCargo,
  caller: Caller,
) => void;

interface Announcement {
  readonly name: string;
  readonly cargo: TaskCargo;
  /** Workers whose answer the caller waits for. */
  readonly awaited: Set<WorkerHandle>;
  withdrawn: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

export class Announcements {
  readonly #tellWorker: TellWorker;
  readonly #all: Announcement[] = [];
  readonly #introduced = new WeakSet<WorkerHandle>();

  constructor(tellWorker: TellWorker) {
    this.#tellWorker = tellWorker;
  }

  /** Settles when all these workers have made the call, or ended; rejects when one of them failed. */
  announce(name: string, cargo: TaskCargo, workers: Iterable<WorkerHandle>): Promise<void> {
    return new Promise((resolve, reject) => {
      const awaited = new Set(workers);
      const announcement = { name, cargo, awaited, withdrawn: false, resolve, reject };
      this.#all.push(announcement);
      if (awaited.size === 0) resolve();
      for (const worker of awaited) {
        if (this.#introduced.has(worker)) this.#tell(worker, announcement);
      }
    });
  }

  /** Makes the call in one worker; `then` learns how it went, unless that is the caller's to know. */
  #tell(worker: WorkerHandle, announcement: Announcement, then?: (error?: unknown) => void): void {
    const { name, cargo, awaited } = announcement;
    this.#tellWorker(worker, name, cargo, {
      resolve: () => {
        awaited.delete(worker);
        if (awaited.size === 0) announcement.resolve();
        then?.();
      },
      reject: (error) => {
        const isAwaited = awaited.delete(worker);
        if (isAwaited) announcement.withdrawn = true;
        announcement.reject(error);
        then?.(isAwaited ? undefined : error);
      },
    });
  }

  /** A new worker hears everything that was announced, one after the other. */
  introduce(worker: WorkerHandle, ready: () => void, from = 0): void {
    const next = this.#all.findIndex(({ withdrawn }, index) => index >= from && !withdrawn);
    const announcement = this.#all[next];
    if (!announcement) {
      this.#introduced.add(worker);
      ready();
      return;
    }
    this.#tell(worker, announcement, (error) => {
      if (error === undefined) this.introduce(worker, ready, next + 1);
      else worker.fail(error);
    });
  }

  /** Whether the worker was ever ready for tasks. */
  hasIntroduced(worker: WorkerHandle): boolean {
    return this.#introduced.has(worker);
  }

  /** Nobody waits for the answer of this worker any more: the next one hears it at its start. */
  workerEnded(worker: WorkerHandle): void {
    for (const { awaited, resolve } of this.#all) {
      if (awaited.delete(worker) && awaited.size === 0) resolve();
    }
  }

  /** Whoever waits for an answer gets this. */
  rejectAll(error: Error): void {
    for (const { awaited, reject } of this.#all) {
      if (awaited.size > 0) reject(error);
      awaited.clear();
    }
  }
}

/** The task that runs here, as its function sees it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { invalidArgumentValue } from '../errors.js';
import type { TaskContext } from './types.js';

/** One run of a task in this worker. */
export class RunningTask implements TaskContext {
  readonly id: number;
  readonly attempt: number;
  readonly workerId: number;
  readonly #progress: ((task: RunningTask, value: unknown) => void) | undefined;
  #abort: AbortController | undefined;
  #abortReason: { readonly reason: unknown } | undefined;
  /** Which function runs. */
  index = 0;
  /** The segment with its large arguments, 0 for none. */
  segment = 0;
  /** Items of a stream that may be sent. */
  #credit = 0;
  #onCredit: (() => void) | undefined;

  constructor(
    id: number,
    attempt: number,
    workerId: number,
    progress: ((task: RunningTask, value: unknown) => void) | undefined,
  ) {
    this.id = id;
    this.attempt = attempt;
    this.workerId = workerId;
    this.#progress = progress;
  }

  /** Made when it is asked for: few tasks do. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#abortReason && !this.#abort.signal.aborted)
      this.#abort.abort(this.#abortReason.reason);
    return this.#abort.signal;
  }

  get aborted(): boolean {
    return this.#abortReason !== undefined;
  }

  abort(reason: unknown): void {
    if (this.#abortReason) return;
    this.#abortReason = { reason };
    this.#abort?.abort(reason);
    this.#onCredit?.();
  }

  progress(value: unknown): void {
    this.#progress?.(this, value);
  }

  grant(items: number): void {
    this.#credit += items;
    this.#onCredit?.();
  }

  /** Waits until one more item may be sent, or the task is aborted. */
  async useCredit(): Promise<void> {
    while (this.#credit === 0 && !this.aborted) {
      await new Promise<void>((resolve) => (this.#onCredit = resolve));
      this.#onCredit = undefined;
    }
    this.#credit -= 1;
  }
}

// With one task at a time, a variable knows which one it is; several at a time need the storage,
// which makes every promise a little slower.
let only: RunningTask | undefined;
let several: AsyncLocalStorage<RunningTask> | undefined;

/** From now on several tasks may run at a time. */
export function expectSeveral(): void {
  several = new AsyncLocalStorage();
}

/** Runs a function as part of a task. */
export function runAs<R>(running: RunningTask, run: () => R): R {
  if (several) return several.run(running, run);
  only = running;
  return run();
}

/** The task is over. */
export function leaveTask(): void {
  only = undefined;
}

function current(property: string): RunningTask {
  const running = several?.getStore() ?? only;
  if (running) return running;
  throw invalidArgumentValue(
    `task.${property}`,
    undefined,
    'no task runs here: it is there inside a function that a pool has called',
  );
}

/**
 * The task that is running: its number, its attempt, a signal that says when nobody waits for it
 * any more, and a way to report progress. Of use only inside a function that a pool has called.
 *
 * @throws TypeError `ERR_INVALID_ARG_VALUE` when no task runs here
 * @example
 * import { task } from 'zoosync/worker';
 * export async function download(url: string) {
 *   const response = await fetch(url, { signal: task.signal });
 *   task.progress({ bytes: Number(response.headers.get('content-length')) });
 *   return new Uint8Array(await response.arrayBuffer());
 * }
 */
export const task: TaskContext = {
  get id() {
    return current('id').id;
  },
  get attempt() {
    return current('attempt').attempt;
  },
  get signal() {
    return current('signal').signal;
  },
  get workerId() {
    return current('workerId').workerId;
  },
  progress(value) {
    current('progress').progress(value);
  },
};

/**
 * What every part of a stream speaks: a consumer pulls batches from a puller, operators wrap
 * pullers, and a run keeps what all of them share.
 */
import type { StageStats } from './stage-counter.js';

/** What a pull answers: a batch that is not empty, or null at the end. */
export type Batch<T> = readonly T[] | null;

/** A batch, without a promise when it is there already: that is where the speed comes from. */
export type Pulled<T> = Batch<T> | Promise<Batch<T>>;

/**
 * One side of a running stream. Opening acquires nothing; the first `pull()` does. After null or
 * a failure it has let go of everything it had, and of its own source.
 */
export interface Puller<T> {
  /**
   * The next batch. A throw or a rejection is the failure of the stream. Never called while
   * another pull waits, nor after the end.
   *
   * `limit`: no more items than this are wanted now. It is a wish: an answer may be longer.
   */
  pull(limit?: number): Pulled<T>;
  /**
   * Gives up, all the way to the source. It may come while a pull waits and settles that pull
   * with null, at once. Idempotent. The answer is a promise where letting go takes time.
   */
  cancel(reason?: unknown): void | Promise<void>;
  /**
   * Items that were pulled and not used, offered again by the next pull of whoever opens this
   * source next. Only handles that outlive a run have it. Called before `cancel()`, if at all.
   */
  giveBack?(items: readonly T[]): void;
}

/** A failed item on its way out of the pipeline. */
export interface StageError<A = unknown> {
  /** Name of the stage. */
  readonly stage: string;
  /** What the task was given. */
  readonly item: A;
  /** What it threw. */
  readonly error: unknown;
}

/** Takes a failed item; a promise means that the stage waits. */
export type ErrorOutlet = (
  failure: StageError,
  options: { signal: AbortSignal },
) => void | Promise<void>;

/** What a puller is opened with. */
export interface RunContext {
  /** What the whole run shares. */
  readonly scope: RunScope;
  /** Where the failed items of stages go; without it the first failure ends the stream. */
  readonly errors: ErrorOutlet | undefined;
}

/** The method by which operators open a stream, without knowing its class. */
export const openPuller: unique symbol = Symbol('zoosync.openPuller');

/** Something that opens as a puller: every Stream. */
export interface Openable<T> {
  [openPuller](run: RunContext): Puller<T>;
}

/** One run of a stream, from its first pull to its end: abort signals, tasks in flight, statistics. */
export class RunScope {
  /** The stages of this run, in the order of the data. */
  readonly stages: { stats(): StageStats }[] = [];
  /** Called when a signal of this run fires, at most once. */
  onAbort: ((reason: unknown) => void) | undefined;
  readonly #tasks = new Set<Promise<unknown>>();
  readonly #watched = new Map<AbortSignal, { users: number; listener: () => void }>();

  /** Ends the run when `signal` fires. The answer stops watching; calling it twice does no harm. */
  watch(signal: AbortSignal): () => void {
    let entry = this.#watched.get(signal);
    if (!entry) {
      entry = { users: 0, listener: () => this.abort(signal.reason) };
      this.#watched.set(signal, entry);
      signal.addEventListener('abort', entry.listener, { once: true });
    }
    entry.users += 1;
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      entry.users -= 1;
      if (entry.users === 0) this.#unwatch(signal, entry.listener);
    };
  }

  /** A signal of this run has fired, or somebody cancelled it. */
  abort(reason: unknown): void {
    const { onAbort } = this;
    this.end();
    onAbort?.(reason);
  }

  /** The run is over: no signal matters any more. */
  end(): void {
    this.onAbort = undefined;
    for (const [signal, { listener }] of this.#watched) this.#unwatch(signal, listener);
  }

  #unwatch(signal: AbortSignal, listener: () => void): void {
    this.#watched.delete(signal);
    signal.removeEventListener('abort', listener);
  }

  /** Something that outlives its cancelled puller, such as tasks that still run. */
  track(task: Promise<unknown>): void {
    const settled = task
      .catch(() => {})
      .finally(() => {
        this.#tasks.delete(settled);
      });
    this.#tasks.add(settled);
  }

  /** Settles when everything that is tracked now has settled. */
  async settled(): Promise<void> {
    await Promise.all(this.#tasks);
  }

  /** Settles when nothing is tracked any more. */
  async idle(): Promise<void> {
    while (this.#tasks.size > 0) await this.settled();
  }
}

/** A run without consumer settings. */
export function newRun(): RunContext {
  return { scope: new RunScope(), errors: undefined };
}

/** Whether `await` would wait for this. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * Cancels where the outcome no longer matters, since another failure is already on its way. With
 * a scope, the run waits until it is done.
 */
export function cancelQuietly(puller: Puller<unknown>, reason?: unknown, scope?: RunScope): void {
  try {
    const cancelled = puller.cancel(reason);
    if (!cancelled) return;
    if (scope) scope.track(cancelled);
    else cancelled.catch(() => {});
  } catch {
    // The first failure is the one to report.
  }
}

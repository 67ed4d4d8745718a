/** Batches inside, items outside: a puller as an async iterator, written by hand. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AbortError } from '../errors.js';
import { RunScope, cancelQuietly, type Puller } from './pull.js';
import { SignalPuller } from './signal.js';
import { Turn } from './turn.js';

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };
const nothing: readonly never[] = [];

/**
 * Hands the items of a puller out one by one. Calls of `next()` may overlap; they are answered in
 * order. `return()` never waits for a pull: what waits is answered as done, at once. An async
 * generator could not do that, it queues `return()` behind the `next()` that waits.
 */
export class PullIterator<T> implements AsyncIterableIterator<T, undefined>, AsyncDisposable {
  readonly #open: () => Puller<T>;
  readonly #scope: RunScope;
  #puller: Puller<T> | undefined;
  #batch: readonly T[] = nothing;
  #index = 0;
  #waiters: Waiter<T>[] = [];
  #pulling = false;
  #finished = false;
  readonly #turn = new Turn();
  /** An abort that no `next()` has reported yet. */
  #abort: AbortError | undefined;

  /** Nothing is opened before the first `next()`. */
  constructor(scope: RunScope, open: () => Puller<T>) {
    this.#scope = scope;
    this.#open = open;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#index < this.#batch.length) return this.#takeBuffered();
    if (this.#finished) return this.#nextAfterEnd();
    if (this.#pulling) return this.#wait();
    try {
      if (!this.#puller) this.#start();
      const pulled = this.#turn.isOver() ? this.#pullLater() : this.#puller!.pull();
      if (pulled instanceof Promise) {
        this.#awaitPull(pulled);
        return this.#wait();
      }
      if (pulled !== null) {
        this.#accept(pulled);
        return this.#takeBuffered();
      }
      this.#finish();
      return Promise.resolve(done);
    } catch (error) {
      this.#finish();
      return Promise.reject(error as Error);
    }
  }

  /**
   * Leaves the loop: lets go of everything up to the source. Waits for a source that takes time
   * to close, but never for a pull or a task.
   */
  async return(): Promise<IteratorResult<T, undefined>> {
    await this.#leave();
    return done;
  }

  async throw(error?: unknown): Promise<IteratorResult<T, undefined>> {
    await this.#leave();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }

  #start(): void {
    this.#scope.onAbort = (reason) => this.#aborted(reason);
    this.#puller = this.#open();
  }

  #takeBuffered(): Promise<IteratorResult<T, undefined>> {
    const value = this.#batch[this.#index] as T;
    this.#index += 1;
    return Promise.resolve({ done: false, value });
  }

  #nextAfterEnd(): Promise<IteratorResult<T, undefined>> {
    const error = this.#abort;
    this.#abort = undefined;
    return error ? Promise.reject(error) : Promise.resolve(done);
  }

  #wait(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  /** A loop over data that is always there never waits by itself, and no signal could fire. */
  async #pullLater(): Promise<readonly T[] | null> {
    await nextTurn();
    return this.#finished ? null : this.#puller!.pull();
  }

  #awaitPull(pulled: Promise<readonly T[] | null>): void {
    this.#pulling = true;
    pulled.then(
      (batch) => this.#pulled(batch),
      (error: unknown) => this.#failed(error),
    );
  }

  #pulled(batch: readonly T[] | null): void {
    this.#pulling = false;
    if (this.#finished) {
      if (batch) this.#puller!.giveBack?.(batch);
      return;
    }
    if (batch === null) {
      this.#finish();
      return;
    }
    this.#accept(batch);
    this.#serveWaiters();
  }

  #accept(batch: readonly T[]): void {
    this.#batch = batch;
    this.#index = 0;
  }

  #serveWaiters(): void {
    while (this.#waiters.length > 0 && !this.#finished) {
      if (this.#index < this.#batch.length) {
        const value = this.#batch[this.#index] as T;
        this.#index += 1;
        this.#waiters.shift()!.resolve({ done: false, value });
        continue;
      }
      try {
        const pulled = this.#puller!.pull();
        if (pulled instanceof Promise) {
          this.#awaitPull(pulled);
          return;
        }
        if (pulled === null) this.#finish();
        else this.#accept(pulled);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    this.#pulling = false;
    if (this.#finished) return;
    this.#waiters.shift()?.reject(error);
    this.#finish();
  }

  #finish(): void {
    this.#finished = true;
    this.#scope.end();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve(done);
  }

  #leave(): void | Promise<void> {
    this.#abort = undefined;
    if (this.#finished) return undefined;
    this.#finish();
    this.#giveBackRest();
    return this.#puller?.cancel();
  }

  #aborted(reason: unknown): void {
    if (this.#finished) return;
    const error = new AbortError(reason);
    const first = this.#waiters.shift();
    if (first) first.reject(error);
    else this.#abort = error;
    this.#finish();
    this.#giveBackRest();
    if (this.#puller) cancelQuietly(this.#puller, reason);
  }

  #giveBackRest(): void {
    const rest = this.#index < this.#batch.length ? this.#batch.slice(this.#index) : nothing;
    this.#batch = nothing;
    this.#index = 0;
    if (rest.length > 0) this.#puller?.giveBack?.(rest);
  }
}

/** A loop that a signal may end, also one that has fired before it begins. */
export function loopUntil<T>(
  signal: AbortSignal | undefined,
  open: () => Puller<T>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const scope = new RunScope();
      return new PullIterator<T>(scope, () =>
        signal ? new SignalPuller(open(), signal, scope) : open(),
      );
    },
  };
}

/** The items of a generator in a worker, as an iterator here. */
import { streamCredit } from './protocol.js';
import type { Caller } from './task.js';

/**
 * Buffers no more items than the worker was allowed to send: it may send as many again as were
 * taken from here. `next()` may be called while another one waits; leaving the loop cancels the
 * generator, also while `next()` waits.
 */
export class StreamCall<T> implements AsyncIterableIterator<T>, Caller {
  readonly #items: T[] = [];
  readonly #waiting: {
    resolve: (result: IteratorResult<T>) => void;
    reject: (error: unknown) => void;
  }[] = [];
  readonly #start: (call: StreamCall<T>) => (() => void) | undefined;
  #cancel: (() => void) | undefined;
  #grant: ((items: number) => void) | undefined;
  #taken = 0;
  #state: 'new' | 'open' | 'failed' | 'ended' = 'new';
  #error: unknown;

  /** `start` runs at the first `next()`, and answers how to cancel. */
  constructor(start: (call: StreamCall<T>) => (() => void) | undefined) {
    this.#start = start;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#state === 'new') {
      this.#state = 'open';
      this.#cancel = this.#start(this);
    }
    if (this.#items.length > 0) {
      const value = this.#items.shift() as T;
      this.#askForMore();
      return Promise.resolve({ done: false, value });
    }
    if (this.#state === 'failed') {
      this.#state = 'ended';
      return Promise.reject(this.#error as Error);
    }
    if (this.#state === 'ended') return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T>> {
    const cancel = this.#state === 'open' ? this.#cancel : undefined;
    this.#state = 'ended';
    this.#items.length = 0;
    this.#finishWaiting();
    cancel?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  item(value: unknown, grant: (items: number) => void): void {
    if (this.#state !== 'open') return;
    this.#grant = grant;
    const waiting = this.#waiting.shift();
    if (!waiting) {
      this.#items.push(value as T);
      return;
    }
    this.#askForMore();
    waiting.resolve({ done: false, value: value as T });
  }

  /** In halves: not a message for each item, and the worker need not wait for one. */
  #askForMore(): void {
    this.#taken += 1;
    if (this.#taken < streamCredit / 2 || this.#state !== 'open') return;
    this.#grant?.(this.#taken);
    this.#taken = 0;
  }

  resolve(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#finishWaiting();
  }

  reject(error: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    this.#error = error;
    const first = this.#waiting.shift();
    if (!first) return;
    this.#state = 'ended';
    first.reject(error);
    this.#finishWaiting();
  }

  #finishWaiting(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }
}

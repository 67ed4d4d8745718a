/** Sources that answer without waiting: arrays, other iterables, ranges. */
import { isThenable, type Batch, type Puller, type Pulled } from './pull.js';

/** Batches grow to this: larger ones gain nothing and leave the processor's cache. */
export const largestBatch = 128;

/**
 * The size of the next batch: 1, 2, 4 … so that who takes one item makes one item happen, and who
 * takes many has them cheaply.
 */
class BatchSize {
  #next = 1;

  take(limit: number): number {
    const size = Math.min(this.#next, limit);
    if (this.#next < largestBatch) this.#next *= 2;
    return size;
  }
}

/** The items of an array; those that are promises are awaited, as `for await` does. */
export class ArrayPuller<T> implements Puller<T> {
  readonly #items: readonly T[];
  readonly #size = new BatchSize();
  readonly #waiting = new AwaitedItem<T>();
  #index = 0;

  constructor(items: readonly T[]) {
    this.#items = items;
  }

  pull(limit = Infinity): Pulled<T> {
    const from = this.#index;
    if (from >= this.#items.length) return null;
    const batch = this.#items.slice(from, from + this.#size.take(limit));
    const waits = batch.findIndex(isThenable);
    if (waits === -1) {
      this.#index += batch.length;
      return batch;
    }
    if (waits > 0) {
      this.#index += waits;
      return batch.slice(0, waits);
    }
    this.#index += 1;
    return this.#waiting.wait(batch[0] as PromiseLike<T>, () => this.#stop());
  }

  cancel(): void {
    this.#stop();
    this.#waiting.cancel();
  }

  #stop(): void {
    this.#index = Infinity;
  }
}

/** The items of any other iterable, one at a time: asking a generator has effects. */
export class IterablePuller<T> implements Puller<T> {
  readonly #iterable: Iterable<T>;
  readonly #waiting = new AwaitedItem<T>();
  #iterator: Iterator<T> | undefined;
  #finished = false;

  constructor(iterable: Iterable<T>) {
    this.#iterable = iterable;
  }

  pull(): Pulled<T> {
    if (this.#finished) return null;
    let result: IteratorResult<T>;
    try {
      this.#iterator ??= this.#iterable[Symbol.iterator]();
      result = this.#iterator.next();
    } catch (error) {
      this.#finished = true;
      throw error;
    }
    if (result.done) {
      this.#finished = true;
      return null;
    }
    const { value } = result;
    if (!isThenable(value)) return [value];
    return this.#waiting.wait(value as PromiseLike<T>, () => this.cancel());
  }

  cancel(): void {
    this.#waiting.cancel();
    if (this.#finished) return;
    this.#finished = true;
    this.#iterator?.return?.();
  }
}

/** Numbers from `start` up or down to `end`, which is not among them. */
export class RangePuller implements Puller<number> {
  readonly #start: number;
  readonly #step: number;
  readonly #size = new BatchSize();
  #count: number;
  #index = 0;

  constructor(start: number, end: number, step: number) {
    this.#start = start;
    this.#step = step;
    this.#count = Math.max(0, Math.ceil((end - start) / step));
  }

  pull(limit = Infinity): Pulled<number> {
    const left = this.#count - this.#index;
    if (left <= 0) return null;
    const size = Math.min(left, this.#size.take(limit));
    const batch: number[] = [];
    // Multiplied, not added up: 0.1 + 0.1 + 0.1 is not 0.3.
    for (let i = 0; i < size; i += 1) batch.push(this.#start + (this.#index + i) * this.#step);
    this.#index += size;
    return batch;
  }

  cancel(): void {
    // Not `#index = #count`: what is left of an endless range would be NaN.
    this.#count = 0;
  }
}

/** A promise among the items: waits for it, and stops waiting when told. */
class AwaitedItem<T> {
  #release: (() => void) | undefined;

  wait(item: PromiseLike<T>, onFailure: () => void): Promise<Batch<T>> {
    return new Promise((resolve, reject) => {
      this.#release = () => resolve(null);
      item.then(
        (value) => {
          this.#release = undefined;
          resolve([value]);
        },
        (error: unknown) => {
          const waited = this.#release !== undefined;
          this.#release = undefined;
          reject(error as Error);
          if (waited) onFailure();
        },
      );
    });
  }

  cancel(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

/** Foreign async iterables as pullers. */
import type { Batch, Puller, Pulled } from './pull.js';

/**
 * One item at a time from somebody else's iterator. A cancel settles the pull that waits by hand:
 * a generator that is stuck in an `await` gets `return()` requested, and nobody waits until it
 * wakes to notice.
 */
export class AsyncIterablePuller<T> implements Puller<T> {
  readonly #iterable: AsyncIterable<T>;
  #iterator: AsyncIterator<T> | undefined;
  /** There while a pull waits. */
  #resolve: ((batch: Batch<T>) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #finished = false;

  constructor(iterable: AsyncIterable<T>) {
    this.#iterable = iterable;
  }

  pull(): Pulled<T> {
    if (this.#finished) return null;
    let next: Promise<IteratorResult<T>>;
    try {
      this.#iterator ??= this.#iterable[Symbol.asyncIterator]();
      next = this.#iterator.next();
    } catch (error) {
      this.#finished = true;
      throw error;
    }
    return new Promise<Batch<T>>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      // Hand-written iterators may answer without a promise.
      const promise = next instanceof Promise ? next : Promise.resolve(next);
      promise.then(this.#onResult, this.#onFailure);
    });
  }

  readonly #onResult = (result: IteratorResult<T>): void => {
    if (result.done) this.#finished = true;
    this.#resolve?.(result.done ? null : [result.value]);
    this.#resolve = undefined;
  };

  readonly #onFailure = (error: unknown): void => {
    this.#finished = true;
    this.#resolve = undefined;
    this.#reject?.(error);
  };

  cancel(): void | Promise<void> {
    if (this.#finished) return undefined;
    this.#finished = true;
    const resolve = this.#resolve;
    if (!resolve) return this.#requestReturn();
    this.#resolve = undefined;
    resolve(null);
    // The request stands in line behind the next() that waits, for as long as that takes.
    this.#requestReturn()?.catch(() => {});
    return undefined;
  }

  #requestReturn(): Promise<void> | undefined {
    return Promise.resolve(this.#iterator?.return?.()).then(() => {});
  }
}

/** The first items of a stream. */
import type { Batch, Puller, Pulled } from './pull.js';

/**
 * Ends after `count` items. The source is cancelled as soon as the last of them is there, not when
 * somebody asks for one more.
 */
export class TakePuller<T> implements Puller<T> {
  readonly #source: Puller<T>;
  #left: number;
  #finished = false;
  #closing: void | Promise<void> = undefined;

  constructor(source: Puller<T>, count: number) {
    this.#source = source;
    this.#left = count;
  }

  pull(limit = Infinity): Pulled<T> {
    if (this.#left === 0) this.#finish();
    if (this.#finished) return this.#end();
    const pulled = this.#source.pull(Math.min(limit, this.#left));
    if (pulled instanceof Promise) return pulled.then((batch) => this.#accept(batch));
    return this.#accept(pulled);
  }

  cancel(reason?: unknown): void | Promise<void> {
    if (this.#finished) return undefined;
    this.#finished = true;
    return this.#source.cancel(reason);
  }

  giveBack(items: readonly T[]): void {
    this.#source.giveBack?.(items);
  }

  #accept(batch: Batch<T>): Batch<T> {
    if (batch === null) return null;
    if (this.#finished) {
      this.#source.giveBack?.(batch);
      return null;
    }
    if (batch.length < this.#left) {
      this.#left -= batch.length;
      return batch;
    }
    const taken = batch.length > this.#left ? batch.slice(0, this.#left) : batch;
    if (batch.length > this.#left) this.#source.giveBack?.(batch.slice(this.#left));
    this.#left = 0;
    this.#finish();
    return taken;
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    try {
      this.#closing = this.#source.cancel();
    } catch (error) {
      this.#closing = Promise.reject(error as Error);
    }
    // Who asks for more learns of it; the items that are there come first.
    this.#closing?.catch(() => {});
  }

  #end(): Pulled<T> {
    const closing = this.#closing;
    this.#closing = undefined;
    return closing ? closing.then(() => null) : null;
  }
}

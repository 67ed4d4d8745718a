/** Batches as items, for who wants to handle them himself. */
import type { Puller, Pulled } from './pull.js';

/** Each batch as it comes becomes one item. */
export class BatchesPuller<T> implements Puller<readonly T[]> {
  readonly #source: Puller<T>;

  constructor(source: Puller<T>) {
    this.#source = source;
  }

  pull(): Pulled<readonly T[]> {
    const pulled = this.#source.pull();
    if (pulled instanceof Promise) return pulled.then((batch) => batch && [batch]);
    return pulled && [pulled];
  }

  cancel(reason?: unknown): void | Promise<void> {
    return this.#source.cancel(reason);
  }

  giveBack(batches: readonly (readonly T[])[]): void {
    this.#source.giveBack?.(batches.flat());
  }
}

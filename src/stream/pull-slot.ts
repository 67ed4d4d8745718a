/** The one pull that may wait at a puller, settled by hand. */
import type { Batch } from './pull.js';

/** Holds the promise of a pull until there is an answer. Settling without a pull does nothing. */
export class PullSlot<T> {
  #resolve: ((batch: Batch<T>) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  get waiting(): boolean {
    return this.#resolve !== undefined;
  }

  wait(): Promise<Batch<T>> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolve(batch: Batch<T>): void {
    const resolve = this.#resolve;
    this.#clear();
    resolve?.(batch);
  }

  reject(error: unknown): void {
    const reject = this.#reject;
    this.#clear();
    reject?.(error as Error);
  }

  /**
   * Answers the pull that waits, if `attempt` has an answer now: a batch, null, or a throw.
   * `undefined` lets it wait on.
   */
  settle(attempt: () => Batch<T> | undefined): void {
    if (!this.waiting) return;
    try {
      const answer = attempt();
      if (answer !== undefined) this.resolve(answer);
    } catch (error) {
      this.reject(error);
    }
  }

  #clear(): void {
    this.#resolve = undefined;
    this.#reject = undefined;
  }
}

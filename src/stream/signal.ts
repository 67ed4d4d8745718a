/** A signal for a whole run, given at any place of its stream. */
import { AbortError } from '../errors.js';
import { cancelQuietly, type Puller, type Pulled, type RunScope } from './pull.js';

/** Watches a signal from the first pull until its part of the stream is over. */
export class SignalPuller<T> implements Puller<T> {
  readonly #source: Puller<T>;
  readonly #signal: AbortSignal;
  readonly #scope: RunScope;
  #stopWatching: (() => void) | undefined;

  constructor(source: Puller<T>, signal: AbortSignal, scope: RunScope) {
    this.#source = source;
    this.#signal = signal;
    this.#scope = scope;
  }

  pull(limit?: number): Pulled<T> {
    if (!this.#stopWatching) {
      if (this.#signal.aborted) this.#refuse();
      this.#stopWatching = this.#scope.watch(this.#signal);
    }
    try {
      const pulled = this.#source.pull(limit);
      if (pulled instanceof Promise) {
        pulled.then(
          (batch) => batch ?? this.#over(),
          () => this.#over(),
        );
      } else if (pulled === null) {
        this.#over();
      }
      return pulled;
    } catch (error) {
      this.#over();
      throw error;
    }
  }

  cancel(reason?: unknown): void | Promise<void> {
    this.#over();
    return this.#source.cancel(reason);
  }

  giveBack(items: readonly T[]): void {
    this.#source.giveBack?.(items);
  }

  /** The source was given away, so it is let go of although nothing of it was used. */
  #refuse(): never {
    cancelQuietly(this.#source, this.#signal.reason, this.#scope);
    throw new AbortError(this.#signal.reason);
  }

  #over(): void {
    this.#stopWatching?.();
  }
}

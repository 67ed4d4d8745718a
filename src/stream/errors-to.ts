/** Failed items leave the pipeline by a way of their own. */
import { invalidArgumentType } from '../errors.js';
import { isSink } from './deliver.js';
import type { ErrorOutlet, Puller, Pulled, RunScope, StageError } from './pull.js';
import type { Sink } from './sink.js';

/** Where failed items go: a sink, or a function that is called with each. */
export type ErrorDestination = Sink<StageError> | ((failure: StageError) => unknown);

/** The sink to close at the end, if the destination is one. */
export function parseErrorDestination(destination: unknown): Sink<StageError> | undefined {
  if (isSink<StageError>(destination)) return destination;
  if (typeof destination === 'function') return undefined;
  throw invalidArgumentType(
    'destination',
    'a function or an object with send() and close()',
    destination,
  );
}

/** The way to a destination. A full sink, or a promise of the function, makes the stage wait. */
export function outletTo(destination: ErrorDestination): ErrorOutlet {
  if (typeof destination !== 'function') {
    return (failure, options) => destination.send(failure, options);
  }
  return (failure) => destination(failure) as void | Promise<void>;
}

/** Passes everything on, and closes the error sink when the stages before it are over. */
export class ErrorSinkPuller<T> implements Puller<T> {
  readonly #source: Puller<T>;
  readonly #sink: Sink<StageError>;
  readonly #scope: RunScope;
  #closed = false;

  constructor(source: Puller<T>, sink: Sink<StageError>, scope: RunScope) {
    this.#source = source;
    this.#sink = sink;
    this.#scope = scope;
  }

  pull(limit?: number): Pulled<T> {
    try {
      const pulled = this.#source.pull(limit);
      if (pulled instanceof Promise) return this.#after(pulled);
      return pulled ?? this.#close().then(() => null);
    } catch (error) {
      return this.#closeAndThrow(error);
    }
  }

  cancel(reason?: unknown): void | Promise<void> {
    if (this.#closed) return this.#source.cancel(reason);
    const cancelled = this.#source.cancel(reason);
    // Tasks in flight may still have a failure to report.
    this.#scope.track(this.#scope.settled().then(() => this.#close()));
    return cancelled;
  }

  giveBack(items: readonly T[]): void {
    this.#source.giveBack?.(items);
  }

  async #after(pulled: Promise<readonly T[] | null>): Promise<readonly T[] | null> {
    let batch: readonly T[] | null;
    try {
      batch = await pulled;
    } catch (error) {
      return this.#closeAndThrow(error);
    }
    if (batch === null) await this.#close();
    return batch;
  }

  /** The failure of the run is what counts, not that of its error sink. */
  async #closeAndThrow(failure: unknown): Promise<never> {
    await Promise.allSettled([this.#close()]);
    throw failure;
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#sink.close();
  }
}

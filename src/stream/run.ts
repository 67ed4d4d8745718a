/** A stream on its own way: started, counted, cancelled and awaited. */
import { AbortError, describeValue } from '../errors.js';
import { consume, type UseBatch } from './consume.js';
import { RunScope, type Openable } from './pull.js';
import type { StageStats } from './stage-counter.js';

/**
 * A running stream. It runs by itself; `await` it to learn how it ended. It resolves with the
 * number of items delivered, and rejects with the failure, or with an `AbortError` when it was
 * cancelled. In every case its sinks are closed then, and no task and no callback of it runs any
 * more.
 *
 * A Run that fails while nobody awaits it is no unhandled rejection; it becomes a process warning.
 *
 * @example
 * const run = input.stage(parse, { workers: 4 }).to(output);
 * console.table(run.stats());
 * const delivered = await run;
 */
export interface Run extends PromiseLike<number> {
  /** As on a promise. */
  catch<E = never>(onFailed?: ((error: unknown) => E | PromiseLike<E>) | null): Promise<number | E>;
  /** As on a promise. */
  finally(onOver?: (() => void) | null): Promise<number>;
  /** One entry for each stage, in the order of the data. */
  stats(): StageStats[];
  /** Ends the run as an aborted signal does. Resolves when it is over. */
  cancel(reason?: unknown): Promise<void>;
}

/** What a Run does with the items and at its end. */
export interface RunPlan<T> {
  readonly use: (batch: readonly T[], signal: AbortSignal) => void | Promise<void>;
  /** Whether `use` is code of the user that goes on after an abort, so that it has to be awaited. */
  readonly awaitsUse?: boolean;
  /** After the last item, or after the failure that is given. */
  readonly close?: (failure: { readonly error: unknown } | undefined) => Promise<void>;
}

/** Starts a run. Its first pull comes after the code that started it has gone on. */
export class StreamRun<T> implements Run {
  readonly #scope = new RunScope();
  readonly #own = new AbortController();
  readonly #outcome: Promise<number>;
  #delivered = 0;
  #awaited = false;

  constructor(source: Openable<T>, signal: AbortSignal | undefined, plan: RunPlan<T>) {
    this.#outcome = this.#run(source, signal, plan);
    this.#outcome.catch((error: unknown) => this.#warn(error));
  }

  stats(): StageStats[] {
    return this.#scope.stages.map((stage) => stage.stats());
  }

  async cancel(reason?: unknown): Promise<void> {
    this.#awaited = true;
    this.#own.abort(reason);
    await this.#outcome.catch(() => {});
  }

  catch<E = never>(
    onFailed?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<number | E> {
    return this.then(undefined, onFailed);
  }

  finally(onOver?: (() => void) | null): Promise<number> {
    this.#awaited = true;
    return this.#outcome.finally(onOver);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- to be awaited is what a Run is for
  then<R = number, E = never>(
    onDelivered?: ((delivered: number) => R | PromiseLike<R>) | null,
    onFailed?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    this.#awaited = true;
    return this.#outcome.then(onDelivered, onFailed);
  }

  async #run(
    source: Openable<T>,
    signal: AbortSignal | undefined,
    plan: RunPlan<T>,
  ): Promise<number> {
    const run = { scope: this.#scope, errors: undefined };
    // Ends what the consumer waits for, such as a send, whatever ends the run.
    const ended = new AbortController();
    const use: UseBatch<T> = (batch) => {
      const used = plan.use(batch, ended.signal);
      if (!used) return this.#count(batch);
      const counted = used.then(() => this.#count(batch));
      if (plan.awaitsUse) this.#scope.track(counted);
      return counted;
    };
    await Promise.resolve();
    let failure: { error: unknown } | undefined;
    try {
      const own = this.#own.signal;
      if (!own.aborted) this.#scope.watch(own);
      await consume(source, run, own.aborted ? own : signal, use);
      await this.#unlessAborted(signal, plan.close?.(undefined));
    } catch (error) {
      failure = { error };
      ended.abort(error);
      // What a sink says to the failure is less interesting than the failure.
      await Promise.allSettled([plan.close?.(failure)]);
    }
    await this.#scope.idle();
    if (failure) throw failure.error;
    return this.#delivered;
  }

  /** A sink that never finishes must not keep the run from being cancelled. */
  #unlessAborted(
    signal: AbortSignal | undefined,
    closing: Promise<void> | undefined,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#scope.end();
        settle();
      };
      this.#scope.onAbort = (reason) => reject(new AbortError(reason));
      for (const watched of [this.#own.signal, signal]) {
        if (watched?.aborted) this.#scope.abort(watched.reason);
        else if (watched) this.#scope.watch(watched);
      }
      Promise.resolve(closing).then(
        () => finish(resolve),
        (error: unknown) => finish(() => reject(error as Error)),
      );
    });
  }

  #count(batch: readonly T[]): void {
    this.#delivered += batch.length;
  }

  #warn(error: unknown): void {
    if (this.#awaited) return;
    process.emitWarning(`a run failed and nobody awaits it: ${describeValue(error)}`, {
      type: 'ZooSyncWarning',
      code: 'ZOO_RUN_FAILED',
    });
  }
}

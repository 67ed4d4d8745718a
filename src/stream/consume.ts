/** The end of a stream where nothing is left to wrap: pulls everything and uses it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AbortError } from '../errors.js';
import {
  cancelQuietly,
  isThenable,
  openPuller,
  type Openable,
  type Puller,
  type RunContext,
  type RunScope,
} from './pull.js';
import { Turn } from './turn.js';

/** What is done with each batch; a promise means that the next one has to wait. */
export type UseBatch<T> = (batch: readonly T[]) => void | Promise<void>;

/**
 * Pulls a stream to its end. Rejects with its failure, with what `use` threw, or, when a signal of
 * the run fires, with an `AbortError` at once: it waits neither for a pull nor for `use`.
 */
export function consume<T>(
  source: Openable<T>,
  run: RunContext,
  signal: AbortSignal | undefined,
  use: UseBatch<T>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { scope } = run;
    let puller: Puller<T> | undefined;
    let aborted = false;
    const finish = (settle: () => void): void => {
      scope.end();
      settle();
    };
    scope.onAbort = (reason) => {
      aborted = true;
      reject(new AbortError(reason));
      if (puller) cancelQuietly(puller, reason, scope);
    };
    try {
      puller = source[openPuller](run);
    } catch (error) {
      finish(() => reject(error as Error));
      return;
    }
    if (signal?.aborted) {
      // The source was given away, so it is let go of although nothing of it was used.
      scope.abort(signal.reason);
      return;
    }
    if (signal) scope.watch(signal);
    pullAll(puller, run.scope, use, () => aborted).then(
      () => finish(resolve),
      (error: unknown) => finish(() => reject(error as Error)),
    );
  });
}

async function pullAll<T>(
  puller: Puller<T>,
  scope: RunScope,
  use: UseBatch<T>,
  isAborted: () => boolean,
): Promise<void> {
  const turn = new Turn();
  for (;;) {
    const pulled = puller.pull();
    const batch = pulled instanceof Promise ? await pulled : pulled;
    if (isAborted() || batch === null) return;
    const used = useBatch(puller, scope, use, batch);
    if (used) await used;
    if (isAborted()) return;
    if (turn.isOver()) await nextTurn();
  }
}

/** A failure here is the consumer's: the stream behind it has to be told. */
function useBatch<T>(
  puller: Puller<T>,
  scope: RunScope,
  use: UseBatch<T>,
  batch: readonly T[],
): void | Promise<void> {
  const stop = (error: unknown): never => {
    cancelQuietly(puller, error, scope);
    throw error;
  };
  try {
    return use(batch)?.catch(stop);
  } catch (error) {
    return stop(error);
  }
}

/** Calls a function for each item of a batch, and waits for what it answers. */
export function callForEach<T>(
  fn: (item: T) => unknown,
): (batch: readonly T[], signal?: AbortSignal) => void | Promise<void> {
  const rest = async (
    batch: readonly T[],
    from: number,
    signal: AbortSignal | undefined,
    first: PromiseLike<unknown>,
  ): Promise<void> => {
    await first;
    for (let i = from; i < batch.length && !signal?.aborted; i += 1) await fn(batch[i] as T);
  };
  return (batch, signal) => {
    for (let i = 0; i < batch.length; i += 1) {
      const answer = fn(batch[i] as T);
      if (isThenable(answer)) return rest(batch, i + 1, signal, answer);
    }
    return undefined;
  };
}

/** Folds items into a result, without promises where the function answers none. */
export function foldInto<T, R>(
  fn: (result: R, item: T) => R | PromiseLike<R>,
  seed: R,
): { use: UseBatch<T>; result(): R } {
  let result = seed;
  const rest = async (batch: readonly T[], from: number, first: PromiseLike<R>): Promise<void> => {
    result = await first;
    for (let i = from; i < batch.length; i += 1) result = await fn(result, batch[i] as T);
  };
  const use: UseBatch<T> = (batch) => {
    for (let i = 0; i < batch.length; i += 1) {
      const answer = fn(result, batch[i] as T);
      if (isThenable(answer)) return rest(batch, i + 1, answer as PromiseLike<R>);
      result = answer as R;
    }
    return undefined;
  };
  return { use, result: () => result };
}

/** Sending the items of a run to sinks, of our own kind or Node's. */
import type { Writable } from 'node:stream';
import { AbortError, invalidArgumentType } from '../errors.js';
import { prematureClose } from './platform-source.js';
import type { RunPlan } from './run.js';
import type { SendOptions, Sink } from './sink.js';

/** Where a run delivers: what has `send` and `close`, or a Node Writable. */
export type Destination<T> = Sink<T> | Writable;

/** A sink as a run uses it. */
export interface Outlet<T> {
  send(batch: readonly T[], options: SendOptions): Promise<void>;
  close(failure: { readonly error: unknown } | undefined): Promise<void>;
}

/** Every item to every sink; the slowest sets the pace. */
export function deliverTo<T>(destinations: readonly unknown[]): RunPlan<T> {
  if (destinations.length === 0) {
    throw invalidArgumentType(
      'sink',
      'an object with send() and close(), or a Writable',
      undefined,
    );
  }
  for (const destination of destinations) checkDestination(destination);
  // Listening to a Writable begins with the run, not before it.
  const outlets = destinations.map((one) =>
    isSink<T>(one) ? new SinkOutlet<T>(one) : new WritableOutlet<T>(one as Writable),
  );
  const [only] = outlets;
  return {
    use: (batch, signal) =>
      only && outlets.length === 1
        ? only.send(batch, { signal })
        : Promise.all(outlets.map((outlet) => outlet.send(batch, { signal }))).then(() => {}),
    close: (failure) => allOf(outlets.map((outlet) => outlet.close(failure))),
  };
}

/** Whether the last argument of `to` is its options. */
export function isDestination(value: unknown): boolean {
  return isSink(value) || isWritable(value);
}

function checkDestination(value: unknown): void {
  if (isDestination(value)) return;
  throw invalidArgumentType('sink', 'an object with send() and close(), or a Writable', value);
}

export function isSink<T>(value: unknown): value is Sink<T> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Sink<T>>).send === 'function' &&
    typeof (value as Partial<Sink<T>>).close === 'function'
  );
}

function isWritable(value: unknown): value is Writable {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Writable>).write === 'function' &&
    typeof (value as Partial<Writable>).end === 'function' &&
    typeof (value as Partial<Writable>).on === 'function'
  );
}

/** Waits for all, also when one fails; then the first failure counts. */
async function allOf(actions: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(actions)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

class SinkOutlet<T> implements Outlet<T> {
  readonly #sink: Sink<T>;

  constructor(sink: Sink<T>) {
    this.#sink = sink;
  }

  async send(batch: readonly T[], options: SendOptions): Promise<void> {
    const [first] = batch;
    if (batch.length === 1) await this.#sink.send(first as T, options);
    else if (this.#sink.sendMany) await this.#sink.sendMany(batch, options);
    else for (const item of batch) await this.#sink.send(item, options);
  }

  async close(failure: { readonly error: unknown } | undefined): Promise<void> {
    if (failure) await this.#sink.close(reasonOf(failure.error));
    else await this.#sink.close();
  }
}

/** A sink is told why, not that an abort was the way it was said. */
function reasonOf(error: unknown): unknown {
  return error instanceof AbortError ? (error.cause ?? error) : error;
}

/**
 * A Node Writable. Its errors are caught from the beginning, until it has closed: a process that
 * stopped reading must fail the run, not crash the program.
 */
export class WritableOutlet<T> implements Outlet<T> {
  readonly #writable: Writable;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(writable: Writable) {
    this.#writable = writable;
    writable.on('error', this.#onError);
    writable.on('close', this.#onClose);
    writable.on('drain', this.#onProgress);
    writable.on('finish', this.#onProgress);
  }

  readonly #onProgress = (): void => this.#wake?.();

  readonly #onError = (error: unknown): void => {
    this.#failure ??= { error };
    this.#wake?.();
  };

  readonly #onClose = (): void => {
    this.#checkOpen();
    this.#wake?.();
  };

  /** What was destroyed before its end says so only once, perhaps before anybody listened. */
  #checkOpen(): void {
    const { destroyed, writableFinished, errored } = this.#writable;
    if (destroyed && !writableFinished) this.#failure ??= { error: errored ?? prematureClose() };
  }

  async send(batch: readonly T[], { signal }: SendOptions): Promise<void> {
    for (const item of batch) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      this.#checkOpen();
      if (this.#failure) throw this.#failure.error;
      if (this.#writable.write(item)) continue;
      await this.#until(() => !this.#writable.writableNeedDrain, signal);
    }
  }

  async close(failure: { readonly error: unknown } | undefined): Promise<void> {
    const writable = this.#writable;
    if (failure) {
      writable.destroy(asError(reasonOf(failure.error)));
      return;
    }
    // As in Node's own pipe: nobody else could write to them any more.
    const isShared = writable === process.stdout || writable === process.stderr;
    if (!isShared) {
      writable.end();
      this.#checkOpen();
      await this.#until(() => writable.writableFinished, undefined);
    }
    this.#stopListening();
  }

  #stopListening(): void {
    this.#writable.off('error', this.#onError);
    this.#writable.off('close', this.#onClose);
    this.#writable.off('drain', this.#onProgress);
    this.#writable.off('finish', this.#onProgress);
  }

  /** Waits for a condition that the events of the Writable can bring about, or its failure. */
  async #until(condition: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    signal?.addEventListener('abort', this.#onProgress, { once: true });
    try {
      while (!condition()) {
        if (this.#failure) throw this.#failure.error;
        if (signal?.aborted) throw new AbortError(signal.reason);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      signal?.removeEventListener('abort', this.#onProgress);
    }
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new AbortError(reason);
}

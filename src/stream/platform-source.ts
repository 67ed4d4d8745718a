/** Node's and the Web's own streams as pullers. */
import type { Readable } from 'node:stream';
import type { ReadableStream, ReadableStreamDefaultReader } from 'node:stream/web';
import { largestBatch } from './iterable-source.js';
import type { Batch, Puller, Pulled } from './pull.js';

/** A pull that waits. */
interface Waiting<T> {
  resolve(batch: Batch<T>): void;
  reject(error: unknown): void;
}

/**
 * What a Readable has buffered, as a batch. Giving up destroys it, also while it is idle, which
 * leaving a `for await` over a Readable does not do.
 */
export class ReadablePuller<T> implements Puller<T> {
  readonly #readable: Readable;
  #listening = false;
  #finished = false;
  #waiting: Waiting<T> | undefined;

  constructor(readable: Readable) {
    this.#readable = readable;
  }

  pull(limit = largestBatch): Pulled<T> {
    if (this.#finished) return null;
    this.#listen();
    const batch = this.#read(limit);
    if (batch) return batch;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      // What has ended before anybody listened says nothing any more.
      if (this.#isOver()) this.#onClose();
    });
  }

  cancel(): void {
    if (this.#finished) return;
    this.#finish();
    this.#waiting?.resolve(null);
    this.#waiting = undefined;
    if (!this.#listening) this.#readable.on('error', this.#onError);
    this.#readable.destroy();
  }

  /** What is buffered, and not more: each read makes the Readable fetch the next. */
  #read(limit: number): readonly T[] | undefined {
    const { readableObjectMode, readableLength } = this.#readable;
    const most = readableObjectMode ? Math.min(limit, Math.max(1, readableLength)) : 1;
    const batch: T[] = [];
    while (batch.length < most) {
      const item = this.#readable.read() as T | null;
      if (item === null) break;
      batch.push(item);
    }
    return batch.length > 0 ? batch : undefined;
  }

  #isOver(): boolean {
    return this.#readable.destroyed || this.#readable.readableEnded;
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#readable.on('readable', this.#onReadable);
    this.#readable.on('end', this.#onEnd);
    this.#readable.on('error', this.#onError);
    this.#readable.on('close', this.#onClose);
  }

  #finish(): void {
    this.#finished = true;
    this.#readable.off('readable', this.#onReadable);
    this.#readable.off('end', this.#onEnd);
    this.#readable.off('close', this.#onClose);
    // A failure is known before its event comes, which without a listener would end the process.
    if (this.#readable.readableEnded) this.#readable.off('error', this.#onError);
  }

  readonly #onReadable = (): void => {
    const waiting = this.#waiting;
    if (!waiting) return;
    const batch = this.#read(largestBatch);
    if (!batch) return;
    this.#waiting = undefined;
    waiting.resolve(batch);
  };

  readonly #onEnd = (): void => {
    this.#settle((waiting) => waiting.resolve(null));
  };

  readonly #onError = (error: unknown): void => {
    this.#settle((waiting) => waiting.reject(error));
  };

  readonly #onClose = (): void => {
    const { errored, readableEnded } = this.#readable;
    if (errored) this.#onError(errored);
    else if (readableEnded) this.#onEnd();
    else this.#onError(prematureClose());
  };

  /** What was buffered before comes first. With nobody waiting, the next pull finds out for itself. */
  #settle(answer: (waiting: Waiting<T>) => void): void {
    this.#onReadable();
    const waiting = this.#waiting;
    if (!waiting) return;
    this.#finish();
    this.#waiting = undefined;
    answer(waiting);
  }
}

/** The error of Node for a stream that was destroyed before its end. */
export function prematureClose(): Error {
  return Object.assign(new Error('The stream was closed before its end'), {
    code: 'ERR_STREAM_PREMATURE_CLOSE',
  });
}

/** The chunks of a Web stream. Giving up cancels it, which settles the read that waits. */
export class WebStreamPuller<T> implements Puller<T> {
  readonly #stream: ReadableStream<T>;
  #reader: ReadableStreamDefaultReader<T> | undefined;
  #finished = false;
  #release: (() => void) | undefined;

  constructor(stream: ReadableStream<T>) {
    this.#stream = stream;
  }

  pull(): Pulled<T> {
    if (this.#finished) return null;
    this.#reader ??= this.#stream.getReader();
    const reader = this.#reader;
    return new Promise((resolve, reject) => {
      this.#release = () => resolve(null);
      reader.read().then(
        (result) => {
          this.#release = undefined;
          if (result.done) this.#finish();
          resolve(result.done ? null : [result.value]);
        },
        (error: unknown) => {
          this.#release = undefined;
          this.#finish();
          reject(error as Error);
        },
      );
    });
  }

  cancel(reason?: unknown): void | Promise<void> {
    if (this.#finished) return undefined;
    this.#finished = true;
    if (!this.#reader) return this.#stream.locked ? undefined : this.#stream.cancel(reason);
    const release = this.#release;
    this.#release = undefined;
    const cancelled = this.#reader.cancel(reason);
    this.#reader.releaseLock();
    if (!release) return cancelled;
    release();
    cancelled.catch(() => {});
    return undefined;
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#reader?.releaseLock();
  }
}

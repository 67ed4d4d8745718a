/** Where items go: the interface of everything that can be sent to, and its Node form. */
import { Writable } from 'node:stream';
import { AbortError } from '../errors.js';

/** How long a send may wait. */
export interface SendOptions {
  /** Milliseconds; `ERR_ZOO_TIMEOUT` after that, and nothing was sent. */
  timeout?: number | undefined;
  /** Ends the wait with an `AbortError`, and nothing was sent. */
  signal?: AbortSignal | undefined;
}

/** Something that takes items: a Channel, a ZooPipe, or an object of your own. */
export interface Sink<T> {
  /** Resolves when there was room: this is the backpressure. */
  send(value: T, options?: SendOptions): Promise<void>;
  /** Never waits; false when there is no room. */
  trySend(value: T): boolean;
  /** Without an error: the end. With one: readers get it, after what was sent. */
  close(error?: unknown): Promise<void>;
  /** Sends all of these, in order; for sinks to which many cost less than one by one. */
  sendMany?(values: readonly T[], options?: SendOptions): Promise<void>;
}

/**
 * A Node Writable in front of a sink: `write` sends, `end` closes, `destroy(error)` closes with
 * the error. It holds back one item, or one chunk, at most: with 0, `Writable.toWeb` would wait
 * for ever.
 */
export function writableOf<T>(sink: Sink<T>, bytes: boolean): Writable {
  const pending = new AbortController();
  let ended = false;
  return new Writable({
    objectMode: !bytes,
    highWaterMark: 1,
    write(value: T, _encoding, callback) {
      void settle(sink.send(value, { signal: pending.signal }), callback);
    },
    final(callback) {
      ended = true;
      void settle(sink.close(), callback);
    },
    destroy(error, callback) {
      if (ended) {
        callback(error);
        return;
      }
      const reason = error ?? new AbortError('the Writable was destroyed before its end');
      pending.abort(reason);
      // Whatever closing says, the Writable reports why it was destroyed.
      void settle(sink.close(reason), () => callback(error));
    },
  });
}

async function settle(
  action: Promise<void>,
  finish: (failure?: Error | null) => void,
): Promise<void> {
  let failure: Error | undefined;
  try {
    await action;
  } catch (error) {
    failure = error as Error;
  }
  finish(failure);
}

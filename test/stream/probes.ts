/** Sources and sinks that tell what was done to them. */
import type { SendOptions, Sink } from 'zoosync';

/** A source that counts what is taken from it, and whether it was let go of. */
export interface Probe<T> extends AsyncIterable<T> {
  /** Items given, and a last question answered with the end. */
  pulled: number;
  /** Calls of `return()`. */
  returned: number;
}

/** Gives these items one by one, then ends, fails with `failure`, or never answers. */
export function probe<T>(items: readonly T[], ending: 'end' | 'never' | Error = 'end'): Probe<T> {
  const made: Probe<T> = {
    pulled: 0,
    returned: 0,
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<IteratorResult<T>> {
        const index = made.pulled;
        made.pulled += 1;
        if (index < items.length) return { done: false, value: items[index] as T };
        if (ending === 'end') return { done: true, value: undefined };
        if (ending === 'never') return new Promise(() => {});
        throw ending;
      },
      async return(): Promise<IteratorResult<T>> {
        made.returned += 1;
        return { done: true, value: undefined };
      },
    }),
  };
  return made;
}

/** Keeps what it is sent. With `room`, further sends wait until `makeRoom` is called. */
export class Recorder<T> implements Sink<T> {
  readonly items: T[] = [];
  readonly closings: unknown[][] = [];
  room: number;
  refusal: Error | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(room = Infinity) {
    this.room = room;
  }

  async send(value: T, { signal }: SendOptions = {}): Promise<void> {
    if (this.refusal) throw this.refusal;
    while (this.items.length >= this.room) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    }
    this.items.push(value);
  }

  trySend(value: T): boolean {
    if (this.items.length >= this.room) return false;
    this.items.push(value);
    return true;
  }

  async close(...error: unknown[]): Promise<void> {
    this.closings.push(error);
  }

  makeRoom(more: number): void {
    this.room += more;
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** A promise that is settled from outside. */
export interface Gate<R> {
  readonly promise: Promise<R>;
  open(value: R): void;
  fail(error: unknown): void;
}

export function gate<R = void>(): Gate<R> {
  let open!: (value: R) => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<R>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

/** The items of a stream up to its failure, and the failure. */
export async function collect<T>(
  stream: AsyncIterable<T>,
): Promise<{ items: T[]; failure: unknown }> {
  const items: T[] = [];
  try {
    for await (const item of stream) items.push(item);
  } catch (error) {
    return { items, failure: error };
  }
  return { items, failure: undefined };
}

/** An iterator, to ask for items by hand. */
export function iterate<T>(stream: AsyncIterable<T>): AsyncIterableIterator<T> {
  return stream[Symbol.asyncIterator]() as AsyncIterableIterator<T>;
}

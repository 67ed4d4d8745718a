/** Sinks that remember what came and how they were closed. */
import { Writable } from 'node:stream';
import type { Sink } from 'zoosync';

export class RecordingSink<T> implements Sink<T> {
  readonly items: T[] = [];
  /** One entry for each call of `close()`: what it was given. */
  readonly closings: unknown[] = [];
  readonly #each: (value: T) => void | Promise<void>;

  /** `each` is awaited for every value: it can be slow, and it can fail. */
  constructor(each: (value: T) => void | Promise<void> = () => undefined) {
    this.#each = each;
  }

  async send(value: T): Promise<void> {
    await this.#each(value);
    this.items.push(value);
  }

  trySend(): boolean {
    return false;
  }

  async close(error?: unknown): Promise<void> {
    this.closings.push(error);
  }
}

/** A Writable that awaits `each` for every value. */
export function recordingWritable<T>(each: (value: T) => void | Promise<void>): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: 1,
    async write(value: T, _encoding, done) {
      try {
        await each(value);
      } catch (error) {
        return done(error as Error);
      }
      done();
    },
  });
}

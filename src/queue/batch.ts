/** Many puts in one: values are encoded in portions, and a portion goes in with one call. */
import { AbortError, ZooError } from '../errors.js';
import { notYet, type Request } from '../wait.js';
import type { QueueEndpoint } from './endpoint.js';

const messagesPerPortion = 256;
const bytesPerPortion = 1 << 20;

/** A batch on its way: `attempt` sends what there is room for, and goes on where it was. */
export class BatchPut<V> implements Request<number> {
  readonly operation: string;
  readonly #queue: QueueEndpoint;
  readonly #values: Iterator<V>;
  readonly #encode: (value: V) => Uint8Array;
  readonly #portionSize: number;
  #portion: Uint8Array[] = [];
  #position = 0;
  #exhausted = false;
  /** A value that cannot be sent fails the batch after those before it were sent. */
  #failure: { readonly error: unknown } | undefined;
  /** How many messages went in. */
  sent = 0;

  /**
   * `encode` gives bytes that stay as they are until they are sent. With `oneByOne`, no value is
   * pulled from the iterator before the one before it went in.
   */
  constructor(
    queue: QueueEndpoint,
    operation: string,
    values: Iterable<V>,
    encode: (value: V) => Uint8Array,
    oneByOne: boolean,
  ) {
    this.#queue = queue;
    this.operation = operation;
    this.#values = values[Symbol.iterator]();
    this.#encode = encode;
    this.#portionSize = oneByOne ? 1 : messagesPerPortion;
  }

  get needed(): number {
    return this.#portion[this.#position]?.length ?? 0;
  }

  /** Sends on; the number of messages in all once everything went in. */
  attempt(): number | typeof notYet {
    for (;;) {
      if (this.#position === this.#portion.length) this.#nextPortion();
      if (this.#portion.length === 0) {
        if (this.#failure) throw this.#failure.error;
        return this.sent;
      }
      const sent = this.#queue.putBatch(this.#portion, this.#position, this.operation);
      if (sent === 0) return notYet;
      this.#position += sent;
      this.sent += sent;
    }
  }

  /** Nothing of a portion is reserved before all of it is encoded: encoding runs code of the user. */
  #nextPortion(): void {
    this.#portion = [];
    this.#position = 0;
    let bytes = 0;
    try {
      while (!this.#exhausted && this.#portion.length < this.#portionSize && bytes < bytesPerPortion) {
        const next = this.#values.next();
        if (next.done === true) {
          this.#exhausted = true;
          break;
        }
        const message = this.#encode(next.value);
        this.#queue.checkSize(message.length, this.operation);
        this.#portion.push(message);
        bytes += message.length;
      }
    } catch (error) {
      this.#failure = { error };
      this.#exhausted = true;
      this.#values.return?.();
    }
  }

  /** The batch ended early: the iterator is told, and the error says how many went in. */
  giveUp(error: unknown): unknown {
    if (!this.#exhausted) {
      this.#exhausted = true;
      this.#values.return?.();
    }
    if (error instanceof ZooError || error instanceof AbortError) Object.assign(error, { sent: this.sent });
    return error;
  }
}

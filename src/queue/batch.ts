/** Many puts in one: messages come in portions, and a portion goes in with few calls. */
import { AbortError, ZooError, invalidArgumentType } from '../errors.js';
import { notYet, type Request } from '../wait.js';
import type { QueueEndpoint } from './endpoint.js';

const messagesPerPortion = 256;
const bytesPerPortion = 1 << 20;

/**
 * Where the messages of a batch come from. Nothing of a portion is reserved in the queue before
 * all of it is there: making one may run code of the user.
 */
interface Portions {
  /** The next messages, which stay as they are until they are sent; none at the end. */
  next(): readonly Uint8Array[];
  /** No more will be asked for. */
  stop(): void;
}

/** Many messages on their way with one call; an attempt answers the number in all once they are in. */
export interface Batch extends Request<number> {
  /** How many went in. */
  readonly sent: number;
  /** It ends early: its source is told, and the error says how many went in. */
  giveUp(error: unknown): unknown;
}

export function sentUntil({ sent }: Batch, error: unknown): unknown {
  if (error instanceof ZooError || error instanceof AbortError) Object.assign(error, { sent });
  return error;
}

/** A batch in portions: `attempt` sends what there is room for, and goes on where it was. */
export class BatchPut implements Batch {
  readonly operation: string;
  readonly #queue: QueueEndpoint;
  readonly #portions: Portions;
  #portion: readonly Uint8Array[] = [];
  #position = 0;
  sent = 0;

  constructor(queue: QueueEndpoint, operation: string, portions: Portions) {
    this.#queue = queue;
    this.operation = operation;
    this.#portions = portions;
  }

  get needed(): number {
    return this.#portion[this.#position]?.length ?? 0;
  }

  attempt(): number | typeof notYet {
    for (;;) {
      if (this.#position === this.#portion.length) {
        this.#portion = this.#portions.next();
        this.#position = 0;
        if (this.#portion.length === 0) return this.sent;
      }
      const sent = this.#queue.putBatch(this.#portion, this.#position, this.operation);
      if (sent === 0) return notYet;
      this.#position += sent;
      this.sent += sent;
    }
  }

  giveUp(error: unknown): unknown {
    this.#portions.stop();
    return sentUntil(this, error);
  }
}

/** Values that are pulled from an iterable and encoded as the batch goes on. */
export class EncodedPortions<V> implements Portions {
  readonly #values: Iterator<V>;
  readonly #encode: (value: V) => Uint8Array;
  readonly #portionSize: number;
  #exhausted = false;
  /** A value that cannot be sent fails the batch after those before it were sent. */
  #failure: { readonly error: unknown } | undefined;

  /** With `oneByOne`, no value is pulled before the one before it went in. */
  constructor(values: Iterable<V>, encode: (value: V) => Uint8Array, oneByOne: boolean) {
    this.#values = values[Symbol.iterator]();
    this.#encode = encode;
    this.#portionSize = oneByOne ? 1 : messagesPerPortion;
  }

  next(): readonly Uint8Array[] {
    const portion: Uint8Array[] = [];
    try {
      this.#fill(portion);
    } catch (error) {
      this.stop();
      this.#failure = { error };
    }
    if (portion.length === 0 && this.#failure) throw this.#failure.error;
    return portion;
  }

  #fill(portion: Uint8Array[]): void {
    let bytes = 0;
    while (!this.#exhausted && portion.length < this.#portionSize && bytes < bytesPerPortion) {
      const next = this.#values.next();
      if (next.done === true) {
        this.#exhausted = true;
        return;
      }
      const message = this.#encode(next.value);
      portion.push(message);
      bytes += message.length;
    }
  }

  stop(): void {
    if (this.#exhausted) return;
    this.#exhausted = true;
    this.#values.return?.();
  }
}

/** Bytes of the user, sent from where they are. The list is copied, so that what was checked is sent. */
export class ByteList implements Portions {
  #list: readonly Uint8Array[];
  #failure: TypeError | undefined;

  constructor(list: readonly Uint8Array[]) {
    const own = list.slice();
    const wrong = own.findIndex((bytes) => !(bytes instanceof Uint8Array));
    this.#list = wrong < 0 ? own : own.slice(0, wrong);
    if (wrong >= 0) {
      this.#failure = invalidArgumentType(`list[${wrong}]`, 'a Uint8Array', own[wrong]);
    }
  }

  next(): readonly Uint8Array[] {
    const portion = this.#list;
    this.#list = [];
    if (portion.length === 0 && this.#failure) throw this.#failure;
    return portion;
  }

  stop(): void {
    this.#list = [];
  }
}

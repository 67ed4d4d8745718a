/** A channel in shared memory, as one handle sees it. */
import { Buffer } from 'node:buffer';
import { ChannelClosed } from '../errors.js';
import type { Wait } from '../options.js';
import type { QueueEndpoint } from '../queue/endpoint.js';
import type { OpenedRing } from '../queue/open-ring.js';
import type { ClaimedView } from '../queue/views.js';
import { closedError, translated } from '../status.js';
import { notYet, type PendingWait, type Request } from '../wait.js';
import {
  Undecodable,
  type ChannelStats,
  type ChannelStore,
  type HeldView,
} from './channel-store.js';
import { encodeFailure } from './failure.js';
import { readRingStats } from './ring-stats.js';

const sent: Promise<void> = Promise.resolve();
const forever: Wait = { timeout: Infinity, signal: undefined };

export class SharedStore<T> implements ChannelStore<T> {
  readonly name: string;
  readonly prefetch: number;
  readonly unlinkWhenDisposed: boolean;
  readonly #endpoint: QueueEndpoint;
  /** Messages that are claimed and not handed over: when this process dies, others get them. */
  #claimed: ClaimedView[] = [];
  #reads = false;
  #ended = false;

  constructor({ endpoint, unlinkWhenDisposed }: OpenedRing, prefetch: number) {
    this.name = endpoint.name;
    this.prefetch = prefetch;
    this.unlinkWhenDisposed = unlinkWhenDisposed;
    this.#endpoint = endpoint;
  }

  get closed(): boolean {
    return this.#endpoint.closed;
  }

  // Sending

  send(value: T, operation: string, wait: Wait | undefined): Promise<void> {
    const endpoint = this.#endpoint;
    this.#mayUse(operation);
    const bytes = endpoint.codec.encode(value);
    if (wait === undefined && endpoint.writing.idle && endpoint.put(bytes, operation)) return sent;
    // While this one waits, the next value would be encoded over it.
    const kept = endpoint.codec.reusesBytes ? Uint8Array.from(bytes) : bytes;
    const attempt = (): void | typeof notYet =>
      endpoint.put(kept, operation) ? undefined : notYet;
    return endpoint.writing.wait({ attempt, operation, needed: kept.length }, wait ?? forever);
  }

  async sendMany(values: readonly T[], operation: string, wait: Wait | undefined): Promise<void> {
    this.#mayUse(operation);
    const { writing } = this.#endpoint;
    const sending = new ManyValues(this.#endpoint, values, operation);
    try {
      if (wait === undefined && writing.idle && sending.attempt() !== notYet) return;
      await writing.wait(sending, wait ?? forever);
    } catch (error) {
      if (error instanceof Error) Object.assign(error, { sent: sending.sent });
      throw error;
    }
  }

  trySend(value: T, operation: string): boolean {
    this.#mayUse(operation);
    return this.#endpoint.put(this.#endpoint.codec.encode(value), operation);
  }

  end(failure: { readonly error: unknown } | undefined): void {
    const endpoint = this.#endpoint;
    if (this.#ended || endpoint.closed) return;
    this.#ended = true;
    endpoint.end(failure && encodeFailure(failure.error));
    const cause = failure ? { cause: failure.error } : {};
    endpoint.writing.rejectAll(
      (operation) =>
        new ChannelClosed(
          `${operation}: channel '${this.name}' was closed by this handle while it waited for room`,
          { segment: this.name, ...cause },
        ),
    );
  }

  // Receiving

  take(operation: string, tries: boolean): T | typeof notYet {
    if (this.prefetch === 1 && this.#claimed.length === 0) {
      this.#mayRead(operation);
      const value = this.#endpoint.takeValue() as T | typeof notYet;
      return value === notYet ? this.#nothing(operation, tries) : value;
    }
    const view = this.#nextClaimed(operation, tries);
    return view === notYet ? notYet : this.#handOver(view, operation);
  }

  takeMany(max: number, operation: string): readonly (T | Undecodable)[] | typeof notYet {
    this.#mayRead(operation);
    const values: (T | Undecodable)[] = [];
    if (this.#claimed.length > 0) {
      for (const view of this.#claimed.splice(0, max)) {
        values.push(orUndecodable(() => this.#handOver(view, operation)));
      }
      return values;
    }
    const endpoint = this.#endpoint;
    const most = Math.min(max, this.prefetch);
    const count = endpoint.takeEach(most, (source, start, end) => {
      values.push(orUndecodable(() => endpoint.decode(source, start, end) as T));
    });
    return count === notYet ? endpoint.mayCome(operation) : values;
  }

  takeView(operation: string): HeldView | typeof notYet {
    return this.#nextClaimed(operation, false);
  }

  #nextClaimed(operation: string, tries: boolean): ClaimedView | typeof notYet {
    this.#mayRead(operation);
    const ready = this.#claimed.shift();
    if (ready) return ready;
    const views = this.#endpoint.claimMany(this.prefetch);
    if (views === notYet) return this.#nothing(operation, tries);
    const [first] = views;
    this.#claimed = views.slice(1);
    return first as ClaimedView;
  }

  #nothing(operation: string, tries: boolean): typeof notYet {
    if (!tries) return this.#endpoint.mayCome(operation);
    this.#endpoint.checkNothing(operation);
    return notYet;
  }

  /** The value of a claimed message, which is acknowledged, whatever its bytes are. */
  #handOver(view: ClaimedView, operation: string): T {
    const { codec } = this.#endpoint;
    try {
      const bytes = codec.keepsSource ? Buffer.from(view.view) : view.view;
      return this.#endpoint.decode(bytes, 0, bytes.length) as T;
    } finally {
      this.#endpoint.release(view, operation);
    }
  }

  get idle(): boolean {
    return this.#endpoint.reading.idle;
  }

  enter<R>(attempt: () => R | typeof notYet, operation: string, wait: Wait): PendingWait<R> {
    const request: Request<R> = { attempt, operation };
    return this.#endpoint.reading.enter(request, wait);
  }

  serve(): void {
    this.#endpoint.reading.serve();
  }

  #mayUse(operation: string): void {
    if (this.#endpoint.closed) throw closedError(this.#endpoint, operation);
  }

  #mayRead(operation: string): void {
    this.#mayUse(operation);
    if (this.#reads) return;
    this.#reads = true;
    this.#endpoint.native.becomeReader();
  }

  // The handle itself

  stats(): ChannelStats {
    this.#mayUse('stats');
    return readRingStats(this.#endpoint);
  }

  get referenced(): boolean {
    return this.#endpoint.waits.referenced;
  }

  setReferenced(referenced: boolean): void {
    this.#endpoint.waits.setReferenced(referenced);
  }

  close(): void {
    this.#claimed = [];
    this.#endpoint.close();
  }

  unlink(): boolean {
    return translated(this.name, () => this.#endpoint.native.unlink());
  }
}

/** Values on their way, one after the other: encoded when it is their turn, and not before. */
class ManyValues<T> implements Request<void> {
  readonly operation: string;
  readonly #endpoint: QueueEndpoint;
  readonly #values: readonly T[];
  sent = 0;
  /** The next value, encoded, when there was no room for it. */
  #bytes: Uint8Array | undefined;

  constructor(endpoint: QueueEndpoint, values: readonly T[], operation: string) {
    this.#endpoint = endpoint;
    this.#values = values;
    this.operation = operation;
  }

  get needed(): number {
    return this.#bytes?.length ?? 0;
  }

  attempt(): void | typeof notYet {
    const endpoint = this.#endpoint;
    const { codec } = endpoint;
    while (this.sent < this.#values.length) {
      const bytes = this.#bytes ?? codec.encode(this.#values[this.sent]);
      if (!endpoint.put(bytes, this.operation)) {
        // While this waits, another value may be encoded over it.
        this.#bytes ??= codec.reusesBytes ? Uint8Array.from(bytes) : bytes;
        return notYet;
      }
      this.#bytes = undefined;
      this.sent += 1;
    }
    return undefined;
  }
}

function orUndecodable<T>(decode: () => T): T | Undecodable {
  try {
    return decode();
  } catch (error) {
    return new Undecodable(error);
  }
}

/** A channel without shared memory: an array of this process, with the same rules. */
import { ChannelClosed } from '../errors.js';
import type { Wait } from '../options.js';
import { closedError, timeoutError } from '../status.js';
import { WaitingLine, notYet, type PendingWait, type Request, type WaitSource } from '../wait.js';
import type { ChannelStats, ChannelStore, HeldView } from './channel-store.js';
import { LocalView, type Message } from './local-view.js';

/** What a full channel does with one more message. */
export type WhenFull = 'wait' | 'drop-oldest' | 'drop-newest';

const sent: Promise<void> = Promise.resolve();
const forever: Wait = { timeout: Infinity, signal: undefined };
const waitingMakesSense = 0;

export class LocalStore<T> implements ChannelStore<T> {
  readonly kind = 'channel';
  readonly name = 'local';
  readonly prefetch = 1;
  readonly unlinkWhenDisposed = false;
  readonly #capacity: number;
  readonly #whenFull: WhenFull;
  #messages: Message<T>[] = [];
  /** Index of the oldest message; those before are taken. */
  #first = 0;
  readonly #reading: WaitingLine;
  readonly #writing: WaitingLine;
  readonly #views = new Set<LocalView<T>>();
  closed = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #sent = 0;
  #received = 0;
  #dropped = 0;
  #reads = false;

  constructor(capacity: number, whenFull: WhenFull) {
    this.#capacity = capacity;
    this.#whenFull = whenFull;
    // Nothing but this process can end such a wait, so none of them keeps it alive.
    const owner = { add: nothing, activate: nothing, deactivate: nothing };
    this.#reading = new WaitingLine(owner, sleepOn(this, 'no message came'), false);
    this.#writing = new WaitingLine(owner, sleepOn(this, 'there was no room'), false);
  }

  // Sending

  send(value: T, operation: string, wait: Wait | undefined): Promise<void> {
    if (wait === undefined && this.#writing.idle && this.#put(value, operation)) return sent;
    return this.#writing.wait(this.#putting([value], operation), wait ?? forever);
  }

  async sendMany(values: readonly T[], operation: string, wait: Wait | undefined): Promise<void> {
    const request = this.#putting(values, operation);
    try {
      await this.#writing.wait(request, wait ?? forever);
    } catch (error) {
      if (error instanceof Error) Object.assign(error, { sent: request.sent });
      throw error;
    }
  }

  trySend(value: T, operation: string): boolean {
    if (this.#whenFull !== 'drop-newest') return this.#put(value, operation);
    this.#maySend(operation);
    return !this.#full && this.#put(value, operation);
  }

  #putting(values: readonly T[], operation: string): Request<void> & { sent: number } {
    const request = {
      sent: 0,
      operation,
      attempt: (): void | typeof notYet => {
        while (request.sent < values.length) {
          if (!this.#put(values[request.sent] as T, operation)) return notYet;
          request.sent += 1;
        }
        return undefined;
      },
    };
    return request;
  }

  #put(value: T, operation: string): boolean {
    this.#maySend(operation);
    if (this.#full) {
      if (this.#whenFull === 'wait') return false;
      this.#dropped += 1;
      if (this.#whenFull === 'drop-newest') return true;
      this.#shift();
    }
    this.#sent += 1;
    this.#messages.push({
      value,
      seq: BigInt(this.#sent),
      timestamp: Date.now(),
      deliveries: 1,
    });
    this.#reading.serve();
    return true;
  }

  #maySend(operation: string): void {
    if (this.closed) throw closedError(this, operation);
    if (!this.#ended) return;
    throw new ChannelClosed(`${operation}: the channel has ended, it was closed`, {
      segment: this.name,
      ...(this.#failure ? { cause: this.#failure.error } : {}),
    });
  }

  end(failure: { readonly error: unknown } | undefined): void {
    if (this.#ended || this.closed) return;
    this.#ended = true;
    this.#failure = failure;
    const cause = failure ? { cause: failure.error } : {};
    this.#writing.rejectAll(
      (operation) =>
        new ChannelClosed(`${operation}: the channel was closed while this waited for room`, {
          segment: this.name,
          ...cause,
        }),
    );
    this.#reading.serve();
  }

  // Receiving

  take(operation: string, tries: boolean): T | typeof notYet {
    if (tries && this.#depth === 0 && !this.closed) return notYet;
    const message = this.#takeMessage(operation);
    if (message === notYet) return notYet;
    this.#received += 1;
    return message.value;
  }

  takeMany(max: number, operation: string): readonly T[] | typeof notYet {
    const values: T[] = [];
    while (values.length < max && (values.length === 0 || this.#depth > 0)) {
      const value = this.take(operation, false);
      if (value === notYet) return notYet;
      values.push(value);
    }
    return values;
  }

  takeView(operation: string): HeldView | typeof notYet {
    const message = this.#takeMessage(operation);
    if (message === notYet) return notYet;
    const view = new LocalView(message, (held, done) => this.#settle(held, done));
    this.#views.add(view);
    return view;
  }

  #takeMessage(operation: string): Message<T> | typeof notYet {
    if (this.closed) throw closedError(this, operation);
    this.#reads = true;
    if (this.#depth > 0) {
      const message = this.#shift();
      this.#writing.serve();
      return message;
    }
    // What somebody looks at may come back.
    if (!this.#ended || this.#views.size > 0) return notYet;
    if (this.#failure) throw this.#failure.error;
    throw new ChannelClosed(`${operation}: the channel has ended, it was closed`, {
      segment: this.name,
    });
  }

  #settle(view: LocalView<T>, done: boolean): void {
    this.#views.delete(view);
    if (this.closed) return;
    if (done) {
      this.#received += 1;
    } else {
      view.message.deliveries += 1;
      this.#messages.splice(this.#first, 0, view.message);
    }
    this.#reading.serve();
  }

  get #depth(): number {
    return this.#messages.length - this.#first;
  }

  get #full(): boolean {
    return this.#depth >= this.#capacity;
  }

  #shift(): Message<T> {
    const message = this.#messages[this.#first] as Message<T>;
    this.#first += 1;
    // Now and then, and not each time: moving what is left has its price.
    if (this.#first > 64 && this.#first * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
    return message;
  }

  get idle(): boolean {
    return this.#reading.idle;
  }

  enter<R>(attempt: () => R | typeof notYet, operation: string, wait: Wait): PendingWait<R> {
    return this.#reading.enter({ attempt, operation }, wait);
  }

  serve(): void {
    this.#reading.serve();
  }

  // The handle itself

  stats(): ChannelStats {
    if (this.closed) throw closedError(this, 'stats');
    return {
      depth: this.#depth + this.#views.size,
      bytes: 0,
      sent: this.#sent,
      received: this.#received,
      dropped: this.#dropped,
      writers: this.#ended ? 0 : 1,
      readers: this.#reads ? 1 : 0,
      died: 0,
    };
  }

  readonly referenced = false;

  setReferenced(): void {
    // A wait that only this process could end never keeps it alive.
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#ended = true;
    for (const line of [this.#reading, this.#writing]) {
      line.rejectAll((operation) => closedError(this, operation));
    }
    this.#messages = [];
    this.#first = 0;
  }

  unlink(): boolean {
    return false;
  }
}

/** Nothing has to be asked for a wake: whoever changes the channel serves its lines. */
function sleepOn(channel: { kind: string; name: string }, reason: string): WaitSource {
  return {
    arm: () => waitingMakesSense,
    disarm: nothing,
    failure: (_status, operation) => closedError(channel, operation),
    timedOut: (operation, milliseconds) => timeoutError(channel, operation, milliseconds, reason),
  };
}

function nothing(): void {
  // There is nothing to do in a channel of this process.
}

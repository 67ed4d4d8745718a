/** Channels: streams that can also be sent to, in this process or between processes. */
import type { Writable } from 'node:stream';
import { inspect } from 'node:util';
import { parseCodec } from '../codec.js';
import { invalidArgumentValue, outOfRange } from '../errors.js';
import {
  checkOptions,
  parseBoolean,
  parseBytes,
  parseInteger,
  parseLabel,
  parseMode,
  parseName,
  parseSignal,
  parseWait,
  type WaitOptions,
} from '../options.js';
import { createRing, openRing, unlinkRing } from '../queue/open-ring.js';
import type { ReadView } from '../queue/views.js';
import { notYet } from '../wait.js';
import {
  channelNames,
  openNames,
  type ChannelOpenOptions,
  type ChannelOptions,
  type LocalChannelOptions,
} from './channel-options.js';
import { ChannelReader, ValuePuller, ViewPuller } from './channel-reader.js';
import type { ChannelStats, ChannelStore } from './channel-store.js';
import { PullIterator, loopUntil } from './iterator.js';
import { LocalStore } from './local-store.js';
import { RunScope } from './pull.js';
import { SharedStore } from './shared-store.js';
import { writableOf, type Sink } from './sink.js';
import { Stream } from './stream.js';

const mostPrefetched = 1024;
const mostCapacity = 0xffffffff;

/**
 * Leaving a loop over a channel (`break`, `return`, an error) does not close the channel: the next
 * loop on the same handle goes on with the next message, and others may read meanwhile.
 *
 * A bounded queue of values with an end. Any number of handles, in this process or in others, send
 * to it and receive from it, and each value goes to exactly one of them. Waiting in `send` is the
 * backpressure. Closing says that this handle sends no more; the channel ends when its creator and
 * everybody who has sent have closed. Death is no end: when the last writer dies, readers get
 * `PeerDied` after what it had sent.
 *
 * Values are acknowledged when they are handed over: at most once after that. Where no value may
 * be lost with a reader that dies, use `views()`.
 *
 * @example
 * await using jobs = Channel.create<Job>('app_jobs', { bytes: '64MiB' });
 * for (const job of work) await jobs.send(job);
 *
 * // in any other process, any number of them
 * for await (const job of await Channel.open<Job>('app_jobs')) await run(job);
 */
export class Channel<T> extends Stream<T> implements Sink<T>, AsyncDisposable {
  readonly #store: ChannelStore<T>;
  readonly #reader: ChannelReader<T>;
  #sendingEnded = false;

  private constructor(store: ChannelStore<T>) {
    const reader = new ChannelReader(store);
    super(() => new ValuePuller(reader, false));
    this.#store = store;
    this.#reader = reader;
  }

  /**
   * A channel of this process, without shared memory and without a codec: values arrive as they
   * are, by reference. Everything else is the same.
   *
   * @param capacity how many messages may wait, 1 or more
   * @throws RangeError for a capacity below 1
   * @example
   * const numbers = Channel.local<number>(10);
   */
  static local<T>(capacity: number, options?: LocalChannelOptions): Channel<T> {
    const most = parseInteger('capacity', capacity, 1, mostCapacity);
    if (most === undefined) throw outOfRange('capacity', 'a whole number, 1 or more', capacity);
    const { whenFull = 'wait' } = checkOptions<LocalChannelOptions>('options', options, [
      'whenFull',
    ]);
    if (!['wait', 'drop-oldest', 'drop-newest'].includes(whenFull)) {
      throw invalidArgumentValue(
        'whenFull',
        whenFull,
        "it must be 'wait', 'drop-oldest' or 'drop-newest'",
      );
    }
    return new Channel<T>(new LocalStore<T>(most, whenFull));
  }

  /**
   * Makes a channel in shared memory. Its creator counts as a writer until it closes.
   *
   * @throws ZooError `ERR_ZOO_EXISTS` when somebody uses a channel of this name, `ERR_ZOO_KIND`,
   *   `ERR_ZOO_CORRUPT`, `ERR_ZOO_NO_SPACE`, `ERR_ZOO_ACCESS`, `ERR_ZOO_PLATFORM`; `TypeError` or
   *   `RangeError` for a wrong argument
   * @example
   * await using jobs = Channel.create<Job>('app_jobs', { capacity: 1000, prefetch: 64 });
   */
  static create<T>(name: string, options?: ChannelOptions): Channel<T> {
    const bare = parseName(name);
    const given = checkOptions<ChannelOptions>('options', options, channelNames);
    const { whenFull = 'wait' } = given;
    if (whenFull !== 'wait' && whenFull !== 'drop-oldest') {
      throw invalidArgumentValue(
        'whenFull',
        whenFull,
        "between processes it must be 'wait' or 'drop-oldest'; dropping the newest is what a " +
          'trySend() does whose answer nobody looks at',
      );
    }
    const prefetch = parsePrefetch(given.prefetch);
    const opened = createRing(
      'channel',
      bare,
      {
        bytes: given.bytes === undefined ? undefined : parseBytes('bytes', given.bytes, 2),
        mostMessages: parseInteger('capacity', given.capacity, 1, mostCapacity),
        dropsOldest: whenFull === 'drop-oldest',
        mode: parseMode(given.mode),
        reserve: parseBoolean('reserve', given.reserve),
        persist: parseBoolean('persist', given.persist),
        label: parseLabel(given.label),
      },
      parseCodec(given.codec),
    );
    return new Channel<T>(new SharedStore(opened, prefetch));
  }

  /**
   * Opens a channel as soon as its creator has made it. The codec is the creator's, unless that is
   * one of its own.
   *
   * Cancel safety: a wait that is given up opens nothing.
   *
   * @throws ZooError `ERR_ZOO_TIMEOUT`, `ERR_ZOO_KIND`, `ERR_ZOO_INCOMPATIBLE` (another codec or
   *   layout), `ERR_ZOO_CORRUPT`, `ERR_ZOO_FULL`, `ERR_ZOO_ACCESS`; `AbortError`
   * @example
   * const jobs = await Channel.open<Job>('app_jobs', { timeout: 5000 });
   */
  static async open<T>(name: string, options?: ChannelOpenOptions): Promise<Channel<T>> {
    const bare = parseName(name);
    const given = checkOptions<ChannelOpenOptions>('options', options, openNames);
    const { timeout, signal, codec } = given;
    const wait = parseWait({ timeout, signal });
    const prefetch = parsePrefetch(given.prefetch);
    if (codec !== undefined) parseCodec(codec);
    const opened = await openRing('channel', bare, wait, parseLabel(given.label), codec);
    return new Channel<T>(new SharedStore(opened, prefetch));
  }

  /**
   * Removes the name. Who has the channel open goes on with it.
   *
   * @returns false when there was none
   * @throws ZooError `ERR_ZOO_KIND`, `ERR_ZOO_CORRUPT`, `ERR_ZOO_ACCESS`
   */
  static unlink(name: string): boolean {
    return unlinkRing('channel', parseName(name));
  }

  /** The name, without a leading slash; `'local'` for a channel of this process. */
  get name(): string {
    return this.#store.name;
  }

  /** Whether this handle sends no more: it was closed, or disposed of. */
  get closed(): boolean {
    return this.#sendingEnded || this.#store.closed;
  }

  // Sending

  /**
   * Sends a value; waits while the channel is full.
   *
   * Cancel safety: a send that is given up has sent nothing.
   *
   * @throws ZooError `ChannelClosed` after the end, `ERR_ZOO_UNSENDABLE` naming the culprit,
   *   `ERR_ZOO_TOO_LARGE`, `ERR_ZOO_TIMEOUT`, `ERR_ZOO_CLOSED`; `AbortError`
   * @example
   * await jobs.send({ id: 1 }, { timeout: 1000 });
   */
  send(value: T, options?: WaitOptions): Promise<void> {
    try {
      return this.#store.send(value, 'send', options && parseWait(options));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Sends all of these, in order, many with one call; waits while the channel is full.
   *
   * Cancel safety: not all or nothing. The error says in `sent` how many were sent.
   */
  sendMany(values: readonly T[], options?: WaitOptions): Promise<void> {
    try {
      return this.#store.sendMany(values, 'sendMany', options && parseWait(options));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Sends a value if there is room now; false when there is none. Throws as `send`. */
  trySend(value: T): boolean {
    return this.#store.trySend(value, 'trySend');
  }

  /**
   * This handle sends no more, and its pending sends reject with `ChannelClosed`. It can still
   * receive. Without an error it is the end, once the creator and everybody who has sent have
   * closed. With an error the channel fails for everybody: readers get what was sent before, then
   * the error, with the stack and the `pid` of this process, and so does who opens it later. A
   * second time does nothing.
   *
   * @example
   * try {
   *   await produce(jobs);
   *   await jobs.close();
   * } catch (error) {
   *   await jobs.close(error);
   * }
   */
  async close(error?: unknown): Promise<void> {
    if (this.closed) return;
    this.#sendingEnded = true;
    this.#store.end(error === undefined ? undefined : { error });
  }

  /** A Node Writable that sends: `end()` closes, `destroy(error)` closes with the error. */
  writable(): Writable {
    return writableOf(this, false);
  }

  // Receiving

  /**
   * Takes the next value; waits until there is one.
   *
   * Cancel safety: a receive that is given up has taken nothing.
   *
   * @throws ZooError `ChannelClosed` at the end, `PeerDied`, `ERR_ZOO_TIMEOUT`, `ERR_ZOO_CLOSED`,
   *   `ERR_ZOO_DECODE`; `AbortError`; or what the channel was closed with
   * @example
   * const job = await jobs.receive({ signal });
   */
  receive(options?: WaitOptions): Promise<T> {
    const reader = this.#reader;
    try {
      if (options === undefined && reader.store.idle) {
        const value = reader.take('receive');
        if (value !== notYet) return Promise.resolve(value);
      }
      const wait = parseWait(options);
      return reader.store.enter(() => reader.take('receive'), 'receive', wait).promise;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Takes the next value if there is one now. Undefined when there is none, also at the end and
   * after a failure, which `receive` tells apart.
   */
  tryReceive(): T | undefined {
    const value = this.#reader.take('tryReceive', true);
    return value === notYet ? undefined : value;
  }

  /**
   * Messages in place, as bytes, without copying and without the codec. Each is acknowledged when
   * the loop asks for the next, and redelivered with one more in `deliveries` when its reader dies
   * before; leaving the loop gives the current one back. A view is valid until the next step.
   *
   * @example
   * for await (const { view } of frames.views()) detect(view);
   */
  views(options?: { signal?: AbortSignal }): AsyncIterable<ReadView> {
    const given = checkOptions<{ signal: AbortSignal }>('options', options, ['signal']);
    return loopUntil(parseSignal(given.signal), () => new ViewPuller(this.#store));
  }

  /**
   * Values one by one until the end, each acknowledged as it is handed over. Throws `PeerDied`
   * when the last writer died, or what the channel was closed with.
   */
  override [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return new PullIterator<T>(new RunScope(), () => new ValuePuller(this.#reader, true));
  }

  // The handle itself

  /** Plain numbers; a few microseconds. */
  stats(): ChannelStats {
    const stats = this.#store.stats();
    return { ...stats, depth: stats.depth + this.#reader.readyCount };
  }

  /** Pending waits keep the process alive, which is the default; not those of a local channel. */
  ref(): this {
    this.#store.setReferenced(true);
    return this;
  }

  /** Pending waits do not keep the process alive. */
  unref(): this {
    this.#store.setReferenced(false);
    return this;
  }

  /** Whether pending waits keep the process alive. */
  hasRef(): boolean {
    return this.#store.referenced;
  }

  /** Removes the name, if it still leads to this channel. False when it does not. */
  unlink(): boolean {
    return this.#store.unlink();
  }

  /**
   * Closes, without an error, and lets go of everything; the creator also removes the name, unless
   * it was made with `persist`. What is used after that: `ERR_ZOO_CLOSED`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#store.closed) return;
    this.#reader.clear();
    this.#store.close();
    if (this.#store.unlinkWhenDisposed) this.#store.unlink();
  }

  [inspect.custom](): string {
    const { name, closed } = this;
    return `Channel ${inspect({ name, closed }, { breakLength: Infinity })}`;
  }
}

function parsePrefetch(prefetch: unknown): number {
  return parseInteger('prefetch', prefetch, 1, mostPrefetched) ?? 1;
}

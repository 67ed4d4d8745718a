import { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import { invalidArgumentType, outOfRange } from '../errors.js';
import { environment } from '../lifecycle.js';
import type { OpenMode } from '../native.js';
import {
  checkOptions,
  parseCount,
  parseName,
  parseSignal,
  parseSyncWait,
  parseWait,
  type SyncWaitOptions,
  type WaitOptions,
} from '../options.js';
import { closedError, translated } from '../status.js';
import { notYet, waitBlocking, type Request } from '../wait.js';
import { BatchPut, ByteList, EncodedPortions, type Batch } from './batch.js';
import type { QueueEndpoint } from './endpoint.js';
import { ValueIterator, ViewIterator } from './iterate.js';
import { openEndpoint } from './open.js';
import type { OpenOptions, QueueOptions } from './options.js';
import { PackedPut, checkPacked, type PackedMessages } from './packed.js';
import { readStats, type QueueStats } from './stats.js';
import type { ClaimedView, Cursor, ReadView, ReservedView, WriteView } from './views.js';
import { untilMade } from './wait-for.js';

const done: Promise<void> = Promise.resolve();

/**
 * A queue of messages in shared memory, between threads and processes, any of which may be killed
 * at any time without harm to the others.
 *
 * Three forms of every call: a plain name returns a promise and waits on the event loop, `…Sync`
 * blocks the thread, `try…` never waits. Waits take `{ timeout, signal }` (`…Sync`: `{ timeout }`)
 * and are served first come, first served. When a wait ends early, by timeout (`ERR_ZOO_TIMEOUT`),
 * abort (`AbortError`) or `close()` (`ERR_ZOO_CLOSED`), nothing was taken and nothing was sent.
 *
 * What any call may throw: `ERR_ZOO_CLOSED` after `close()`; `ERR_ZOO_CORRUPT` when the shared
 * memory is damaged; waits also `ERR_ZOO_GONE`, when somebody made the name anew. Reading at the
 * end: `ERR_ZOO_ENDED`, or `PeerDied` when the last writer died (`try…`: nothing). Writing after
 * the end: `ERR_ZOO_ENDED`. A message that can never fit: `ERR_ZOO_TOO_LARGE`.
 *
 * @example
 * using queue = new ZooQueue('app_jobs');
 * await queue.put({ id: 1 });
 * for await (const job of queue) console.log(job); // in another process
 */
export class ZooQueue<T = unknown> implements AsyncIterable<T>, Disposable, AsyncDisposable {
  readonly #endpoint: QueueEndpoint;
  readonly #unlinkWhenDisposed: boolean;

  /**
   * Opens the queue of this name, or creates it when there is none.
   *
   * @param name 1 to 200 of `A-Z a-z 0-9 . _ -`, with or without a leading `/`
   * @throws ZooError `ERR_ZOO_INCOMPATIBLE` (options disagree with the existing queue, saying which),
   *   `ERR_ZOO_KIND`, `ERR_ZOO_CORRUPT`, `ERR_ZOO_NO_SPACE`, `ERR_ZOO_FULL`, `ERR_ZOO_ACCESS`,
   *   `ERR_ZOO_PLATFORM`; `TypeError` or `RangeError` for a wrong argument
   * @example
   * const frames = new ZooQueue('app_frames', { slots: 8, slotSize: '6MiB' });
   */
  constructor(name: string, options?: QueueOptions);
  constructor(name: string, options?: QueueOptions, openMode: OpenMode = 'either') {
    this.#endpoint = openEndpoint(name, options, openMode);
    this.#unlinkWhenDisposed = this.#endpoint.native.created && options?.persist !== true;
  }

  /**
   * Creates the queue.
   *
   * @throws ZooError `ERR_ZOO_EXISTS` when there is one that somebody uses; one whose users have
   *   all died is replaced. Otherwise as the constructor.
   */
  static create<T = unknown>(name: string, options?: QueueOptions): ZooQueue<T> {
    return openAs<T>('create', name, options);
  }

  /**
   * Opens the queue.
   *
   * @throws ZooError `ERR_ZOO_NOT_FOUND` when there is none. Otherwise as the constructor.
   */
  static open<T = unknown>(name: string, options?: QueueOptions): ZooQueue<T> {
    return openAs<T>('open', name, options);
  }

  /**
   * Opens the queue as soon as its creator has made it. Cancel safety: a wait that is given up
   * opens nothing.
   *
   * @throws ZooError `ERR_ZOO_TIMEOUT`, and what `open` throws, except `ERR_ZOO_NOT_FOUND`
   * @example
   * const queue = await ZooQueue.waitFor('app_jobs', { timeout: 5000 });
   */
  static async waitFor<T = unknown>(
    name: string,
    options?: OpenOptions & WaitOptions,
  ): Promise<ZooQueue<T>> {
    const bare = parseName(name);
    if (options !== undefined && (typeof options !== 'object' || options === null)) {
      throw invalidArgumentType('options', 'an object', options);
    }
    const { timeout, signal, ...openOptions } = options ?? {};
    const wait = parseWait({ timeout, signal });
    return untilMade(bare, wait, () => ZooQueue.open<T>(name, openOptions));
  }

  /**
   * Removes the name. Who has the queue open goes on with it.
   *
   * @returns false when there was none
   * @throws ZooError `ERR_ZOO_KIND`, `ERR_ZOO_CORRUPT` (the file is not ours), `ERR_ZOO_ACCESS`
   */
  static unlink(name: string): boolean {
    const bare = parseName(name);
    return translated(bare, () => environment().unlinkQueue(bare));
  }

  /** The name, without a leading slash. */
  get name(): string {
    return this.#endpoint.name;
  }

  /** Whether this handle was closed. */
  get closed(): boolean {
    return this.#endpoint.closed;
  }

  /** Bytes of the store: of the ring, or of all slots. */
  get capacity(): number {
    return this.#endpoint.native.capacity;
  }

  /** The consumer group that this handle reads for. */
  get group(): string {
    return this.#endpoint.native.group;
  }

  /** Messages that wait for this handle's group; 0 once closed. */
  get length(): number {
    return this.#endpoint.length;
  }

  // Values, through the codec

  /**
   * Puts a value; waits for room.
   *
   * Cancel safety: a put that is given up is not in the queue.
   *
   * @throws ZooError `ERR_ZOO_UNSENDABLE` naming the culprit (`value.items[3].callback`),
   *   `ERR_ZOO_TOO_LARGE`, `ERR_ZOO_ENDED`
   * @example
   * await queue.put({ id: 1, at: new Date() }, { timeout: 1000 });
   */
  put(value: T, wait?: WaitOptions): Promise<void> {
    const endpoint = this.#endpoint;
    try {
      const bytes = endpoint.codec.encode(value);
      if (wait === undefined && endpoint.writing.idle && endpoint.put(bytes, 'put')) return done;
      // While this one waits, the next value would be encoded over it.
      return this.#putLater(
        endpoint.codec.reusesBytes ? Uint8Array.from(bytes) : bytes,
        'put',
        wait,
      );
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Puts a value; blocks the thread until there is room. Errors as `put`. */
  putSync(value: T, wait?: SyncWaitOptions): void {
    const endpoint = this.#endpoint;
    const bytes = endpoint.codec.encode(value);
    if (wait === undefined && endpoint.put(bytes, 'putSync')) return;
    this.#putBlocking(bytes, 'putSync', wait);
  }

  /** Puts a value if there is room now; false when there is none. Errors as `put`. */
  tryPut(value: T): boolean {
    return this.#endpoint.put(this.#endpoint.codec.encode(value), 'tryPut');
  }

  /**
   * Takes the next value; waits until there is one. It is acknowledged at once: what a process
   * has taken and not finished when it dies is lost. `recvView` is for work that must not be.
   *
   * Cancel safety: a get that is given up has taken nothing.
   *
   * @throws ZooError `ERR_ZOO_ENDED`, `PeerDied`; `ERR_ZOO_DECODE` when the bytes are no value of
   *   this codec (they are in `error.bytes`, the message is gone)
   * @example
   * const job = await queue.get({ signal });
   */
  get(wait?: WaitOptions): Promise<T> {
    const endpoint = this.#endpoint;
    if (wait === undefined && endpoint.reading.idle) {
      try {
        const value = endpoint.takeValue();
        if (value !== notYet) return Promise.resolve(value as T);
      } catch (error) {
        return Promise.reject(error as Error);
      }
    }
    return this.#read('get', () => endpoint.takeValue() as T | typeof notYet, wait);
  }

  /** Takes the next value; blocks the thread until there is one. Errors as `get`. */
  getSync(wait?: SyncWaitOptions): T {
    const endpoint = this.#endpoint;
    if (wait === undefined) {
      const value = endpoint.takeValue();
      if (value !== notYet) return value as T;
    }
    return this.#readBlocking('getSync', () => endpoint.takeValue() as T | typeof notYet, wait);
  }

  /** Takes the next value if there is one now; undefined when there is none, also at the end. */
  tryGet(): T | undefined {
    const value = this.#endpoint.takeValue();
    return value === notYet ? this.#endpoint.checkNothing('tryGet') : (value as T);
  }

  /**
   * Puts all values, in order, many with one call; waits for room. Other writers may put between
   * them. Pass an array where it matters which were sent: of another iterable, values may have been
   * pulled that were not.
   *
   * Cancel safety: not all or nothing. The error says in `sent` how many went in.
   *
   * @throws ZooError as `put`, with `sent`
   * @example
   * await queue.putMany([1, 2, 3]);
   */
  putMany(values: Iterable<T>, wait?: WaitOptions): Promise<void> {
    return this.#sendMany(() => this.#valueBatch('putMany', values, false), wait);
  }

  /** Puts all values; blocks the thread until they are in. Errors as `putMany`. */
  putManySync(values: Iterable<T>, wait?: SyncWaitOptions): void {
    this.#sendManyBlocking(this.#valueBatch('putManySync', values, false), wait);
  }

  /** Puts as many values as there is room for now. Answers how many went in, from the first on. */
  tryPutMany(values: Iterable<T>): number {
    return trySend(this.#valueBatch('tryPutMany', values, !Array.isArray(values)));
  }

  /**
   * Takes the next values, at least one and at most `max`; waits until there is one.
   *
   * Cancel safety: nothing was taken. When a value cannot be decoded, those before it are
   * returned, and the next call throws `ERR_ZOO_DECODE`.
   *
   * @throws ZooError as `get`
   */
  getMany(max: number, wait?: WaitOptions): Promise<T[]> {
    const endpoint = this.#endpoint;
    return this.#readMany(
      'getMany',
      max,
      (most) => endpoint.takeManyValues(most) as T[] | typeof notYet,
      wait,
    );
  }

  /** Takes at least one and at most `max` values; blocks the thread until there is one. */
  getManySync(max: number, wait?: SyncWaitOptions): T[] {
    const most = parseCount('max', max);
    const take = (): T[] | typeof notYet =>
      this.#endpoint.takeManyValues(most) as T[] | typeof notYet;
    return this.#readBlocking('getManySync', take, wait);
  }

  /** Takes the values that are there now, at most `max`. */
  tryGetMany(max: number): T[] {
    const values = this.#endpoint.takeManyValues(parseCount('max', max)) as T[] | typeof notYet;
    return values === notYet ? (this.#endpoint.checkNothing('tryGetMany') ?? []) : values;
  }

  // Bytes, copied in and out

  /**
   * Puts a copy of bytes, without a codec; waits for room. Until the promise settles, do not
   * change them.
   *
   * Cancel safety: a put that is given up is not in the queue.
   *
   * @throws ZooError `ERR_ZOO_TOO_LARGE`, `ERR_ZOO_ENDED`
   */
  putBytes(bytes: Uint8Array | ArrayBufferView, wait?: WaitOptions): Promise<void> {
    const endpoint = this.#endpoint;
    try {
      const source = asBytes(bytes);
      if (wait === undefined && endpoint.writing.idle && endpoint.put(source, 'putBytes'))
        return done;
      return this.#putLater(source, 'putBytes', wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Puts a copy of bytes; blocks the thread until there is room. */
  putBytesSync(bytes: Uint8Array | ArrayBufferView, wait?: SyncWaitOptions): void {
    const source = asBytes(bytes);
    if (wait === undefined && this.#endpoint.put(source, 'putBytesSync')) return;
    this.#putBlocking(source, 'putBytesSync', wait);
  }

  /** Puts a copy of bytes if there is room now; false when there is none. */
  tryPutBytes(bytes: Uint8Array | ArrayBufferView): boolean {
    return this.#endpoint.put(asBytes(bytes), 'tryPutBytes');
  }

  /**
   * Takes a copy of the next message, without a codec; waits until there is one. Small messages
   * share a block of 64 KiB, as with Node's own Buffers.
   *
   * Cancel safety: nothing was taken.
   *
   * @throws ZooError `ERR_ZOO_ENDED`, `PeerDied`
   */
  getBytes(wait?: WaitOptions): Promise<Buffer> {
    const endpoint = this.#endpoint;
    if (wait === undefined && endpoint.reading.idle) {
      try {
        const bytes = endpoint.takeBytes();
        if (bytes !== notYet) return Promise.resolve(bytes);
      } catch (error) {
        return Promise.reject(error as Error);
      }
    }
    return this.#read('getBytes', () => endpoint.takeBytes(), wait);
  }

  /** Takes a copy of the next message; blocks the thread until there is one. */
  getBytesSync(wait?: SyncWaitOptions): Buffer {
    const endpoint = this.#endpoint;
    if (wait === undefined) {
      const bytes = endpoint.takeBytes();
      if (bytes !== notYet) return bytes;
    }
    return this.#readBlocking('getBytesSync', () => endpoint.takeBytes(), wait);
  }

  /** Takes a copy of the next message if there is one now. */
  tryGetBytes(): Buffer | undefined {
    const bytes = this.#endpoint.takeBytes();
    return bytes === notYet ? this.#endpoint.checkNothing('tryGetBytes') : bytes;
  }

  /** Puts copies of all, in order; waits for room. Cancelling and errors as `putMany`. */
  putBytesMany(list: readonly Uint8Array[], wait?: WaitOptions): Promise<void> {
    return this.#sendMany(() => this.#bytesBatch('putBytesMany', list), wait);
  }

  /** Puts copies of all; blocks the thread until they are in. */
  putBytesManySync(list: readonly Uint8Array[], wait?: SyncWaitOptions): void {
    this.#sendManyBlocking(this.#bytesBatch('putBytesManySync', list), wait);
  }

  /** Puts as many as there is room for now. Answers how many went in, from the first on. */
  tryPutBytesMany(list: readonly Uint8Array[]): number {
    return trySend(this.#bytesBatch('tryPutBytesMany', list));
  }

  /** Takes copies of the next messages, at least one and at most `max`; waits until there is one. */
  getBytesMany(max: number, wait?: WaitOptions): Promise<Buffer[]> {
    return this.#readMany('getBytesMany', max, (most) => this.#endpoint.takeManyBytes(most), wait);
  }

  /** Takes at least one and at most `max` messages; blocks the thread until there is one. */
  getBytesManySync(max: number, wait?: SyncWaitOptions): Buffer[] {
    const most = parseCount('max', max);
    return this.#readBlocking('getBytesManySync', () => this.#endpoint.takeManyBytes(most), wait);
  }

  /** Takes the messages that are there now, at most `max`. */
  tryGetBytesMany(max: number): Buffer[] {
    const list = this.#endpoint.takeManyBytes(parseCount('max', max));
    return list === notYet ? (this.#endpoint.checkNothing('tryGetBytesMany') ?? []) : list;
  }

  /**
   * Puts many small messages that lie in one piece of memory, in order; waits for room. The fastest
   * way for messages of up to about 1 KiB. Until the promise settles, do not change them.
   *
   * Cancel safety: not all or nothing. The error says in `sent` how many went in.
   *
   * @throws ZooError as `putBytes`, with `sent`; `TypeError` when the sizes do not add up to the bytes
   * @example
   * await queue.putPacked({ bytes: Buffer.from('onetwo'), sizes: new Uint32Array([3, 3]) });
   */
  putPacked(messages: PackedMessages, wait?: WaitOptions): Promise<void> {
    return this.#sendMany(() => this.#packed('putPacked', messages), wait);
  }

  /** Puts packed messages; blocks the thread until they are in. */
  putPackedSync(messages: PackedMessages, wait?: SyncWaitOptions): void {
    this.#sendManyBlocking(this.#packed('putPackedSync', messages), wait);
  }

  /** Puts as many as there is room for now. Answers how many went in, from the first on. */
  tryPutPacked(messages: PackedMessages): number {
    return trySend(this.#packed('tryPutPacked', messages));
  }

  /**
   * Takes copies of the next messages, at least one and at most `max`, in one piece of memory;
   * waits until there is one. Up to 1024 messages and 64 KiB at a time; a larger message comes alone.
   *
   * Cancel safety: nothing was taken.
   *
   * @throws ZooError `ERR_ZOO_ENDED`, `PeerDied`
   * @example
   * const { bytes, sizes } = await queue.getPacked(256);
   * let at = 0;
   * for (const size of sizes) handle(bytes.subarray(at, (at += size)));
   */
  getPacked(max: number, wait?: WaitOptions): Promise<PackedMessages> {
    return this.#readMany('getPacked', max, (most) => this.#endpoint.takePacked(most), wait);
  }

  /** Takes at least one and at most `max` packed messages; blocks the thread until there is one. */
  getPackedSync(max: number, wait?: SyncWaitOptions): PackedMessages {
    const most = parseCount('max', max);
    if (wait === undefined) {
      const messages = this.#endpoint.takePacked(most);
      if (messages !== notYet) return messages;
    }
    return this.#readBlocking('getPackedSync', () => this.#endpoint.takePacked(most), wait);
  }

  /** Takes as `getPacked` what is there now; when there is nothing, both arrays are empty. */
  tryGetPacked(max: number): PackedMessages {
    const messages = this.#endpoint.takePacked(parseCount('max', max));
    if (messages !== notYet) return messages;
    this.#endpoint.checkNothing('tryGetPacked');
    return { bytes: new Uint8Array(0), sizes: new Uint32Array(0) };
  }

  // Bytes, in place

  /**
   * Claims the next message and gives its bytes in place, without copying; waits until there is
   * one. Nobody else of the group gets it while the view is out. If this process dies before
   * `commitRead`, the message is offered again, with `deliveries` one higher.
   *
   * Cancel safety: nothing was claimed.
   *
   * @throws ZooError `ERR_ZOO_ENDED`, `PeerDied`
   * @example
   * const frame = await queue.recvView();
   * detect(frame.view);
   * queue.commitRead(frame.cursor);
   */
  recvView(wait?: WaitOptions): Promise<ReadView> {
    const endpoint = this.#endpoint;
    if (wait === undefined && endpoint.reading.idle) {
      try {
        const view = endpoint.claim();
        if (view !== notYet) return Promise.resolve(view);
      } catch (error) {
        return Promise.reject(error as Error);
      }
    }
    return this.#read<ReadView>('recvView', () => endpoint.claim(), wait);
  }

  /** Claims the next message in place; blocks the thread until there is one. */
  recvViewSync(wait?: SyncWaitOptions): ReadView {
    const endpoint = this.#endpoint;
    if (wait === undefined) {
      const view = endpoint.claim();
      if (view !== notYet) return view;
    }
    return this.#readBlocking<ReadView>('recvViewSync', () => endpoint.claim(), wait);
  }

  /** Claims the next message in place if there is one now. */
  tryRecvView(): ReadView | undefined {
    const view = this.#endpoint.claim();
    return view === notYet ? this.#endpoint.checkNothing('tryRecvView') : view;
  }

  /** Claims at least one and at most `max` messages in place (1024 at a time); waits until there is one. */
  recvViews(max: number, wait?: WaitOptions): Promise<ReadView[]> {
    return this.#readMany<ReadView[]>(
      'recvViews',
      max,
      (most) => this.#endpoint.claimMany(most),
      wait,
    );
  }

  /** Claims at least one and at most `max` messages in place; blocks the thread until there is one. */
  recvViewsSync(max: number, wait?: SyncWaitOptions): ReadView[] {
    const most = parseCount('max', max);
    if (wait === undefined) {
      const views = this.#endpoint.claimMany(most);
      if (views !== notYet) return views;
    }
    return this.#readBlocking<ReadView[]>(
      'recvViewsSync',
      () => this.#endpoint.claimMany(most),
      wait,
    );
  }

  /** Claims the messages that are there now in place, at most `max`. */
  tryRecvViews(max: number): ReadView[] {
    const views = this.#endpoint.claimMany(parseCount('max', max));
    return views === notYet ? (this.#endpoint.checkNothing('tryRecvViews') ?? []) : views;
  }

  /**
   * Done with a view: its space is free. Views may be committed in any order.
   *
   * @throws ZooError `ERR_ZOO_CURSOR` a second time, and for a view of another handle
   */
  commitRead(cursor: Cursor): void {
    const endpoint = this.#endpoint;
    endpoint.release(endpoint.claimedView(cursor, 'commitRead'), 'commitRead');
  }

  /**
   * Done with many views, with one call.
   *
   * @throws ZooError `ERR_ZOO_CURSOR` when one of them is not out, or is listed twice
   */
  commitReadMany(views: readonly ReadView[]): void {
    if (!Array.isArray(views)) throw invalidArgumentType('views', 'an array of views', views);
    this.#endpoint.releaseMany(views, 'commitReadMany');
  }

  /**
   * Gives a message back: it is offered again, with `deliveries` one higher, and goes to the dead
   * letters after `maxDeliveries`.
   *
   * @throws ZooError `ERR_ZOO_CURSOR` when the view is not out
   */
  rejectRead(cursor: Cursor): void {
    this.#endpoint.reject(this.#endpoint.claimedView(cursor, 'rejectRead'));
  }

  /**
   * Claims the oldest message that was delivered `maxDeliveries` times without being committed, or
   * gives undefined. `commitRead` removes it, `rejectRead` puts it back.
   */
  tryGetDead(): ReadView | undefined {
    const view: ClaimedView | typeof notYet = this.#endpoint.claimDead();
    return view === notYet ? this.#endpoint.checkNothing('tryGetDead') : view;
  }

  /**
   * Sets room for a message of `size` bytes aside, to be written in place; waits for room.
   * Messages are delivered in the order of their reservations, so commit soon.
   *
   * Cancel safety: nothing was reserved.
   *
   * @throws ZooError `ERR_ZOO_TOO_LARGE`, `ERR_ZOO_ENDED`
   * @example
   * const frame = await queue.reserve(width * height * 3);
   * camera.readInto(frame.view);
   * queue.commitWrite(frame.cursor);
   */
  reserve(size: number, wait?: WaitOptions): Promise<WriteView> {
    const endpoint = this.#endpoint;
    try {
      const needed = checkSize(size);
      if (wait === undefined && endpoint.writing.idle) {
        const view = endpoint.reserve(needed, 'reserve');
        if (view !== notYet) return Promise.resolve(view);
      }
      const attempt = (): WriteView | typeof notYet => endpoint.reserve(needed, 'reserve');
      return endpoint.writing.wait({ attempt, operation: 'reserve', needed }, parseWait(wait));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Sets room for a message aside; blocks the thread until there is some. */
  reserveSync(size: number, wait?: SyncWaitOptions): WriteView {
    const endpoint = this.#endpoint;
    const needed = checkSize(size);
    const attempt = (): WriteView | typeof notYet => endpoint.reserve(needed, 'reserveSync');
    return waitBlocking(
      endpoint.writeSide,
      { attempt, operation: 'reserveSync', needed },
      parseSyncWait(wait),
    );
  }

  /** Sets room for a message aside if there is some now. */
  tryReserve(size: number): WriteView | undefined {
    const view: ReservedView | typeof notYet = this.#endpoint.reserve(
      checkSize(size),
      'tryReserve',
    );
    return view === notYet ? undefined : view;
  }

  /**
   * Makes a reserved message visible, with its first `bytes` bytes (default: all).
   *
   * @throws ZooError `ERR_ZOO_CURSOR` when the view is not out; `RangeError` for more bytes than reserved
   */
  commitWrite(cursor: Cursor, bytes?: number): void {
    const view = this.#endpoint.reservedView(cursor, 'commitWrite');
    if (bytes !== undefined && typeof bytes !== 'number') {
      throw invalidArgumentType('bytes', 'a number', bytes);
    }
    if (bytes !== undefined && (!Number.isInteger(bytes) || bytes < 0 || bytes > view.size)) {
      throw outOfRange(
        'bytes',
        `a whole number from 0 to the ${view.size} that were reserved`,
        bytes,
      );
    }
    this.#endpoint.commit(view, bytes ?? view.size);
  }

  /** Gives reserved room back. Throws `ERR_ZOO_CURSOR` when the view is not out. */
  abortWrite(cursor: Cursor): void {
    this.#endpoint.abort(this.#endpoint.reservedView(cursor, 'abortWrite'));
  }

  // Iteration

  /**
   * Values one by one until the end of the queue; throws `PeerDied` when the last writer died.
   * Each is taken when the loop asks for it, so that leaving the loop loses none. The event loop
   * turns at least every 256 values.
   */
  [Symbol.asyncIterator](): AsyncIterator<T> {
    return new ValueIterator<T>(this.#endpoint, parseWait(undefined));
  }

  /**
   * Views one by one until the end of the queue. Each is committed when the loop asks for the
   * next; leaving the loop by `break` or an error gives the current one back.
   *
   * @example
   * for await (const { view } of queue.views()) detect(view);
   */
  views(options?: { signal?: AbortSignal }): AsyncIterable<ReadView> {
    const { signal } = checkOptions<{ signal: AbortSignal }>('options', options, ['signal']);
    const wait = { timeout: Infinity, signal: parseSignal(signal) };
    return { [Symbol.asyncIterator]: () => new ViewIterator(this.#endpoint, wait) };
  }

  // The handle itself

  /**
   * This handle puts no more. When no other writer is left, readers drain the queue and are at its
   * end. Reading goes on.
   */
  end(): void {
    if (this.#endpoint.closed) throw closedError(this.#endpoint, 'end');
    this.#endpoint.native.end();
  }

  /**
   * Lets go of this handle; for a writer that is a proper end. The name stays. Pending waits
   * reject with `ERR_ZOO_CLOSED`, views that are out become empty and their messages are offered
   * again. A second time does nothing.
   */
  close(): void {
    this.#endpoint.close();
  }

  /** Removes the name, if it still leads to this queue; works after `close()`. False when it does not. */
  unlink(): boolean {
    return translated(this.name, () => this.#endpoint.native.unlink());
  }

  /** Pending waits keep the process alive, which is the default. */
  ref(): this {
    this.#endpoint.waits.setReferenced(true);
    return this;
  }

  /** Pending waits do not keep the process alive. */
  unref(): this {
    this.#endpoint.waits.setReferenced(false);
    return this;
  }

  /** Whether pending waits keep the process alive. */
  hasRef(): boolean {
    return this.#endpoint.waits.referenced;
  }

  /** Plain numbers and who takes part; a few microseconds. */
  stats(): QueueStats {
    return readStats(this.#endpoint.stats(), this.capacity);
  }

  /** Closes; and unlinks when this handle made the queue, unless it was made with `persist`. */
  [Symbol.dispose](): void {
    this.close();
    if (this.#unlinkWhenDisposed) this.unlink();
  }

  [Symbol.asyncDispose](): Promise<void> {
    try {
      this[Symbol.dispose]();
      return done;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  [inspect.custom](): string {
    const { name, group, length, capacity, closed } = this;
    return `ZooQueue ${inspect({ name, group, length, capacity, closed }, { breakLength: Infinity })}`;
  }

  // What the forms have in common

  #read<R>(
    operation: string,
    take: () => R | typeof notYet,
    wait: WaitOptions | undefined,
  ): Promise<R> {
    try {
      return this.#endpoint.reading.wait(this.#reading(operation, take), parseWait(wait));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #readBlocking<R>(
    operation: string,
    take: () => R | typeof notYet,
    wait: SyncWaitOptions | undefined,
  ): R {
    return waitBlocking(
      this.#endpoint.readSide,
      this.#reading(operation, take),
      parseSyncWait(wait),
    );
  }

  #reading<R>(operation: string, take: () => R | typeof notYet): Request<R> {
    const endpoint = this.#endpoint;
    const attempt = (): R | typeof notYet => {
      const taken = take();
      return taken === notYet ? endpoint.mayCome(operation) : taken;
    };
    return { attempt, operation };
  }

  #readMany<R>(
    operation: string,
    max: number,
    take: (max: number) => R | typeof notYet,
    wait: WaitOptions | undefined,
  ): Promise<R> {
    const endpoint = this.#endpoint;
    try {
      const most = parseCount('max', max);
      if (wait === undefined && endpoint.reading.idle) {
        const taken = take(most);
        if (taken !== notYet) return Promise.resolve(taken);
      }
      return this.#read(operation, () => take(most), wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #putting(bytes: Uint8Array, operation: string): Request<void> {
    const endpoint = this.#endpoint;
    const attempt = (): void | typeof notYet =>
      endpoint.put(bytes, operation) ? undefined : notYet;
    return { attempt, operation, needed: bytes.length };
  }

  #putLater(bytes: Uint8Array, operation: string, wait: WaitOptions | undefined): Promise<void> {
    return this.#endpoint.writing.wait(this.#putting(bytes, operation), parseWait(wait));
  }

  #putBlocking(bytes: Uint8Array, operation: string, wait: SyncWaitOptions | undefined): void {
    waitBlocking(this.#endpoint.writeSide, this.#putting(bytes, operation), parseSyncWait(wait));
  }

  #valueBatch(operation: string, values: Iterable<T>, oneByOne: boolean): BatchPut {
    const { codec } = this.#endpoint;
    // A portion is encoded as a whole before it is sent.
    const encode = codec.reusesBytes
      ? (value: T) => Buffer.from(codec.encode(value))
      : (value: T) => codec.encode(value);
    if (typeof values?.[Symbol.iterator] !== 'function') {
      throw invalidArgumentType('values', 'an iterable', values);
    }
    return new BatchPut(this.#endpoint, operation, new EncodedPortions(values, encode, oneByOne));
  }

  #bytesBatch(operation: string, list: readonly Uint8Array[]): BatchPut {
    if (!Array.isArray(list)) throw invalidArgumentType('list', 'an array of Uint8Arrays', list);
    return new BatchPut(this.#endpoint, operation, new ByteList(list));
  }

  #packed(operation: string, messages: PackedMessages): PackedPut {
    return new PackedPut(this.#endpoint, operation, checkPacked(messages));
  }

  async #sendMany(makeBatch: () => Batch, wait: WaitOptions | undefined): Promise<void> {
    const { writing } = this.#endpoint;
    const batch = makeBatch();
    try {
      if (wait === undefined && writing.idle && batch.attempt() !== notYet) return;
      await writing.wait(batch, parseWait(wait));
    } catch (error) {
      throw batch.giveUp(error);
    }
  }

  #sendManyBlocking(batch: Batch, wait: SyncWaitOptions | undefined): void {
    try {
      waitBlocking(this.#endpoint.writeSide, batch, parseSyncWait(wait));
    } catch (error) {
      throw batch.giveUp(error);
    }
  }
}

/** The constructor with the argument that is not for users: `'either'` is what `new` means. */
function openAs<T>(openMode: OpenMode, name: string, options?: QueueOptions): ZooQueue<T> {
  return Reflect.construct(ZooQueue, [name, options, openMode]) as ZooQueue<T>;
}

function trySend(batch: Batch): number {
  try {
    batch.attempt();
    batch.giveUp(undefined);
    return batch.sent;
  } catch (error) {
    throw batch.giveUp(error);
  }
}

function asBytes(bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  if (ArrayBuffer.isView(bytes))
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  throw invalidArgumentType('bytes', 'a Uint8Array or another view of an ArrayBuffer', bytes);
}

function checkSize(size: unknown): number {
  if (typeof size !== 'number') throw invalidArgumentType('size', 'a number of bytes', size);
  if (!Number.isSafeInteger(size) || size < 0) {
    throw outOfRange('size', 'a whole number of bytes, 0 or more', size);
  }
  return size;
}

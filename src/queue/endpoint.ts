/**
 * One handle on a queue, below the public class: calls of the addon become messages, views and
 * errors here. Whatever cannot be done now is answered with `notYet`, and `lastStatus` says why.
 */
import { Buffer } from 'node:buffer';
import type { ValueCodec } from '../codec.js';
import { ZooError } from '../errors.js';
import { HandleWaits } from '../handle-waits.js';
import { environment } from '../lifecycle.js';
import { Status, maxBatch, type NativeQueue, type NativeQueueStats } from '../native.js';
import {
  closedError,
  cursorError,
  statusError,
  timeoutError,
  tooLargeError,
  type Subject,
  translated,
} from '../status.js';
import { WaitingLine, notYet, type BlockingSource } from '../wait.js';
import { Packer, misfitError, totalOf, type PackedMessages } from './packed.js';
import { largestShared, replaceByteSlab, selectByteSlab, selectValueSlab } from './slab.js';
import {
  ClaimedView,
  ReservedView,
  readClaimedView,
  readClaimedViews,
  type Cursor,
} from './views.js';

/** Bytes `start` to `end` of a buffer. */
export interface Span {
  readonly memory: Buffer;
  readonly start: number;
  readonly end: number;
}

export class QueueEndpoint implements Subject {
  readonly kind: 'queue' | 'channel' | 'pipe';
  readonly name: string;
  readonly native: NativeQueue;
  readonly codec: ValueCodec;
  readonly memory: ArrayBuffer;
  /** Bytes of the largest message. */
  readonly limit: number;
  readonly waits: HandleWaits;
  readonly readSide: BlockingSource;
  readonly writeSide: BlockingSource;
  readonly reading: WaitingLine;
  readonly writing: WaitingLine;
  readonly #bytes: Buffer;
  readonly #packer = new Packer();
  readonly #scratch: Float64Array;
  /** The same memory, for `takePacked`. */
  readonly #sizes: Uint32Array;
  /** What the next call for a value throws: a batch ended before a message that is no value. */
  #undecodable: Error | undefined;
  closed = false;
  /** Why the last call answered `notYet`. */
  lastStatus: number = Status.wouldBlock;

  constructor(
    name: string,
    native: NativeQueue,
    codec: ValueCodec,
    kind: 'queue' | 'channel' | 'pipe' = 'queue',
  ) {
    this.kind = kind;
    this.name = name;
    this.native = native;
    this.codec = codec;
    this.memory = native.memory;
    this.limit = native.limit;
    this.#bytes = Buffer.from(this.memory);
    this.#scratch = environment().scratch;
    this.#sizes = new Uint32Array(this.#scratch.buffer, this.#scratch.byteOffset);
    this.waits = new HandleWaits(native.id, 20, () => native.lookAround());
    this.readSide = new ReadSide(this);
    this.writeSide = new WriteSide(this);
    this.reading = new WaitingLine(this.waits, this.readSide, false);
    this.writing = new WaitingLine(this.waits, this.writeSide, true);
  }

  /** Puts a copy; false: no room now. */
  put(bytes: Uint8Array, operation: string): boolean {
    const status = this.native.put(bytes);
    if (status === Status.ok) return true;
    if (status === Status.wouldBlock) return false;
    throw this.#putError(status, bytes.length, operation);
  }

  #putError(status: number, size: number, operation: string): Error {
    return status === Status.tooLarge
      ? tooLargeError(this, operation, size, this.limit)
      : statusError(status, this, operation);
  }

  /** Puts messages that lie side by side, as many as there is room for now. Answers how many. */
  putPacked({ bytes, sizes }: PackedMessages, operation: string): number {
    if (sizes.length === 0 && bytes.length === 0) return 0;
    const put = this.native.putPacked(bytes, sizes);
    if (put > 0) return put;
    if (put === Status.wouldBlock) return 0;
    if (put === Status.misfit) throw misfitError(bytes, sizes);
    throw this.#putError(put, sizes[0] as number, operation);
  }

  /** Puts copies of a list from index `from` on, as many as there is room for now. Answers how many. */
  putBatch(list: readonly Uint8Array[], from: number, operation: string): number {
    const packer = this.#packer;
    packer.begin();
    for (let i = from; i < list.length; i++) {
      const source = list[i] as Uint8Array;
      if (!packer.add(source, 0, source.length)) break;
    }
    if (packer.count === 0) return Number(this.put(list[from] as Uint8Array, operation));
    return packer.note(this.putPacked(packer.messages(), operation));
  }

  /** The same for messages that lie in larger buffers. */
  putSpans(list: readonly Span[], from: number, operation: string): number {
    const packer = this.#packer;
    packer.begin();
    for (let i = from; i < list.length; i++) {
      const { memory, start, end } = list[i] as Span;
      if (!packer.add(memory, start, end)) break;
    }
    const { memory, start, end } = list[from] as Span;
    if (packer.count === 0) return Number(this.put(memory.subarray(start, end), operation));
    return packer.note(this.putPacked(packer.messages(), operation));
  }

  reserve(size: number, operation: string): ReservedView | typeof notYet {
    const number = this.native.reserve(size);
    if (number >= 0) return new ReservedView(this, number, this.#scratch[0] as number, size);
    if (number === Status.wouldBlock) return notYet;
    throw this.#putError(number, size, operation);
  }

  commit(view: ReservedView, bytes: number): void {
    const status = this.native.commit(view.number, bytes);
    if (status < 0) throw statusError(status, this, 'commitWrite');
    view.settle();
  }

  abort(view: ReservedView): void {
    const status = this.native.abort(view.number);
    if (status < 0) throw statusError(status, this, 'abortWrite');
    view.settle();
  }

  /** The addon's figures of now. */
  stats(): NativeQueueStats {
    const stats = this.closed ? undefined : translated(this.name, () => this.native.stats());
    if (stats === undefined) throw closedError(this, 'stats');
    return stats;
  }

  /** The reservation that a cursor stands for, if it is still out and from this handle. */
  reservedView(cursor: Cursor, operation: string): ReservedView {
    if (this.closed) throw closedError(this, operation);
    const view: unknown = cursor;
    if (view instanceof ReservedView && view.owner === this && view.number >= 0) return view;
    throw cursorError(this, operation);
  }

  /** Takes one message as bytes. */
  takeBytes(): Buffer | typeof notYet {
    const slab = selectByteSlab();
    const at = slab.used;
    const size = this.native.take(at);
    if (size >= 0) return slab.handOut(at, size);
    if (size !== Status.slabTooSmall) return this.#nothing(size);
    if ((this.#scratch[0] as number) > largestShared) return this.#takeLarge();
    replaceByteSlab();
    return this.takeBytes();
  }

  /** A message that is too large to share a block is claimed and copied into memory of its own. */
  #takeLarge(): Buffer | typeof notYet {
    const view = this.claim();
    if (view === notYet) return notYet;
    const copy = Buffer.allocUnsafeSlow(view.size);
    copy.set(view.view);
    this.release(view, 'getBytes');
    return copy;
  }

  /** Takes up to `max` messages as bytes, at least one. */
  takeManyBytes(max: number): Buffer[] | typeof notYet {
    const taken: Buffer[] = [];
    while (taken.length < max) {
      const slab = selectByteSlab();
      const count = this.native.takeMany(Math.min(max - taken.length, maxBatch), slab.used);
      for (let i = 0; i < count; i++) taken.push(slab.handOut(slab.used, this.#sizes[i] as number));
      if (count > 0) continue;
      const single = count === Status.slabTooSmall ? this.takeBytes() : this.#nothing(count);
      if (single === notYet) break;
      taken.push(single);
    }
    return taken.length > 0 ? taken : notYet;
  }

  /** Takes up to `max` messages side by side, at least one, and as many as fit into a block. */
  takePacked(max: number): PackedMessages | typeof notYet {
    const slab = selectByteSlab();
    const at = slab.used;
    const count = this.native.takePacked(Math.min(max, maxBatch), at);
    if (count > 0) {
      const sizes = this.#sizes.slice(0, count);
      return { bytes: slab.handOut(at, totalOf(sizes)), sizes };
    }
    if (count !== Status.slabTooSmall) return this.#nothing(count);
    const single = this.takeBytes();
    return single === notYet ? notYet : { bytes: single, sizes: Uint32Array.of(single.length) };
  }

  /** Takes one message as a value. */
  takeValue(): unknown {
    if (this.#undecodable) this.#throwUndecodable(this.#undecodable);
    if (this.codec.keepsSource) {
      const bytes = this.takeBytes();
      return bytes === notYet ? notYet : this.decode(bytes, 0, bytes.length);
    }
    const slab = selectValueSlab();
    const size = this.native.take(0);
    if (size >= 0) return this.decode(slab.bytes, 0, size);
    if (size !== Status.slabTooSmall) return this.#nothing(size);
    const view = this.claim();
    if (view === notYet) return notYet;
    try {
      return this.decode(this.#bytes, view.offset, view.offset + view.size);
    } finally {
      this.release(view, 'get');
    }
  }

  /**
   * Takes up to `max` messages with one call and shows each to `visit`, before the next call of
   * the addon. Answers how many, at least one.
   */
  takeEach(
    max: number,
    visit: (source: Buffer, start: number, end: number) => void,
  ): number | typeof notYet {
    if (this.codec.keepsSource) {
      const list = this.takeManyBytes(max);
      if (list === notYet) return notYet;
      for (const bytes of list) visit(bytes, 0, bytes.length);
      return list.length;
    }
    const slab = selectValueSlab();
    const count = this.native.takePacked(Math.min(max, maxBatch), 0);
    let start = 0;
    for (let i = 0; i < count; i++) visit(slab.bytes, start, (start += this.#sizes[i] as number));
    if (count > 0) return count;
    if (count !== Status.slabTooSmall) return this.#nothing(count);
    const view = this.claim();
    if (view === notYet) return notYet;
    visit(this.#bytes, view.offset, view.offset + view.size);
    this.release(view, 'get');
    return 1;
  }

  /**
   * Takes up to `max` messages as values, at least one. When one cannot be decoded, those before it
   * are returned, and the next call throws.
   */
  takeManyValues(max: number): unknown[] | typeof notYet {
    const values: unknown[] = [];
    try {
      while (values.length < max) {
        const value = this.takeValue();
        if (value === notYet) break;
        values.push(value);
      }
    } catch (error) {
      if (values.length === 0) throw error;
      this.#undecodable = error as Error;
    }
    return values.length > 0 ? values : notYet;
  }

  #throwUndecodable(error: Error): never {
    this.#undecodable = undefined;
    throw error;
  }

  /** Messages that wait for this handle's group. */
  get length(): number {
    if (this.closed) return 0;
    return this.native.length() + (this.#undecodable === undefined ? 0 : 1);
  }

  /** The value of a message, as `takeEach` shows it. */
  decode(source: Buffer, start: number, end: number): unknown {
    try {
      return this.codec.decode(source, start, end);
    } catch (cause) {
      const bytes = Buffer.from(source.subarray(start, end));
      throw new ZooError(
        'ERR_ZOO_DECODE',
        `a message of ${bytes.length} bytes in ${this.kind} '${this.name}' is no value of codec ` +
          `'${this.codec.name}': both ends need the same codec, and bytes need ` +
          `${this.kind === 'queue' ? 'getBytes()' : 'views()'}; ` +
          'the message was taken, its bytes are in error.bytes',
        { segment: this.name, bytes, cause },
      );
    }
  }

  claim(): ClaimedView | typeof notYet {
    const count = this.native.claim(1);
    return count > 0 ? readClaimedView(this, this.#scratch) : this.#nothing(count);
  }

  claimMany(max: number): ClaimedView[] | typeof notYet {
    const count = this.native.claim(Math.min(max, maxBatch));
    return count > 0 ? readClaimedViews(this, this.#scratch, count) : this.#nothing(count);
  }

  claimDead(): ClaimedView | typeof notYet {
    const count = this.native.claimDead();
    return count > 0 ? readClaimedView(this, this.#scratch) : this.#nothing(count);
  }

  release(view: ClaimedView, operation: string): void {
    const status = this.native.release(view.number);
    if (status < 0) throw statusError(status, this, operation);
    view.settle();
  }

  /**
   * Releases many with few calls. When one is not out, or named twice, none of it and the up to
   * 1023 around it is released.
   */
  releaseMany(views: readonly unknown[], operation: string): void {
    if (this.closed) throw closedError(this, operation);
    for (let from = 0; from < views.length; from += maxBatch) {
      const count = Math.min(views.length - from, maxBatch);
      this.#settleAll(views, from, count, operation);
      const status = this.native.releaseBatch(count);
      if (status < 0) throw statusError(status, this, operation);
    }
  }

  /** Marks the views as settled, with their numbers in `scratch`; or none of them. */
  #settleAll(views: readonly unknown[], from: number, count: number, operation: string): void {
    const scratch = this.#scratch;
    for (let i = 0; i < count; i++) {
      const view = views[from + i];
      if (view instanceof ClaimedView && view.owner === this && view.number >= 0) {
        scratch[i] = view.number;
        view.settle();
        continue;
      }
      for (let j = 0; j < i; j++) (views[from + j] as ClaimedView).unsettle(scratch[j] as number);
      throw cursorError(this, operation);
    }
  }

  reject(view: ClaimedView): void {
    const status = this.native.reject(view.number);
    if (status < 0) throw statusError(status, this, 'rejectRead');
    view.settle();
  }

  /** The message that a cursor stands for, if it is still out and from this handle. */
  claimedView(cursor: Cursor, operation: string): ClaimedView {
    const view: unknown = cursor;
    if (this.closed) throw closedError(this, operation);
    if (view instanceof ClaimedView && view.owner === this && view.number >= 0) return view;
    throw cursorError(this, operation);
  }

  #nothing(status: number): typeof notYet {
    this.lastStatus = status;
    return notYet;
  }

  /** After `notYet`: waiting makes sense, or the reason why not is thrown. */
  mayCome(operation: string): typeof notYet {
    if (this.lastStatus === Status.wouldBlock || this.lastStatus === 0) return notYet;
    throw statusError(this.lastStatus, this, operation);
  }

  /** After `notYet`: nothing now, or ever again, which is no error for a call that does not wait. */
  checkNothing(operation: string): undefined {
    const { lastStatus } = this;
    const over =
      lastStatus === Status.ended || lastStatus === Status.peerDied || lastStatus === Status.failed;
    if (!over) this.mayCome(operation);
    return undefined;
  }

  // Channels and pipes

  /** What a writer has failed with, encoded; empty when none has, undefined when it is damaged. */
  failure(): Uint8Array | undefined {
    return this.native.failure();
  }

  /** This handle puts no more; with `failure`, the channel ends with it for all writers. */
  end(failure?: Uint8Array): void {
    if (failure === undefined) this.native.end();
    else this.native.fail(failure);
  }

  /** Copies bytes `start` to `end` of a claimed message to `target`, from byte `at` on. */
  copyOut(view: ClaimedView, start: number, end: number, target: Buffer, at: number): void {
    this.#bytes.copy(target, at, view.offset + start, view.offset + end);
  }

  /** Bytes of the largest message that fits now. */
  room(): number {
    return this.native.room();
  }

  /** Throws when the reader of the pipe has left. */
  checkReader(operation: string): void {
    if (this.native.readerLeft() === 1) throw statusError(Status.noReader, this, operation);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.waits.rejectAll((operation) => closedError(this, operation));
    this.native.close();
  }
}

/** What a wait for a message sleeps on. */
class ReadSide implements BlockingSource {
  readonly #queue: QueueEndpoint;

  constructor(queue: QueueEndpoint) {
    this.#queue = queue;
  }

  arm(): number {
    return translated(this.#queue.name, () => this.#queue.native.armRead());
  }

  disarm(): void {
    this.#queue.native.disarmRead();
  }

  block(_needed: number, milliseconds: number): number {
    return this.#queue.native.waitReadable(milliseconds);
  }

  failure(status: number, operation: string): Error {
    return statusError(status, this.#queue, operation);
  }

  timedOut(operation: string, milliseconds: number): Error {
    return timeoutError(this.#queue, operation, milliseconds, 'no message came');
  }
}

/** What a wait for room sleeps on. */
class WriteSide implements BlockingSource {
  readonly #queue: QueueEndpoint;

  constructor(queue: QueueEndpoint) {
    this.#queue = queue;
  }

  arm(needed: number): number {
    return translated(this.#queue.name, () => this.#queue.native.armWrite(needed));
  }

  disarm(): void {
    this.#queue.native.disarmWrite();
  }

  block(needed: number, milliseconds: number): number {
    return this.#queue.native.waitWritable(needed, milliseconds);
  }

  failure(status: number, operation: string): Error {
    return statusError(status, this.#queue, operation);
  }

  timedOut(operation: string, milliseconds: number, needed: number): Error {
    const reason =
      `there was no room for ${needed} bytes; stats() says which group and which participant ` +
      'hold messages up';
    return timeoutError(this.#queue, operation, milliseconds, reason);
  }
}

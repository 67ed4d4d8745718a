/** What a worker says to its pool. */
import { Buffer } from 'node:buffer';
import type { ValueCodec } from '../codec.js';
import { encodeThrown } from '../error-encoding.js';
import { ZooError } from '../errors.js';
import { renameRoot } from './errors.js';
import { joinNote, type LargeReceiver, type LargeSender, type Part } from './large-values.js';
import type { Link } from './link.js';
import { packValue } from './payload.js';
import { Flag, FromWorker, besideFrom, fromWorkerHeader } from './protocol.js';

const sharedBytes = 64 * 1024;
const noParts: readonly Part[] = [];
/** Large values of progress that the pool may have before it; more would only fill memory. */
const mostLargeProgress = 8;
/** Segments begin at 1. */
const noSegment = 0;
const noBytes = new Uint8Array(0);

export class Answers {
  readonly #outbox: Link;
  readonly #codec: ValueCodec;
  readonly #large: LargeSender;
  readonly #arguments: LargeReceiver;
  /** Small frames are made here, one after the other. */
  readonly #shared = Buffer.allocUnsafeSlow(sharedBytes);
  /** Segments with progress that the pool has not read yet. */
  #progressIn: number[] = [];
  readonly #numbers = new DataView(this.#shared.buffer);

  constructor(outbox: Link, codec: ValueCodec, large: LargeSender, received: LargeReceiver) {
    this.#outbox = outbox;
    this.#codec = codec;
    this.#large = large;
    this.#arguments = received;
  }

  /** From now on the pool is not woken by answers, though it can read them. */
  holdWakes(): void {
    this.#outbox.endpoint.native.holdWakes(1);
  }

  /** Wakes the pool for what it was not woken for. */
  releaseWakes(): void {
    this.#outbox.endpoint.native.holdWakes(0);
  }

  /** Frames wait for room: what is sent now waits behind them. */
  get congested(): boolean {
    return this.#outbox.congested;
  }

  /**
   * Sends the value of a task. A promise when there is no room now. What cannot be sent makes the
   * task fail, and only it. What is a view of its own arguments, in segment `argumentsIn`, is not
   * copied: nobody can write there any more.
   */
  result(id: number, run: number, value: unknown, argumentsIn: number): Promise<void> | undefined {
    try {
      return this.#value(FromWorker.result, id, run, value, argumentsIn);
    } catch (error) {
      return this.thrown(id, run, error);
    }
  }

  /**
   * Sends an item of a stream.
   *
   * @throws ZooError `ERR_ZOO_UNSENDABLE`, `ERR_ZOO_NO_SPACE`: nothing was sent then
   */
  item(id: number, value: unknown): Promise<void> | undefined {
    return this.#value(FromWorker.item, id, 0, value, noSegment);
  }

  thrown(id: number, run: number, error: unknown): Promise<void> | undefined {
    const bytes = encodeThrown(error);
    try {
      return this.#send(FromWorker.thrown, id, run, bytes, noParts, noSegment);
    } catch (noSpace) {
      return this.#post(FromWorker.thrown, 0, id, run, encodeThrown(noSpace));
    }
  }

  /** A frame without a payload. */
  short(kind: number, id: number, run = 0): Promise<void> | undefined {
    return this.#post(kind, 0, id, run, noBytes);
  }

  /**
   * Sends progress, unless the pool is so far behind that others wait for room.
   *
   * @throws as `item`
   */
  progress(id: number, value: unknown): void {
    this.#progressIn = this.#progressIn.filter((segment) => !this.#large.isFree(segment));
    if (this.congested || this.#progressIn.length >= mostLargeProgress) return;
    try {
      void this.#value(FromWorker.progress, id, 0, value, noSegment);
    } catch (error) {
      if (!(error instanceof ZooError) || error.code !== 'ERR_ZOO_NO_SPACE') throw error;
    }
  }

  #value(
    kind: number,
    id: number,
    run: number,
    value: unknown,
    argumentsIn: number,
  ): Promise<void> | undefined {
    if (value === undefined) return this.#post(kind, Flag.nothing, id, run, noBytes);
    let packed;
    try {
      packed = packValue(this.#codec, value);
    } catch (error) {
      throw renameRoot(error, 'result');
    }
    return this.#send(kind, id, run, packed.bytes, packed.parts, argumentsIn);
  }

  /** Sends bytes as they are. */
  bytes(kind: number, bytes: Uint8Array): Promise<void> | undefined {
    return this.#post(kind, 0, 0, 0, bytes);
  }

  #send(
    kind: number,
    id: number,
    run: number,
    bytes: Uint8Array,
    parts: readonly Part[],
    argumentsIn: number,
  ): Promise<void> | undefined {
    const beside =
      bytes.length >= besideFrom || bytes.length + fromWorkerHeader > this.#outbox.limit / 2;
    if (!beside && parts.length === 0) return this.#post(kind, 0, id, run, bytes);
    const { note, segment } = this.#large.place(parts, beside ? bytes : undefined, (view) => {
      const found = this.#arguments.locate(view);
      return found?.segment === argumentsIn ? found : undefined;
    });
    if (kind === FromWorker.progress) this.#progressIn.push(segment);
    const flags = beside ? Flag.beside | Flag.parts : Flag.parts;
    return this.#post(kind, flags, id, run, joinNote(note, beside ? noBytes : bytes));
  }

  #post(
    kind: number,
    flags: number,
    id: number,
    run: number,
    payload: Uint8Array,
  ): Promise<void> | undefined {
    const frame = this.#frame(kind, flags, id, run, payload);
    if (!this.#outbox.congested && this.#outbox.tryPost(frame)) return undefined;
    return this.#outbox.post(Buffer.from(frame));
  }

  #frame(kind: number, flags: number, id: number, run: number, payload: Uint8Array): Buffer {
    const bytes = fromWorkerHeader + payload.length;
    const frame = bytes <= sharedBytes ? this.#shared : Buffer.allocUnsafeSlow(bytes);
    const numbers = frame === this.#shared ? this.#numbers : new DataView(frame.buffer);
    frame[0] = kind;
    frame[1] = flags;
    numbers.setFloat64(8, id, true);
    numbers.setFloat64(16, run, true);
    if (payload.length > 0) frame.set(payload, fromWorkerHeader);
    return frame === this.#shared ? frame.subarray(0, bytes) : frame;
  }
}

/** The reading end of a pipe: bytes in any portions, whatever the chunks they were written in. */
import { Buffer } from 'node:buffer';
import { ZooError } from '../errors.js';
import type { Wait } from '../options.js';
import type { QueueEndpoint } from '../queue/endpoint.js';
import { Pace } from '../queue/iterate.js';
import type { ClaimedView } from '../queue/views.js';
import { closedError } from '../status.js';
import { notYet, type PendingWait } from '../wait.js';
import type { Batch, Puller, Pulled } from './pull.js';

const forever: Wait = { timeout: Infinity, signal: undefined };
/** A large portion is allocated as it comes, since the pipe may end before. */
const firstPortion = 8 * 1024 * 1024;
const mostClaimed = 64;
/** One pull copies about so much: what is not copied yet stays in the pipe's own memory. */
const bytesPerPull = 256 * 1024;

/** A chunk of a pipe in place. */
export interface PipeView {
  /**
   * Bytes in the pipe's own memory, valid until the loop asks for the next: keep nothing that
   * points to them, and copy what has to last. Posting them to a worker would copy the whole pipe.
   */
  readonly view: Buffer;
}

export class PipeReader {
  readonly endpoint: QueueEndpoint;
  /** Chunks that are claimed; the first is read up to `position`. */
  #claimed: ClaimedView[] = [];
  #position = 0;
  /** Chunks that are looked at in place. */
  #lent: ClaimedView[] = [];
  /** What a read that was given up had gathered: the next read begins with it. */
  #gathered: Buffer | undefined;
  #gatheredBytes = 0;

  constructor(endpoint: QueueEndpoint) {
    this.endpoint = endpoint;
  }

  /** The next bytes that are there, as they were written; null at the end. */
  take(operation: string): Buffer | null | typeof notYet {
    return this.#orEnd(() => {
      if (this.#gathered) return this.#takeGathered();
      const chunk = this.#nextChunk(operation);
      return chunk === notYet ? notYet : this.#takeRest(chunk, operation);
    });
  }

  /** Chunks as they were written; null at the end. */
  takeMany(operation: string): Batch<Buffer> | typeof notYet {
    if (this.#gathered || this.#position > 0) {
      const rest = this.take(operation);
      return rest === null || rest === notYet ? rest : [rest];
    }
    return this.#orEnd(() => {
      if (this.#nextChunk(operation) === notYet) return notYet;
      const taken = this.#takeClaimed(bytesPerPull);
      const chunks = taken.map((chunk) => this.#copyFrom(chunk, 0));
      // All at once: a writer that waits for room is woken once, and finds room for several.
      this.endpoint.releaseMany(taken, operation);
      return chunks;
    });
  }

  /** Chunks in place; null at the end. The next call, whatever it finds, gives their room back. */
  lendMany(operation: string): Batch<PipeView> | typeof notYet {
    this.#takeLentBack(operation);
    if (this.#gathered || this.#position > 0) {
      const rest = this.take(operation);
      return rest === null || rest === notYet ? rest : [{ view: rest }];
    }
    return this.#orEnd(() => {
      if (this.#nextChunk(operation) === notYet) return notYet;
      // A small pipe is not held up for long: its writer gets room back in several portions.
      this.#lent = this.#takeClaimed(Math.min(bytesPerPull, this.endpoint.native.capacity / 8));
      return this.#lent.map(({ view }) => ({ view }));
    });
  }

  #takeLentBack(operation: string): void {
    const lent = this.#lent;
    if (lent.length === 0) return;
    this.#lent = [];
    this.endpoint.releaseMany(lent, operation);
  }

  /** Of what is claimed, chunks of so many bytes, at least one. */
  #takeClaimed(most: number): ClaimedView[] {
    let count = 0;
    for (let bytes = 0; bytes < most && count < this.#claimed.length; count += 1) {
      bytes += (this.#claimed[count] as ClaimedView).size;
    }
    return this.#claimed.splice(0, count);
  }

  /** Exactly `size` bytes, fewer only before the end, and null at the end. */
  takeExactly(size: number, operation: string): Buffer | null | typeof notYet {
    return this.#orEnd(() => {
      while (this.#gatheredBytes < size) {
        const chunk = this.#nextChunk(operation);
        if (chunk === notYet) return notYet;
        this.#gather(chunk, size, operation);
      }
      return this.#takeGathered(size);
    });
  }

  /** What was gathered before the end is the last portion. After a failure it is left to `take`. */
  #orEnd<R>(take: () => R | typeof notYet): R | null | typeof notYet {
    try {
      return take();
    } catch (error) {
      if (!(error instanceof ZooError) || error.code !== 'ERR_ZOO_ENDED') throw error;
      // Only `takeExactly` comes here with something gathered, and it answers with a Buffer.
      return this.#gathered ? (this.#takeGathered() as R) : null;
    }
  }

  #nextChunk(operation: string): ClaimedView | typeof notYet {
    if (this.endpoint.closed) throw closedError(this.endpoint, operation);
    if (this.#claimed.length === 0) {
      const views = this.endpoint.claimMany(mostClaimed);
      if (views === notYet) return this.endpoint.mayCome(operation);
      this.#claimed = views;
      this.#position = 0;
    }
    return this.#claimed[0] as ClaimedView;
  }

  /** Copies from the chunk into the portion, as much as fits; a chunk that is used up gives its room back. */
  #gather(chunk: ClaimedView, size: number, operation: string): void {
    const wanted = size - this.#gatheredBytes;
    const target = this.#portion(size, Math.min(wanted, chunk.size - this.#position));
    const end = Math.min(chunk.size, this.#position + wanted);
    this.endpoint.copyOut(chunk, this.#position, end, target, this.#gatheredBytes);
    this.#gatheredBytes += end - this.#position;
    this.#advance(chunk, end, operation);
  }

  #advance(chunk: ClaimedView, position: number, operation: string): void {
    this.#position = position;
    if (position < chunk.size) return;
    this.#claimed.shift();
    this.#position = 0;
    this.endpoint.release(chunk, operation);
  }

  #portion(size: number, more: number): Buffer {
    const needed = this.#gatheredBytes + more;
    const old = this.#gathered;
    if (old && old.length >= needed) return old;
    const length = Math.min(size, Math.max(needed, firstPortion, (old?.length ?? 0) * 2));
    const portion = Buffer.allocUnsafe(length);
    if (old) old.copy(portion, 0, 0, this.#gatheredBytes);
    return (this.#gathered = portion);
  }

  #takeGathered(size = this.#gatheredBytes): Buffer {
    const gathered = this.#gathered as Buffer;
    const rest = this.#gatheredBytes - size;
    const taken = gathered.length === size ? gathered : gathered.subarray(0, size);
    // A portion that was given up may have been longer than this one.
    this.#gathered = rest > 0 ? gathered.subarray(size, size + rest) : undefined;
    this.#gatheredBytes = Math.max(rest, 0);
    return taken;
  }

  #takeRest(chunk: ClaimedView, operation: string): Buffer {
    const rest = this.#copyFrom(chunk, this.#position);
    this.#advance(chunk, chunk.size, operation);
    return rest;
  }

  #copyFrom(chunk: ClaimedView, position: number): Buffer {
    const copy = Buffer.allocUnsafe(chunk.size - position);
    this.endpoint.copyOut(chunk, position, chunk.size, copy, 0);
    return copy;
  }

  /** Waits in line, first come, first served. */
  wait<R>(operation: string, attempt: () => R | typeof notYet, wait: Wait): Promise<R> {
    const { reading } = this.endpoint;
    return reading.wait({ attempt, operation }, wait);
  }

  /** The writer learns that nobody reads any more. */
  close(): void {
    this.#claimed = [];
    this.#lent = [];
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    this.endpoint.close();
  }
}

/** What a pipe has, pull by pull. Giving up closes the reader: the writer has to learn of it. */
export class PipePuller<T> implements Puller<T> {
  readonly #reader: PipeReader;
  readonly #take: () => Batch<T> | typeof notYet;
  readonly #pace = new Pace();
  #pending: PendingWait<Batch<T>> | undefined;
  #cancelled = false;

  private constructor(reader: PipeReader, take: () => Batch<T> | typeof notYet) {
    this.#reader = reader;
    this.#take = take;
  }

  /** Chunks as they were written. */
  static ofChunks(reader: PipeReader): PipePuller<Uint8Array> {
    return new PipePuller<Uint8Array>(reader, () => reader.takeMany('iteration'));
  }

  /** Portions of exactly so many bytes; the last may be shorter. */
  static ofPortions(reader: PipeReader, size: number): PipePuller<Uint8Array> {
    return new PipePuller<Uint8Array>(reader, () => {
      const portion = reader.takeExactly(size, 'iteration');
      return portion === notYet || portion === null ? portion : [portion];
    });
  }

  /** Chunks in place. */
  static ofViews(reader: PipeReader): PipePuller<PipeView> {
    return new PipePuller<PipeView>(reader, () => reader.lendMany('iteration of views'));
  }

  pull(): Pulled<T> {
    if (this.#cancelled) return null;
    if (this.#pace.isTurnDue()) return this.#pace.turn().then(() => this.#pullNow());
    return this.#pullNow();
  }

  #pullNow(): Pulled<T> {
    if (this.#cancelled) return null;
    if (this.#reader.endpoint.reading.idle) {
      const batch = this.#take();
      if (batch !== notYet) return batch;
    }
    return this.#wait();
  }

  async #wait(): Promise<Batch<T>> {
    const { reading } = this.#reader.endpoint;
    this.#pending = reading.enter<Batch<T>>(
      { attempt: () => this.#take(), operation: 'iteration' },
      forever,
    );
    try {
      const batch = await this.#pending.promise;
      return this.#cancelled ? null : batch;
    } catch (error) {
      if (this.#cancelled) return null;
      throw error;
    } finally {
      this.#pending = undefined;
      this.#pace.restart();
    }
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#pending?.cancel(null);
    this.#reader.close();
  }
}

/** Pipes: bytes from one process to another, with an end, a limit and nothing lost in silence. */
import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';
import { inspect } from 'node:util';
import { parseCodec } from '../codec.js';
import { ZooError, invalidArgumentType } from '../errors.js';
import {
  checkOptions,
  parseCount,
  parseLabel,
  parseName,
  parseSignal,
  parseWait,
  type WaitOptions,
} from '../options.js';
import type { QueueEndpoint } from '../queue/endpoint.js';
import { createRing, openRing, unlinkRing, type OpenedRing } from '../queue/open-ring.js';
import { closedError, translated } from '../status.js';
import type { notYet } from '../wait.js';
import type { ChannelStats } from './channel-store.js';
import { loopUntil } from './iterator.js';
import {
  defaultChunkIn,
  parsePipeOptions,
  type PipeOpenOptions,
  type PipeOptions,
} from './pipe-options.js';
import { PipePuller, PipeReader, type PipeView } from './pipe-reader.js';
import { PipeWriter } from './pipe-writer.js';
import { readRingStats } from './ring-stats.js';
import { writableOf, type Sink } from './sink.js';
import { Stream } from './stream.js';

export type { PipeOpenOptions, PipeOptions } from './pipe-options.js';
export type { PipeView } from './pipe-reader.js';

/**
 * Leaving a loop over a pipe (`break`, `return`, an error) closes its reader: there is no other,
 * and the writer has to learn that nobody reads any more.
 *
 * A pipe of bytes between two processes, with one writer and one reader. The memory that was set
 * aside is a hard limit; `write` waits for room, and that is the backpressure. The end is
 * explicit: what a writer leaves by dying is never taken for the end, but `PeerDied`. A writer
 * whose reader has closed or died gets `ChannelClosed` or `PeerDied`.
 *
 * Its writing methods are those of the Writer of `node:stream/iter`, so that a pipe can be the
 * destination of its `pipeTo`.
 *
 * @example
 * await using pipe = ZooPipe.create('app_upload', { memoryLimit: '50MiB' });
 * await Stream.from<Uint8Array>(createReadStream(file)).to(pipe);
 *
 * // in another process
 * const pipe = await ZooPipe.open('app_upload');
 * for await (const part of pipe.chunks(5 * 1024 * 1024)) await uploadPart(part);
 */
export class ZooPipe extends Stream<Uint8Array> implements Sink<Uint8Array>, AsyncDisposable {
  readonly #endpoint: QueueEndpoint;
  readonly #writer: PipeWriter | undefined;
  readonly #reader: PipeReader | undefined;
  readonly #unlinkWhenDisposed: boolean;

  private constructor({ endpoint, unlinkWhenDisposed }: OpenedRing, chunkSize: number | undefined) {
    const reads = endpoint.native.pipeEnd === 'reader';
    const reader = reads ? new PipeReader(endpoint) : undefined;
    super(() => {
      if (reader) return PipePuller.ofChunks(reader);
      throw wrongEnd(endpoint, 'iteration', 'reader');
    });
    this.#endpoint = endpoint;
    this.#reader = reader;
    this.#writer = reads
      ? undefined
      : new PipeWriter(endpoint, chunkSize ?? defaultChunkIn(endpoint.native.capacity));
    this.#unlinkWhenDisposed = unlinkWhenDisposed;
  }

  /**
   * Makes a pipe and takes one of its ends.
   *
   * @throws ZooError `ERR_ZOO_EXISTS` when somebody uses a pipe of this name, `ERR_ZOO_KIND`,
   *   `ERR_ZOO_CORRUPT`, `ERR_ZOO_NO_SPACE`, `ERR_ZOO_ACCESS`, `ERR_ZOO_PLATFORM`; `TypeError` or
   *   `RangeError` for a wrong argument
   */
  static create(name: string, options?: PipeOptions): ZooPipe {
    const bare = parseName(name);
    const { ring, chunkSize } = parsePipeOptions(options);
    const opened = createRing('pipe', bare, ring, parseCodec('bytes'));
    return new ZooPipe(opened, chunkSize);
  }

  /**
   * Takes the other end of a pipe as soon as its creator has made it.
   *
   * Cancel safety: a wait that is given up opens nothing.
   *
   * @throws ZooError `ERR_ZOO_FULL` when this end is or was taken by somebody, `ERR_ZOO_TIMEOUT`,
   *   `ERR_ZOO_KIND`, `ERR_ZOO_INCOMPATIBLE`, `ERR_ZOO_CORRUPT`, `ERR_ZOO_ACCESS`; `AbortError`
   */
  static async open(name: string, options?: PipeOpenOptions): Promise<ZooPipe> {
    const bare = parseName(name);
    const given = checkOptions<PipeOpenOptions>('options', options, ['timeout', 'signal', 'label']);
    const wait = parseWait({ timeout: given.timeout, signal: given.signal });
    return new ZooPipe(
      await openRing('pipe', bare, wait, parseLabel(given.label), undefined),
      undefined,
    );
  }

  /**
   * Removes the name. Who has the pipe open goes on with it.
   *
   * @returns false when there was none
   * @throws ZooError `ERR_ZOO_KIND`, `ERR_ZOO_CORRUPT`, `ERR_ZOO_ACCESS`
   */
  static unlink(name: string): boolean {
    return unlinkRing('pipe', parseName(name));
  }

  /** The name, without a leading slash. */
  get name(): string {
    return this.#endpoint.name;
  }

  /** Which end this handle has. */
  get as(): 'writer' | 'reader' {
    return this.#reader ? 'reader' : 'writer';
  }

  /** Whether this end was closed: a writer that has ended, a reader that has let go. */
  get closed(): boolean {
    return this.#endpoint.closed || this.#writer?.ended === true;
  }

  // Writing

  /**
   * Writes bytes (a string as UTF-8); waits for room. They may be changed once the promise has
   * settled. An empty chunk writes nothing.
   *
   * Cancel safety: of a chunk up to `chunkSize`, nothing was written. Of a longer one the error
   * says in `sent` how many bytes were.
   *
   * @throws ZooError `ChannelClosed` after the end or when the reader has closed the pipe,
   *   `PeerDied` when the reader died, `ERR_ZOO_TIMEOUT`, `ERR_ZOO_CLOSED`; `AbortError`
   */
  write(chunk: Uint8Array | string, options?: WaitOptions): Promise<void> {
    return this.#write('write', [chunk], options);
  }

  /** Writes bytes if there is room for all of them now; false when there is none. Throws as `write`. */
  writeSync(chunk: Uint8Array | string): boolean {
    return this.#writing('writeSync').tryWrite([asBytes(chunk)], 'writeSync');
  }

  /** Writes several chunks, in order. */
  writev(chunks: readonly (Uint8Array | string)[], options?: WaitOptions): Promise<void> {
    return this.#write('writev', chunks, options);
  }

  /** Writes all of these chunks if there is room for them now. */
  writevSync(chunks: readonly (Uint8Array | string)[]): boolean {
    return this.#writing('writevSync').tryWrite(chunks.map(asBytes), 'writevSync');
  }

  /**
   * Bytes that `writeSync` has room for now, 0 when the pipe is full; null when nothing can be
   * written any more, at the reading end too.
   */
  get desiredSize(): number | null {
    return this.#writer ? this.#writer.room : null;
  }

  /**
   * The end: readers get what was written before, and then the end. Answers how many bytes this
   * handle wrote. A second time does nothing.
   */
  async end(): Promise<number> {
    return this.endSync();
  }

  /** The same, at once. */
  endSync(): number {
    const writer = this.#writing('end');
    writer.end(undefined);
    return writer.bytes;
  }

  /** The end by a failure: the reader gets what was written before, and then this error. */
  fail(reason?: unknown): void {
    const error = reason ?? new Error(`the writer of pipe '${this.name}' gave up`);
    this.#writing('fail').end({ error });
  }

  /** As `write`, so that a pipe can be where a stream goes. */
  send(chunk: Uint8Array, options?: WaitOptions): Promise<void> {
    return this.#write('send', [chunk], options);
  }

  /** As `writev`. */
  sendMany(chunks: readonly Uint8Array[], options?: WaitOptions): Promise<void> {
    return this.#write('sendMany', chunks, options);
  }

  /** As `writeSync`. */
  trySend(chunk: Uint8Array): boolean {
    return this.#writing('trySend').tryWrite([asBytes(chunk)], 'trySend');
  }

  /**
   * Closes this end. The writer's: as `end()`, or with an error as `fail(error)`; pending writes
   * reject with `ChannelClosed`. The reader's: nothing is read any more, and the writer learns of
   * it. A second time does nothing.
   */
  async close(error?: unknown): Promise<void> {
    if (this.#reader) this.#reader.close();
    else this.#writer?.end(error === undefined ? undefined : { error });
  }

  /** A Node Writable that writes: `end()` ends, `destroy(error)` fails. */
  writable(): Writable {
    return writableOf(this, true);
  }

  // Reading

  /**
   * Without a size: the next bytes that are there, as they were written. With one: exactly `size`
   * bytes, fewer only before the end. Waits until they are there; null at the end.
   *
   * Cancel safety: nothing is lost; what was gathered already is where the next read begins.
   *
   * @throws ZooError `PeerDied` when the writer died, `ERR_ZOO_TIMEOUT`, `ERR_ZOO_CLOSED`;
   *   `AbortError`; or what the writer failed with
   * @example
   * const header = await pipe.read(16);
   */
  async read(size?: number, options?: WaitOptions): Promise<Buffer | null> {
    const reader = this.#reading('read');
    const count = size === undefined ? undefined : parseCount('size', size);
    const wait = parseWait(options);
    const attempt = (): Buffer | null | typeof notYet =>
      count === undefined ? reader.take('read') : reader.takeExactly(count, 'read');
    return reader.wait('read', attempt, wait);
  }

  /**
   * Portions of exactly `size` bytes; only the last may be shorter.
   *
   * @example
   * for await (const frame of pipe.chunks(width * height * 3)) show(frame);
   */
  chunks(size: number): Stream<Uint8Array> {
    const reader = this.#reading('chunks');
    const count = parseCount('size', size);
    return new Stream<Uint8Array>(() => PipePuller.ofPortions(reader, count));
  }

  /**
   * Chunks in place, without copying: for what is looked at and then done with, such as a digest.
   * A view is valid until the next step. What the loop has seen gives its room back a little
   * later, in portions of up to an eighth of the pipe. Leaving the loop closes the reader.
   *
   * @example
   * for await (const { view } of pipe.views()) digest.update(view);
   */
  views(options?: { signal?: AbortSignal }): AsyncIterable<PipeView> {
    const reader = this.#reading('views');
    const given = checkOptions<{ signal: AbortSignal }>('options', options, ['signal']);
    return loopUntil(parseSignal(given.signal), () => PipePuller.ofViews(reader));
  }

  // The handle itself

  /** Plain numbers; messages are the pieces that cross. */
  stats(): ChannelStats {
    if (this.#endpoint.closed) throw closedError(this.#endpoint, 'stats');
    return readRingStats(this.#endpoint);
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

  /** Removes the name, if it still leads to this pipe. False when it does not. */
  unlink(): boolean {
    return translated(this.name, () => this.#endpoint.native.unlink());
  }

  /**
   * Closes, without an error, and lets go of everything; the creator also removes the name, unless
   * it was made with `persist`. What is used after that: `ERR_ZOO_CLOSED`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader?.close();
    this.#endpoint.close();
    if (this.#unlinkWhenDisposed) this.unlink();
  }

  async #write(
    operation: string,
    chunks: readonly (Uint8Array | string)[],
    options: WaitOptions | undefined,
  ): Promise<void> {
    const writer = this.#writing(operation);
    const wait = options && parseWait(options);
    const [only] = chunks;
    if (chunks.length === 1) return writer.write(asBytes(only), operation, wait);
    return writer.writeMany(chunks.map(asBytes), operation, wait);
  }

  #writing(operation: string): PipeWriter {
    if (this.#writer) return this.#writer;
    throw wrongEnd(this.#endpoint, operation, 'writer');
  }

  #reading(operation: string): PipeReader {
    if (this.#reader) return this.#reader;
    throw wrongEnd(this.#endpoint, operation, 'reader');
  }

  [inspect.custom](): string {
    const { name, as, closed } = this;
    return `ZooPipe ${inspect({ name, as, closed }, { breakLength: Infinity })}`;
  }
}

function wrongEnd(endpoint: QueueEndpoint, operation: string, needed: string): ZooError {
  const other = needed === 'reader' ? 'writer' : 'reader';
  return new ZooError(
    'ERR_ZOO_CLOSED',
    `${operation}: this handle is the ${other} of pipe '${endpoint.name}', and the ${needed} is ` +
      'the other end; a pipe has one of each',
    { segment: endpoint.name },
  );
}

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  throw invalidArgumentType('chunk', 'a Uint8Array or a string', chunk);
}

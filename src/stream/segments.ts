/** Large objects in small parts: cut, sent among others, and put together again. */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { ZooError, invalidArgumentType } from '../errors.js';
import { checkOptions, parseBytes } from '../options.js';
import { BatchOperator } from './batch-operator.js';
import { openPuller, type Puller } from './pull.js';
import { Stream } from './stream.js';

/** Bytes with a name. */
export interface NamedBytes {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** One part of named bytes. */
export interface Segment {
  readonly id: string;
  /** From 0. */
  readonly index: number;
  /** How many segments there are with this id; 1 for no bytes at all. */
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Checksum of `bytes`, as `zlib.crc32` makes it. */
  readonly crc32: number;
}

/**
 * A filter that cuts `{ id, bytes }` into segments of at most `size` bytes (`'1MiB'` works too).
 * A segment's bytes are a view of the whole. Ids name one object each.
 *
 * @example
 * await files.through(segments('64KiB')).to(channel);
 */
export function segments(
  size: number | string,
): (source: AsyncIterable<NamedBytes>) => AsyncIterable<Segment> {
  const limit = parseBytes('size', size);
  return (source) => Stream.from(source).flatMap((whole) => cut(whole, limit));
}

function* cut(whole: NamedBytes, limit: number): Generator<Segment> {
  if (typeof whole !== 'object' || whole === null) {
    throw invalidArgumentType('what is cut', 'an object { id, bytes }', whole);
  }
  const { id, bytes } = whole;
  if (!(bytes instanceof Uint8Array)) throw invalidArgumentType('bytes', 'a Uint8Array', bytes);
  const count = Math.max(1, Math.ceil(bytes.byteLength / limit));
  for (let index = 0; index < count; index += 1) {
    const part = bytes.subarray(index * limit, (index + 1) * limit);
    yield { id, index, count, bytes: part, crc32: crc32(part) };
  }
}

/** How objects are put together. */
export interface AssembleOptions {
  /** The largest object, as a number of bytes or `'1GiB'`, the default. */
  maxBytes?: number | string | undefined;
}

/**
 * A filter that puts segments together again, of many objects at a time and in any order, and
 * gives each object when it is complete. A segment that comes twice counts once. All segments of
 * an object have to come to the same `assemble()`.
 *
 * Fails with `ERR_ZOO_CORRUPT` when a checksum is wrong, segments contradict each other, or some
 * are missing at the end; with `ERR_ZOO_TOO_LARGE` when an object exceeds `maxBytes`.
 *
 * @example
 * for await (const file of channel.through(assemble({ maxBytes: '10MiB' }))) save(file.id, file.bytes);
 */
export function assemble(
  options?: AssembleOptions,
): (source: AsyncIterable<Segment>) => AsyncIterable<NamedBytes> {
  const { maxBytes = '1GiB' } = checkOptions<AssembleOptions>('options', options, ['maxBytes']);
  const limit = parseBytes('maxBytes', maxBytes);
  return (source) => {
    const stream = Stream.from(source);
    return new Stream((run) => new AssemblePuller(stream[openPuller](run), limit));
  };
}

/** An object of which some segments have come. */
interface Assembly {
  readonly count: number;
  readonly parts: Map<number, Uint8Array>;
  bytes: number;
}

/** Late copies of segments are known as such for this many finished objects. */
const rememberedObjects = 1000;

class AssemblePuller extends BatchOperator<Segment, NamedBytes> {
  readonly #limit: number;
  readonly #open = new Map<string, Assembly>();
  /** What the last finished objects were made of: checksums by index. */
  readonly #finished = new Map<string, readonly number[]>();

  constructor(source: Puller<Segment>, limit: number) {
    super(source);
    this.#limit = limit;
  }

  protected process(input: readonly Segment[], position: number, output: NamedBytes[]): number {
    let i = position;
    try {
      for (; i < input.length; i += 1) this.#add(input[i]!, output);
      return i;
    } catch (error) {
      this.fail(error);
      return i + 1;
    }
  }

  /** No callback, so nothing to wait for. */
  protected resume(): void {}

  #add(segment: Segment, output: NamedBytes[]): void {
    checkSegment(segment);
    const { id, index, count, bytes } = segment;
    if (this.#isLateCopy(segment)) return;
    let assembly = this.#open.get(id);
    if (!assembly) {
      assembly = { count, parts: new Map(), bytes: 0 };
      this.#open.set(id, assembly);
    }
    if (assembly.count !== count) {
      throw corrupt(id, `one segment says there are ${assembly.count}, another says ${count}`);
    }
    if (assembly.parts.has(index)) return;
    assembly.bytes += bytes.byteLength;
    if (assembly.bytes > this.#limit) throw tooLarge(id, assembly.bytes, this.#limit);
    assembly.parts.set(index, bytes);
    if (assembly.parts.size === count) output.push(this.#finish(id, assembly));
  }

  #finish(id: string, { count, parts }: Assembly): NamedBytes {
    const inOrder = Array.from({ length: count }, (_, index) => parts.get(index)!);
    this.#open.delete(id);
    this.#finished.delete(id);
    this.#finished.set(
      id,
      inOrder.map((part) => crc32(part)),
    );
    if (this.#finished.size > rememberedObjects) {
      const [oldest] = this.#finished.keys();
      this.#finished.delete(oldest!);
    }
    return { id, bytes: Buffer.concat(inOrder) };
  }

  #isLateCopy({ id, index, count, crc32: checksum }: Segment): boolean {
    const finished = this.#finished.get(id);
    return finished?.length === count && finished[index] === checksum;
  }

  protected override atEnd(): void {
    for (const [id, { count, parts }] of this.#open) {
      throw corrupt(id, `the end came after ${parts.size} of its ${count} segments`);
    }
  }
}

function checkSegment(segment: Segment): void {
  if (typeof segment !== 'object' || segment === null) {
    throw invalidArgumentType('a segment', 'an object', segment);
  }
  const { id, index, count, bytes, crc32: checksum } = segment;
  if (!(bytes instanceof Uint8Array)) throw corrupt(id, 'a segment has no bytes');
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(index)) {
    throw corrupt(id, `a segment says it is number ${index} of ${count}`);
  }
  if (index < 0 || index >= count) {
    throw corrupt(id, `a segment says it is number ${index} of ${count}, counted from 0`);
  }
  if (crc32(bytes) !== checksum) throw corrupt(id, `the checksum of segment ${index} is wrong`);
}

function corrupt(id: string, reason: string): ZooError {
  return new ZooError('ERR_ZOO_CORRUPT', `'${id}' cannot be put together: ${reason}`);
}

function tooLarge(id: string, size: number, limit: number): ZooError {
  return new ZooError(
    'ERR_ZOO_TOO_LARGE',
    `'${id}' has ${size} bytes and more, maxBytes is ${limit}`,
    { size, limit },
  );
}

/**
 * Large values travel in segments of their own, one message in one segment. The sender makes them,
 * keeps them and uses them again, since memory that was touched before is several times faster; the
 * receiver maps each once and takes its name away.
 *
 *      0        64                 (aligned to 64)
 *      | in use | part | ...       | part | ...
 *
 * The pool knows itself when its segments are free again: when the task has settled. A worker's
 * segment is free once the pool, which has copied the parts out, clears the word at its start.
 *
 * A note says what lies where; it stands before the rest of the payload:
 *
 *      | bytes of the note, u32 | note, JSON | rest of the payload |
 */
import { Buffer } from 'node:buffer';
import { statfsSync } from 'node:fs';
import { environment } from '../lifecycle.js';
import { ZooMemory } from '../memory/memory.js';
import { kindOf, viewName } from '../sendable.js';
import { largeFrom } from './protocol.js';

const headerBytes = 64;
const alignment = 64;
const smallestSegment = 256 * 1024;
/** A value with more large parts is sent as a whole: a note of all their places would be large itself. */
const mostParts = 64;

/** Free segments beyond so many bytes are given back: a sixteenth of /dev/shm, 256 MiB at most. */
function mostFreeBytes(): number {
  if (keptBytes === 0) {
    const { blocks, bsize } = statfsSync('/dev/shm');
    keptBytes = Math.min(256 * 1024 * 1024, (blocks * bsize) / 16);
  }
  return keptBytes;
}

let keptBytes = 0;

/** Which side made the segment. */
type Owner = 'pool' | 'worker';

/** Where a large part of a value is: in the value, and in memory. */
interface PartNote {
  readonly path: readonly (string | number)[];
  readonly type: string;
  readonly owner: Owner;
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface Note {
  readonly parts: readonly PartNote[];
  /** The encoded value itself, when it lies in a segment too. */
  readonly payload: PartNote | undefined;
}

/** A large part that was taken out of a value. */
export interface Part {
  readonly path: readonly (string | number)[];
  readonly view: ArrayBufferView | ArrayBuffer;
}

/**
 * Takes the large typed arrays out of a value, as deep as plain objects and arrays go; in the copy
 * that comes back, null stands for them. The value itself is not changed. Undefined: there are none.
 */
export function takePartsOut(value: unknown): { value: unknown; parts: Part[] } | undefined {
  const parts: Part[] = [];
  const copy = withoutParts(value, [], parts, new Set());
  const isWorthwhile = parts.length > 0 && parts.length <= mostParts;
  return isWorthwhile && copy !== shared ? { value: copy, parts } : undefined;
}

const shared = Symbol('an object that is in the value twice');

function withoutParts(
  value: unknown,
  path: readonly (string | number)[],
  parts: Part[],
  seen: Set<object>,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  // What is in the value twice has to arrive as one: then nothing is taken out.
  if (seen.has(value)) return shared;
  seen.add(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    if (value.byteLength < largeFrom || !isPlainBinary(value)) return value;
    parts.push({ path, view: value });
    return null;
  }
  const isArray = Array.isArray(value);
  if (!isArray && Object.getPrototypeOf(value) !== Object.prototype) return value;
  let copy: Record<string | number, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const step = isArray ? Number(key) : key;
    const before = (value as Record<string | number, unknown>)[step];
    const after = withoutParts(before, [...path, step], parts, seen);
    if (after === shared) return shared;
    if (after === before) continue;
    copy ??= (isArray ? [...(value as unknown[])] : { ...value }) as Record<
      string | number,
      unknown
    >;
    copy[step] = after;
  }
  return copy ?? value;
}

/** Views of a SharedArrayBuffer, and of a class of the user, are for the codec to send or to refuse. */
function isPlainBinary(value: ArrayBufferView | ArrayBuffer): boolean {
  return kindOf(value) !== undefined;
}

/** The parts at their places again, in the value that was decoded. */
export function putPartsBack(
  value: unknown,
  note: Note,
  restore: (part: PartNote) => unknown,
): unknown {
  let whole = value;
  for (const part of note.parts) {
    const restored = restore(part);
    if (part.path.length === 0) {
      whole = restored;
      continue;
    }
    let holder = whole as Record<string | number, unknown>;
    for (const step of part.path.slice(0, -1)) {
      holder = holder[step] as Record<string | number, unknown>;
    }
    holder[part.path.at(-1) as string | number] = restored;
  }
  return whole;
}

/** Everything that lies in a segment. */
export function partsOf(note: Note): readonly PartNote[] {
  return note.payload ? [...note.parts, note.payload] : note.parts;
}

/** The note and the rest as one payload. */
export function joinNote(note: Note, rest: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(note));
  const joined = Buffer.allocUnsafe(4 + text.length + rest.length);
  joined.writeUInt32LE(text.length, 0);
  joined.set(text, 4);
  joined.set(rest, 4 + text.length);
  return joined;
}

/** The note at `start`, and where the rest begins. */
export function readNote(frame: Buffer, start: number): { note: Note; rest: number } {
  const rest = start + 4 + frame.readUInt32LE(start);
  const note = JSON.parse(frame.toString('utf8', start + 4, rest)) as Note;
  return { note, rest };
}

function bytesOf(view: ArrayBufferView | ArrayBuffer): Uint8Array {
  return ArrayBuffer.isView(view)
    ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    : new Uint8Array(view);
}

function typeOf(view: ArrayBufferView | ArrayBuffer): string {
  return ArrayBuffer.isView(view) ? viewName(view) : 'ArrayBuffer';
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

class Segment {
  readonly number: number;
  readonly memory: ZooMemory;
  bytes: Uint8Array;
  #inUse: Int32Array;

  constructor(number: number, memory: ZooMemory) {
    this.number = number;
    this.memory = memory;
    this.bytes = new Uint8Array(memory.buffer);
    this.#inUse = new Int32Array(memory.buffer, 0, 1);
  }

  get free(): boolean {
    return Atomics.load(this.#inUse, 0) === 0;
  }

  setInUse(on: boolean): void {
    Atomics.store(this.#inUse, 0, on ? 1 : 0);
  }

  /** Views that were given out are empty from now on. */
  takeViewsBack(): void {
    this.memory.renew();
    this.bytes = new Uint8Array(this.memory.buffer);
    this.#inUse = new Int32Array(this.memory.buffer, 0, 1);
  }
}

/** The side that makes segments. */
export class LargeSender {
  readonly #owner: Owner;
  readonly #name: string;
  /** Tells the other side that it can let go of a segment. */
  readonly #drop: (segment: number) => void;
  readonly #segments = new Map<number, Segment>();
  #made = 0;

  constructor(owner: Owner, name: string, drop: (segment: number) => void) {
    this.#owner = owner;
    this.#name = name;
    this.#drop = drop;
  }

  /**
   * Copies the parts, and the encoded value if there is one to go along, into a segment that is in
   * use until `release`. `foreign` knows parts that the other side has in its own memory already.
   *
   * @throws ZooError `ERR_ZOO_NO_SPACE`
   */
  place(
    parts: readonly Part[],
    payload: Uint8Array | undefined,
    foreign: (
      view: ArrayBufferView | ArrayBuffer,
    ) => { segment: number; offset: number } | undefined,
  ): { note: Note; segment: number } {
    const theirs = parts.map((part) => foreign(part.view));
    let needed = headerBytes + aligned(payload?.length ?? 0);
    parts.forEach((part, i) => {
      if (!theirs[i]) needed += aligned(part.view.byteLength);
    });
    const segment = needed > headerBytes ? this.#segmentFor(needed) : undefined;
    let at = headerBytes;
    const place = (bytes: Uint8Array): number => {
      const offset = at;
      segment?.bytes.set(bytes, offset);
      at += aligned(bytes.length);
      return offset;
    };
    const number = segment?.number ?? 0;
    const owner = this.#owner;
    const notes = parts.map(({ path, view }, i): PartNote => {
      const known = { path, type: typeOf(view), bytes: view.byteLength };
      const found = theirs[i];
      if (found) return { ...known, ...found, owner: owner === 'pool' ? 'worker' : 'pool' };
      return { ...known, owner, segment: number, offset: place(bytesOf(view)) };
    });
    const payloadNote: PartNote | undefined = payload && {
      path: [],
      type: 'Buffer',
      owner,
      segment: number,
      offset: place(payload),
      bytes: payload.length,
    };
    return { note: { parts: notes, payload: payloadNote }, segment: number };
  }

  isFree(number: number): boolean {
    return this.#segments.get(number)?.free ?? true;
  }

  /** The segment is free; 0 stands for none. */
  release(number: number): void {
    this.#segments.get(number)?.setInUse(false);
    this.#giveBack(mostFreeBytes());
  }

  /** The bytes of a segment, for results that lie in the memory of the arguments. */
  bytes(number: number): Uint8Array | undefined {
    return this.#segments.get(number)?.bytes;
  }

  #segmentFor(needed: number): Segment {
    let best: Segment | undefined;
    for (const segment of this.#segments.values()) {
      const size = segment.bytes.length;
      if (size >= needed && segment.free && (!best || size < best.bytes.length)) best = segment;
    }
    if (!best) {
      // What is free is too small: the new one will serve for it, too.
      this.#giveBack(0);
      const number = ++this.#made;
      const size = Math.max(smallestSegment, aligned(needed));
      // A worker that ends in good order leaves the name to the pool, which may not have looked yet.
      const persist = this.#owner === 'worker';
      best = new Segment(number, ZooMemory.create(`${this.#name}${number}`, size, { persist }));
      this.#segments.set(number, best);
    }
    best.setInUse(true);
    return best;
  }

  /** Of what is free, no more than a bound is kept, or the largest one. */
  #giveBack(kept: number): void {
    const free = [...this.#segments.values()]
      .filter((segment) => segment.free)
      .sort((a, b) => a.bytes.length - b.bytes.length);
    let bytes = free.reduce((sum, segment) => sum + segment.bytes.length, 0);
    for (const segment of free) {
      if (bytes <= kept || (kept > 0 && segment === free.at(-1))) return;
      bytes -= segment.bytes.length;
      this.#segments.delete(segment.number);
      segment.memory[Symbol.dispose]();
      this.#drop(segment.number);
    }
  }

  /** Somebody needs the memory: nothing that is free is kept. */
  giveBackAll(): void {
    this.#giveBack(0);
  }

  close(): void {
    for (const segment of this.#segments.values()) segment.memory[Symbol.dispose]();
    this.#segments.clear();
  }
}

/** The side that maps what the other made. */
export class LargeReceiver {
  readonly #name: string;
  readonly #segments = new Map<number, Segment>();
  readonly #numbers = new Map<ArrayBufferLike, number>();
  #seen = 0;

  constructor(name: string) {
    this.#name = name;
  }

  #segment(number: number): Segment {
    let segment = this.#segments.get(number);
    if (!segment) {
      const memory = ZooMemory.open(`${this.#name}${number}`);
      memory.unlink();
      segment = new Segment(number, memory);
      this.#segments.set(number, segment);
      this.#numbers.set(memory.buffer, number);
      this.#seen = Math.max(this.#seen, number);
    }
    return segment;
  }

  bytes(number: number): Uint8Array {
    return this.#segment(number).bytes;
  }

  /** Where the other side has these bytes, if they are in its memory. */
  locate(view: ArrayBufferView | ArrayBuffer): { segment: number; offset: number } | undefined {
    if (!ArrayBuffer.isView(view)) return undefined;
    const segment = this.#numbers.get(view.buffer);
    return segment === undefined ? undefined : { segment, offset: view.byteOffset };
  }

  /** The other side may use the segment again. */
  release(number: number): void {
    this.#segments.get(number)?.setInUse(false);
  }

  /** The message in the segment is done with: whoever kept a view of it has an empty one now. */
  takeViewsBack(number: number): void {
    const segment = this.#segments.get(number);
    if (!segment) return;
    this.#numbers.delete(segment.memory.buffer);
    segment.takeViewsBack();
    this.#numbers.set(segment.memory.buffer, number);
  }

  drop(number: number): void {
    const segment = this.#segments.get(number);
    if (!segment) return;
    this.#numbers.delete(segment.memory.buffer);
    this.#segments.delete(number);
    segment.memory.close();
  }

  /** Closes everything; also removes the names of segments that a dead worker made and nobody saw. */
  close(): void {
    for (const segment of this.#segments.values()) segment.memory.close();
    this.#segments.clear();
    this.#numbers.clear();
    for (let next = this.#seen + 1; ZooMemory.unlink(`${this.#name}${next}`); next++);
  }
}

/** The parts in memory of their own: what the caller does with the originals does not matter then. */
export function copyParts(parts: readonly Part[]): Part[] {
  return parts.map(({ path, view }) => {
    const buffer = environment().warmBuffer(view.byteLength);
    new Uint8Array(buffer).set(bytesOf(view));
    return { path, view: viewOf(typeOf(view), buffer, 0, view.byteLength) as ArrayBufferView };
  });
}

/** The part as a view of shared memory. */
export function viewPart(part: PartNote, bytes: Uint8Array): unknown {
  if (part.type === 'ArrayBuffer') return copyPart(part, bytes);
  return viewOf(part.type, bytes.buffer as ArrayBuffer, part.offset, part.bytes);
}

/** The part in memory of its own. */
export function copyPart(part: PartNote, bytes: Uint8Array): unknown {
  const buffer = environment().warmBuffer(part.bytes);
  new Uint8Array(buffer).set(bytes.subarray(part.offset, part.offset + part.bytes));
  return viewOf(part.type, buffer, 0, part.bytes);
}

function viewOf(type: string, buffer: ArrayBuffer, offset: number, bytes: number): unknown {
  if (type === 'ArrayBuffer') return buffer;
  if (type === 'Buffer') return Buffer.from(buffer, offset, bytes);
  const constructor = (globalThis as Record<string, unknown>)[type] as {
    new (buffer: ArrayBuffer, offset: number, length: number): unknown;
    BYTES_PER_ELEMENT?: number;
  };
  return new constructor(buffer, offset, bytes / (constructor.BYTES_PER_ELEMENT ?? 1));
}

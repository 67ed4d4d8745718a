/** Messages in place: claimed ones to read, reserved ones to write. */
import { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import { ViewField, fieldsPerView } from '../native.js';
import type { QueueEndpoint } from './endpoint.js';

declare const cursorBrand: unique symbol;

/** Which view is meant, for `commitRead` and the like. Opaque, and of use at one handle only. */
export interface Cursor {
  readonly [cursorBrand]: true;
}

/**
 * A message in place. Its bytes are memory of the queue: read (or change) them until the view is
 * committed, and keep nothing that points to them, since the space is used again. Posting
 * `view` to a worker would copy the whole queue; copy the bytes first.
 */
export interface ReadView extends Disposable {
  /** The bytes of the message, 64-byte aligned. Empty after the view was committed or given back. */
  readonly view: Buffer;
  /** What `commitRead` and `rejectRead` take. */
  readonly cursor: Cursor;
  /** Number of the message in its queue, growing with each put. */
  readonly seq: bigint;
  /** How often the message was handed out, this time included: 1 the first time. */
  readonly deliveries: number;
  /** When the message was put, in milliseconds since 1970. */
  readonly timestamp: number;
  /** Commits the view, unless it was committed or given back already. */
  [Symbol.dispose](): void;
}

/** Room for a message in place. Nobody sees it before it is committed. */
export interface WriteView extends Disposable {
  /** The reserved bytes, 64-byte aligned; what they held before is not cleared. */
  readonly view: Buffer;
  /** What `commitWrite` and `abortWrite` take. */
  readonly cursor: Cursor;
  /** Gives the room back, unless the view was committed or aborted already. */
  [Symbol.dispose](): void;
}

const emptyBuffer = Buffer.alloc(0);
const fieldsPerBlock = 256 * fieldsPerView;
const settled = -1;

/** Numbers of many views in one array: a view itself is then small and cheap to make. */
let block = new Float64Array(fieldsPerBlock);
let blockUsed = 0;

export class ClaimedView implements ReadView {
  readonly owner: QueueEndpoint;
  readonly #fields: Float64Array;
  readonly #base: number;
  #buffer: Buffer | undefined;

  constructor(owner: QueueEndpoint, fields: Float64Array, base: number) {
    this.owner = owner;
    this.#fields = fields;
    this.#base = base;
  }

  /** The addon's number of the view, negative once it was committed or given back. */
  get number(): number {
    return this.#fields[this.#base + ViewField.cursor] as number;
  }

  settle(): void {
    this.#fields[this.#base + ViewField.cursor] = settled;
    this.#buffer = undefined;
  }

  /** Takes `settle` back, when the view turned out not to be committed. */
  unsettle(number: number): void {
    this.#fields[this.#base + ViewField.cursor] = number;
  }

  get offset(): number {
    return this.#fields[this.#base + ViewField.offset] as number;
  }

  get size(): number {
    return this.#fields[this.#base + ViewField.bytes] as number;
  }

  get view(): Buffer {
    if (this.#buffer !== undefined) return this.#buffer;
    if (this.number < 0 || this.owner.closed) return emptyBuffer;
    return (this.#buffer = Buffer.from(this.owner.memory, this.offset, this.size));
  }

  get cursor(): Cursor {
    return this as unknown as Cursor;
  }

  get seq(): bigint {
    return BigInt(this.#fields[this.#base + ViewField.seq] as number);
  }

  get deliveries(): number {
    return this.#fields[this.#base + ViewField.deliveries] as number;
  }

  get timestamp(): number {
    return this.#fields[this.#base + ViewField.timestamp] as number;
  }

  [Symbol.dispose](): void {
    if (this.number >= 0 && !this.owner.closed) this.owner.release(this, 'commitRead');
  }

  /** Offers the message again, unless it was committed or given back already. */
  giveBack(): void {
    if (this.number >= 0 && !this.owner.closed) this.owner.reject(this);
  }

  [inspect.custom](): object {
    const { seq, deliveries, timestamp, view } = this;
    return Object.assign(named('ReadView'), { seq, deliveries, timestamp, view });
  }
}

/** The views of `count` messages that were just claimed, from the numbers in `scratch`. */
export function readClaimedViews(
  owner: QueueEndpoint,
  scratch: Float64Array,
  count: number,
): ClaimedView[] {
  const numbers = count * fieldsPerView;
  const base = roomInBlock(numbers);
  const fields = block;
  for (let i = 0; i < numbers; i++) fields[base + i] = scratch[i] as number;
  const views = new Array<ClaimedView>(count);
  for (let i = 0; i < count; i++)
    views[i] = new ClaimedView(owner, fields, base + i * fieldsPerView);
  return views;
}

/** The same for one message. */
export function readClaimedView(owner: QueueEndpoint, scratch: Float64Array): ClaimedView {
  const base = roomInBlock(fieldsPerView);
  const fields = block;
  for (let i = 0; i < fieldsPerView; i++) fields[base + i] = scratch[i] as number;
  return new ClaimedView(owner, fields, base);
}

function roomInBlock(numbers: number): number {
  if (blockUsed + numbers > block.length) {
    block = new Float64Array(Math.max(fieldsPerBlock, numbers));
    blockUsed = 0;
  }
  const base = blockUsed;
  blockUsed += numbers;
  return base;
}

export class ReservedView implements WriteView {
  readonly owner: QueueEndpoint;
  readonly size: number;
  readonly #offset: number;
  #buffer: Buffer | undefined;
  /** The addon's number of the reservation, negative once it was committed or aborted. */
  number: number;

  constructor(owner: QueueEndpoint, number: number, offset: number, size: number) {
    this.owner = owner;
    this.number = number;
    this.#offset = offset;
    this.size = size;
  }

  settle(): void {
    this.number = settled;
    this.#buffer = undefined;
  }

  get view(): Buffer {
    if (this.#buffer !== undefined) return this.#buffer;
    if (this.number < 0 || this.owner.closed) return emptyBuffer;
    return (this.#buffer = Buffer.from(this.owner.memory, this.#offset, this.size));
  }

  get cursor(): Cursor {
    return this as unknown as Cursor;
  }

  [Symbol.dispose](): void {
    if (this.number >= 0 && !this.owner.closed) this.owner.abort(this);
  }

  [inspect.custom](): object {
    return Object.assign(named('WriteView'), { view: this.view });
  }
}

/** An object that `inspect` shows under a name, without methods. */
function named(name: string): object {
  return Object.create({ constructor: { name } }) as object;
}

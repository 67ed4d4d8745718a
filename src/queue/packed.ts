/** Many small messages in one piece of memory. */
import { Buffer } from 'node:buffer';
import { invalidArgumentType, invalidArgumentValue } from '../errors.js';
import { maxBatch } from '../native.js';
import { notYet } from '../wait.js';
import { sentUntil, type Batch } from './batch.js';
import type { QueueEndpoint } from './endpoint.js';

/**
 * Messages side by side, as `putPacked` takes and `getPacked` gives them. Nothing is made for a
 * message by itself, which is what makes them fast when they are small.
 *
 * @example
 * const readings = { bytes: new Uint8Array(samples.buffer), sizes: new Uint32Array(1000).fill(16) };
 * await queue.putPacked(readings); // 1000 messages of 16 bytes
 */
export interface PackedMessages {
  /** The bytes of all messages, one behind the other. */
  readonly bytes: Uint8Array;
  /** The size of each message, in bytes. */
  readonly sizes: Uint32Array;
}

export function checkPacked(messages: unknown): PackedMessages {
  const { bytes, sizes } = (messages ?? {}) as Partial<PackedMessages>;
  if (!(bytes instanceof Uint8Array)) {
    throw invalidArgumentType('messages.bytes', 'a Uint8Array', bytes);
  }
  if (!(sizes instanceof Uint32Array)) {
    throw invalidArgumentType('messages.sizes', 'a Uint32Array', sizes);
  }
  return { bytes, sizes };
}

export function totalOf(sizes: Uint32Array): number {
  let total = 0;
  for (let i = 0; i < sizes.length; i++) total += sizes[i] as number;
  return total;
}

export function misfitError(bytes: Uint8Array, sizes: Uint32Array): TypeError {
  return invalidArgumentValue(
    'messages.sizes',
    `${sizes.length} sizes of ${totalOf(sizes)} bytes in all`,
    `they must add up to the ${bytes.length} bytes in messages.bytes`,
  );
}

const packedBytes = Buffer.allocUnsafeSlow(64 * 1024);
const packedSizes = new Uint32Array(maxBatch);
/** Beyond this, copying twice costs more than a call of its own. */
const largestPacked = 4096;
const fewestPacked = 8;
/** Up to so many bytes, a loop is faster than a call of `set`. */
const copiedByLoop = 16;

/** Packs messages that lie here and there, so that one call puts them. All packers share memory. */
export class Packer {
  /** How many to pack: what the queue has no room for is packed again by the next attempt. */
  #most = maxBatch;
  #used = 0;
  count = 0;

  begin(): void {
    this.#used = 0;
    this.count = 0;
  }

  /** False: this one has no place any more. */
  add(source: Uint8Array, start: number, end: number): boolean {
    const size = end - start;
    const at = this.#used;
    if (size > largestPacked || this.count === this.#most) return false;
    if (at + size > packedBytes.length) return false;
    if (size > copiedByLoop) {
      packedBytes.set(size === source.length ? source : source.subarray(start, end), at);
    } else {
      for (let i = 0; i < size; i++) packedBytes[at + i] = source[start + i] as number;
    }
    packedSizes[this.count++] = size;
    this.#used = at + size;
    return true;
  }

  messages(): PackedMessages {
    return {
      bytes: packedBytes.subarray(0, this.#used),
      sizes: packedSizes.subarray(0, this.count),
    };
  }

  /** Learns how many there was room for. */
  note(put: number): number {
    this.#most = put === this.count ? maxBatch : Math.max(fewestPacked, 2 * put);
    return put;
  }
}

/** Packed messages on their way: `attempt` sends what there is room for, and goes on where it was. */
export class PackedPut implements Batch {
  readonly operation: string;
  readonly #queue: QueueEndpoint;
  #rest: PackedMessages;
  sent = 0;

  constructor(queue: QueueEndpoint, operation: string, messages: PackedMessages) {
    this.#queue = queue;
    this.operation = operation;
    this.#rest = messages;
  }

  get needed(): number {
    return this.#rest.sizes[0] ?? 0;
  }

  attempt(): number | typeof notYet {
    for (;;) {
      const { bytes, sizes } = this.#rest;
      const put = this.#queue.putPacked(this.#rest, this.operation);
      this.sent += put;
      if (put === sizes.length) return this.sent;
      if (put === 0) return notYet;
      this.#rest = {
        bytes: bytes.subarray(totalOf(sizes.subarray(0, put))),
        sizes: sizes.subarray(put),
      };
    }
  }

  giveUp(error: unknown): unknown {
    return sentUntil(this, error);
  }
}

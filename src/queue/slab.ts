/**
 * Where messages are copied to when they are taken: a block of memory that many small messages
 * share, so that taking one allocates no memory of its own. One set of blocks serves all queues
 * of a thread.
 *
 * Values are decoded from one block that is used again for each of them. Bytes are handed out as
 * Buffers on another block, side by side, and a used up block belongs to its Buffers.
 */
import { Buffer } from 'node:buffer';
import { environment } from '../lifecycle.js';

const slabBytes = 64 * 1024;
/** Messages up to this size go to a new block when the current one is full; larger ones get memory of their own. */
export const largestShared = 16 * 1024;

export class Slab {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(slabBytes);
  readonly memory: ArrayBuffer = this.bytes.buffer as ArrayBuffer;
  /** Everything before is handed out. A multiple of 8. */
  used = 0;

  /** The message that was copied to `offset`, as a Buffer that keeps its place. */
  handOut(offset: number, size: number): Buffer {
    this.used = (offset + size + 7) & ~7;
    return Buffer.from(this.memory, offset, size);
  }
}

let selected: Slab | undefined;
let valueSlab: Slab | undefined;
let byteSlab: Slab | undefined;

/** The block for values, as the target of `take`. */
export function selectValueSlab(): Slab {
  return select((valueSlab ??= new Slab()));
}

/** The block for bytes, as the target of `take`. */
export function selectByteSlab(): Slab {
  return select((byteSlab ??= new Slab()));
}

/** A fresh block for bytes; the old one stays with the Buffers on it. */
export function replaceByteSlab(): void {
  byteSlab = new Slab();
}

function select(slab: Slab): Slab {
  if (selected !== slab) {
    environment().setSlab(slab.memory);
    selected = slab;
  }
  return slab;
}

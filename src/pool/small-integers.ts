/**
 * Integers, and short lists of them, as MessagePack writes them. Many calls take and give no more
 * than that, and the general encoder makes several objects for each value.
 */
import { Buffer } from 'node:buffer';

/** Of a list; an integer takes 5 bytes at most. */
const mostItems = 8;
const target = Buffer.alloc(1 + 5 * mostItems);
/** The first so many bytes of `target`, made once. */
const beginnings = Array.from({ length: target.length + 1 }, (_, bytes) =>
  target.subarray(0, bytes),
);
let used = 0;

/** The bytes of an integer; undefined: it is something else. The next call overwrites them. */
export function encodeInteger(value: unknown): Uint8Array | undefined {
  used = 0;
  return write(value) ? beginnings[used] : undefined;
}

/** The same for a list of integers. */
export function encodeIntegers(list: readonly unknown[]): Uint8Array | undefined {
  if (list.length > mostItems) return undefined;
  // Reading an item may run code of the user, which may come here again.
  const items = list.slice();
  target[0] = 0x90 | items.length;
  used = 1;
  for (let i = 0; i < items.length; i++) {
    if (!write(items[i])) return undefined;
  }
  return beginnings[used];
}

function write(value: unknown): boolean {
  // As an unsigned number of 32 bits; -0 is none.
  if (typeof value !== 'number' || value >>> 0 !== value || Object.is(value, -0)) return false;
  if (value < 0x80) {
    target[used++] = value;
    return true;
  }
  if (value < 0x100) {
    target[used++] = 0xcc;
  } else {
    if (value < 0x10000) {
      target[used++] = 0xcd;
    } else {
      target[used++] = 0xce;
      target[used++] = value >>> 24;
      target[used++] = value >>> 16;
    }
    target[used++] = value >>> 8;
  }
  target[used++] = value;
  return true;
}

/** The integer in bytes `start` to `end`; undefined: there is something else. */
export function decodeInteger(source: Uint8Array, start: number, end: number): number | undefined {
  const first = source[start] as number;
  switch (end - start) {
    case 1:
      return first < 0x80 ? first : undefined;
    case 2:
      return first === 0xcc ? source[start + 1] : undefined;
    case 3:
      return first === 0xcd
        ? ((source[start + 1] as number) << 8) | (source[start + 2] as number)
        : undefined;
    default:
      return undefined;
  }
}

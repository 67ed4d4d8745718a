/** Random numbers that a seed repeats, and bytes that can be told apart. */
import { crc32 } from 'node:zlib';

/** @typedef {ReturnType<typeof randomFrom>} Random */

/** A generator (mulberry32) and what is made of it. @param {number} seed */
export function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  /** @param {number} from @param {number} below @returns {number} a whole number */
  const between = (from, below) => from + Math.floor(next() * (below - from));
  return {
    next,
    between,
    /** @param {number} chance */
    happens: (chance) => next() < chance,
    /** @template T @param {readonly T[]} list @returns {T} */
    one: (list) => /** @type {T} */ (list[between(0, list.length)]),
    /** Small ones often, large ones seldom. @param {number} from @param {number} to */
    logarithmic: (from, to) => Math.floor(from * (to / from) ** next()),
  };
}

/** The bytes of message or task `number`: `size` of them, the same each time. @param {number} number @param {number} size */
export function bytesFor(number, size) {
  const bytes = Buffer.allocUnsafe(size);
  fillFor(bytes, number);
  return bytes;
}

/** @param {Uint8Array} bytes @param {number} number */
export function fillFor(bytes, number) {
  const pattern = Buffer.alloc(64);
  for (let i = 0; i < 64; i += 4) {
    pattern.writeUInt32LE((Math.imul(number + 1, 2654435761) + i * 40503) >>> 0, i);
  }
  bytes.fill(0);
  for (let at = 0; at < bytes.length; at += 64) {
    bytes.set(at + 64 <= bytes.length ? pattern : pattern.subarray(0, bytes.length - at), at);
  }
}

/** @param {Uint8Array} bytes @param {number} number @param {number} size */
export function isFor(bytes, number, size) {
  return bytes.length === size && crc32(bytes) === crc32(bytesFor(number, size));
}

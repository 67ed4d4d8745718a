/** Messages that say who sent them, which one they are, and whether they are whole. */
import { crc32 } from 'node:zlib';

const headerBytes = 16;

/** @param {number} sender @param {number} number @param {number} size at least the header's */
export function messageOf(sender, number, size) {
  const bytes = Buffer.alloc(Math.max(size, headerBytes));
  writeMessage(bytes, sender, number);
  return bytes;
}

/** Fills the whole of `target`. @param {Buffer} target @param {number} sender @param {number} number */
export function writeMessage(target, sender, number) {
  target.fill((sender * 31 + number) & 255, headerBytes);
  target.writeUInt32LE(sender, 4);
  target.writeUInt32LE(number, 8);
  target.writeUInt32LE(target.length, 12);
  target.writeUInt32LE(crc32(target.subarray(4)), 0);
}

/** Throws when one byte is not as it was sent. @param {Buffer} bytes */
export function readMessage(bytes) {
  const isWhole =
    bytes.length >= headerBytes &&
    bytes.readUInt32LE(12) === bytes.length &&
    bytes.readUInt32LE(0) === crc32(bytes.subarray(4));
  if (!isWhole)
    throw new Error(`damaged: ${bytes.length} bytes, ${bytes.subarray(0, 24).toString('hex')}`);
  return { sender: bytes.readUInt32LE(4), number: bytes.readUInt32LE(8) };
}

/** Side by side, as `putPacked` takes them. @param {readonly Buffer[]} messages */
export const packedOf = (messages) => ({
  bytes: Buffer.concat(messages),
  sizes: Uint32Array.from(messages, ({ length }) => length),
});

/** @param {import('../../../dist/index.js').PackedMessages} messages @returns {Buffer[]} */
export function unpacked({ bytes, sizes }) {
  let at = 0;
  return [...sizes].map((size) => Buffer.from(bytes.subarray(at, (at += size))));
}

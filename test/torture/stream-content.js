/** The bytes of a pipe: each says where it is. */

/** @param {number} position */
const byteAt = (position) => (position ^ (position >>> 8) ^ (position >>> 16)) & 255;

/** @param {Uint8Array} bytes @param {number} position of the first */
export function fillAt(bytes, position) {
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = byteAt(position + i);
}

/** @param {Uint8Array} bytes @param {number} position */
export function isAt(bytes, position) {
  for (let i = 0; i < bytes.length; i += 1) if (bytes[i] !== byteAt(position + i)) return false;
  return true;
}

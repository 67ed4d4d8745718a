/** Reading a socket or a pipe into one buffer, which Node offers for those who read much. */

/** As much as a unix socket holds by default. */
const size = 2 ** 18;

/**
 * @typedef {object} Reading
 * @property {{ buffer: Buffer, callback: (length: number) => boolean }} onread for `net.Socket`
 * @property {(take: (chunk: Buffer) => void) => void} listen chunks are valid until `take` returns
 */

/** @returns {Reading} */
export function singleBuffer() {
  const buffer = Buffer.alloc(size);
  /** @type {(chunk: Buffer) => void} */
  let take = () => {};
  return {
    onread: {
      buffer,
      callback(length) {
        take(buffer.subarray(0, length));
        return true;
      },
    },
    listen(next) {
      take = next;
    },
  };
}

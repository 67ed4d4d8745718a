/** Messages over a byte stream: four bytes of length, then the message. */

/** @param {Uint8Array} message @returns {Buffer} header and message in one piece */
export function frame(message) {
  const framed = Buffer.allocUnsafe(4 + message.length);
  framed.writeUInt32LE(message.length);
  framed.set(message, 4);
  return framed;
}

/** @param {Uint8Array} message @returns {Buffer} to be written before a message that is not copied */
export function header({ length }) {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(length);
  return bytes;
}

/** From here on memory is used again: fresh pages cost more than the copy. */
export const leastBytesToKeep = 2 ** 16;

/**
 * Cuts chunks into messages. Those that lie within one chunk are not copied; large ones are valid
 * until the next.
 */
export class Unframer {
  /** @type {Buffer} */
  #kept = Buffer.alloc(0);
  #header = Buffer.alloc(4);
  #headerBytes = 0;
  /** @type {Buffer | undefined} */
  #message;
  #messageBytes = 0;
  #deliver;

  /** @param {(message: Buffer) => void} deliver */
  constructor(deliver) {
    this.#deliver = deliver;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    let at = 0;
    while (at < chunk.length) {
      at = this.#message ? this.#continueMessage(chunk, at) : this.#beginMessage(chunk, at);
    }
  }

  /** @param {Buffer} chunk @param {number} at @returns {number} where to go on */
  #beginMessage(chunk, at) {
    if (this.#headerBytes === 0 && chunk.length - at >= 4) {
      const length = chunk.readUInt32LE(at);
      if (chunk.length - at - 4 >= length) {
        this.#deliver(chunk.subarray(at + 4, at + 4 + length));
        return at + 4 + length;
      }
    }
    const taken = chunk.copy(this.#header, this.#headerBytes, at);
    this.#headerBytes += taken;
    if (this.#headerBytes === 4) {
      this.#message = this.#memory(this.#header.readUInt32LE(0));
      this.#messageBytes = 0;
      this.#headerBytes = 0;
    }
    return at + taken;
  }

  /** @param {number} length @returns {Buffer} */
  #memory(length) {
    if (length < leastBytesToKeep) return Buffer.allocUnsafe(length);
    if (this.#kept.length !== length) this.#kept = Buffer.allocUnsafe(length);
    return this.#kept;
  }

  /** @param {Buffer} chunk @param {number} at @returns {number} where to go on */
  #continueMessage(chunk, at) {
    const message = /** @type {Buffer} */ (this.#message);
    const taken = chunk.copy(message, this.#messageBytes, at);
    this.#messageBytes += taken;
    if (this.#messageBytes === message.length) {
      this.#message = undefined;
      this.#deliver(message);
    }
    return at + taken;
  }
}

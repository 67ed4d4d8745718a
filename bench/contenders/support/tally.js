/**
 * What a consumer does with the messages of one run. The first message is `announce(count)`; each
 * of the others is read at its first byte, so that a contender that loses or mixes them is caught.
 */
export class Tally {
  #left = 0;
  #sum = 0;
  #touched = 0;

  /** @param {Uint8Array} message @returns {boolean} whether this was the last one of the run */
  take(message) {
    if (this.#left === 0) {
      this.#left = new DataView(message.buffer, message.byteOffset).getFloat64(0, true);
      this.#sum = 0;
      return false;
    }
    this.#sum += /** @type {number} */ (message[0]);
    this.#left -= 1;
    return this.#left === 0;
  }

  /**
   * The same for messages that lie side by side.
   * @param {Uint8Array} bytes
   * @param {Uint32Array} sizes
   * @returns {boolean} whether the last one of the run was among them
   */
  takeAll(bytes, sizes) {
    let at = 0;
    let index = 0;
    if (this.#left === 0) {
      this.take(bytes);
      at += sizes[index++] ?? 0;
    }
    const left = this.#left - (sizes.length - index);
    let sum = 0;
    for (; index < sizes.length; index += 1) {
      sum += bytes[at] ?? 0;
      at += sizes[index] ?? 0;
    }
    this.#sum += sum;
    this.#left = left;
    return left === 0;
  }

  /** The same, and reads one byte in each cache line. @param {Uint8Array} message @returns {boolean} */
  touch(message) {
    this.#touched = (this.#touched + touchLines(message)) & 0xffff;
    return this.take(message);
  }

  /** Counts a message without looking at it. @returns {boolean} whether it was the last one */
  pass() {
    this.#left -= 1;
    return this.#left === 0;
  }

  get isBetweenRuns() {
    return this.#left === 0;
  }

  /** For the producer, at the end of a run: the sum of all first bytes, as eight bytes. */
  get answer() {
    return announce(this.#sum);
  }
}

/** @param {number} count @returns {Buffer} eight bytes */
export function announce(count) {
  const message = Buffer.alloc(8);
  message.writeDoubleLE(count);
  return message;
}

/** @param {Uint8Array} bytes @returns {number} depends on every cache line */
export function touchLines(bytes) {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 64) sum += /** @type {number} */ (bytes[at]);
  return sum;
}

/**
 * The sum of the first bytes when message i begins with `i & 255`.
 * @param {number} count
 * @returns {number}
 */
function expectedSum(count) {
  const rest = count % 256;
  return Math.floor(count / 256) * 32_640 + (rest * (rest - 1)) / 2;
}

/** @param {Uint8Array} answer of a `Tally` @param {number} count of the run */
export function checkAnswer(answer, count) {
  const sum = new DataView(answer.buffer, answer.byteOffset).getFloat64(0, true);
  if (sum !== expectedSum(count)) {
    throw new Error(`${count} messages arrived with sum ${sum} instead of ${expectedSum(count)}`);
  }
}

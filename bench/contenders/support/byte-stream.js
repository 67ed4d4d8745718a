/** What pipe and unix socket have in common: a stream of bytes there, and one back. */
import { once } from 'node:events';
import { ended } from '../../harness/start-partner.js';
import { Unframer, frame, header, leastBytesToKeep } from './framing.js';
import { stopwatch, timeEachAsync } from './stopwatch.js';
import { Tally, announce, checkAnswer, touchLines } from './tally.js';

/**
 * @typedef {object} Ends of the side that measures
 * @property {import('node:stream').Writable} output
 * @property {import('node:stream').Readable} input
 * @property {import('node:child_process').ChildProcess} child
 */

const batchSize = 256;

/** @param {Ends} ends @returns {() => Promise<Buffer>} the next message from the other side */
function receiver({ input }) {
  /** @type {(answer: Buffer) => void} */
  let deliver = () => {};
  const unframer = new Unframer((answer) => deliver(answer));
  input.on('data', (chunk) => unframer.push(chunk));
  return () =>
    new Promise((resolve) => {
      deliver = resolve;
    });
}

/** @param {Ends} ends */
async function close({ output, child }) {
  output.end();
  await ended(child);
}

/**
 * Messages, each written by itself or 256 corked.
 * @param {Ends} ends
 * @param {{ bytes: number, corked?: boolean }} options
 */
export function messageSession(ends, { bytes: usualBytes, corked = false }) {
  const { output } = ends;
  const receive = receiver(ends);
  let message = Buffer.alloc(usualBytes);

  /** @param {number} amount */
  async function sendOneByOne(amount) {
    const isLarge = message.length >= leastBytesToKeep;
    for (let index = 0; index < amount; index += 1) {
      message[0] = index;
      if (isLarge) await writeLarge(output, message);
      else if (!output.write(frame(message))) await once(output, 'drain');
    }
  }

  /** @param {number} amount */
  async function sendCorked(amount) {
    for (let index = 0; index < amount;) {
      output.cork();
      for (const end = Math.min(amount, index + batchSize); index < end; index += 1) {
        message[0] = index;
        output.write(frame(message));
      }
      output.uncork();
      if (output.writableNeedDrain) await once(output, 'drain');
    }
  }

  return {
    /** @param {number} amount @param {number} [bytes] of each message, when not as usual */
    async run(amount, bytes = usualBytes) {
      if (message.length !== bytes) message = Buffer.alloc(bytes, 1);
      const elapsed = stopwatch();
      const answered = receive();
      output.write(frame(announce(amount)));
      await (corked ? sendCorked(amount) : sendOneByOne(amount));
      checkAnswer(await answered, amount);
      return { operations: amount, seconds: elapsed() };
    },
    close: () => close(ends),
  };
}

/**
 * Writes a large message without copying it first. Two writes in one system call.
 * @param {import('node:stream').Writable} output
 * @param {Buffer} message left alone until the promise resolves
 * @returns {Promise<void>}
 */
function writeLarge(output, message) {
  return new Promise((resolve, reject) => {
    output.cork();
    output.write(header(message));
    output.write(message, (error) => (error ? reject(error) : resolve()));
    output.uncork();
  });
}

/**
 * Large messages, one after the other.
 * @param {Ends} ends
 * @param {{ bytes: number }} options
 * @returns {import('../../harness/types.d.ts').Session}
 */
export function largeMessageSession(ends, { bytes }) {
  const receive = receiver(ends);
  const message = Buffer.alloc(bytes, 1);
  return {
    async run(amount) {
      const elapsed = stopwatch();
      const answered = receive();
      ends.output.write(frame(announce(amount)));
      for (let index = 0; index < amount; index += 1) {
        message[0] = index;
        await writeLarge(ends.output, message);
      }
      checkAnswer(await answered, amount);
      return { operations: amount, seconds: elapsed() };
    },
    close: () => close(ends),
  };
}

/**
 * Frames, each of them answered before the next.
 * @param {Ends} ends
 * @param {{ bytes: number }} options
 * @returns {import('../../harness/types.d.ts').Session}
 */
export function frameSession(ends, { bytes }) {
  const receive = receiver(ends);
  const pixels = Buffer.alloc(bytes, 1);
  return {
    run: (amount) =>
      timeEachAsync(amount, async () => {
        const answered = receive();
        await writeLarge(ends.output, pixels);
        await answered;
      }),
    close: () => close(ends),
  };
}

/**
 * @typedef {object} PartnerEnds
 * @property {import('./single-buffer.js').Reading['listen']} listen
 * @property {import('node:stream').Writable} output
 */

/** Reads the first byte of each message, or one in each cache line. @param {PartnerEnds} ends @param {boolean} isLarge */
export function receiveMessages({ listen, output }, isLarge) {
  const tally = new Tally();
  const unframer = new Unframer((message) => {
    const isLast = isLarge ? tally.touch(message) : tally.take(message);
    if (isLast) output.write(frame(tally.answer));
  });
  listen((chunk) => unframer.push(chunk));
}

/** Answers each frame with a sum over its cache lines. @param {PartnerEnds} ends */
export function answerFrames({ listen, output }) {
  const unframer = new Unframer((pixels) => output.write(frame(announce(touchLines(pixels)))));
  listen((chunk) => unframer.push(chunk));
}

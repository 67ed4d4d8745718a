/** A unix stream socket with length-prefixed messages, each written by itself or 256 corked. */
import { once } from 'node:events';
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { Unframer, frame } from '../support/framing.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';
import { acceptPartner, connectToHost } from '../support/unix-socket-pair.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { corked: boolean }} Options */

const batchSize = 256;

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  const socket = await acceptPartner(options.prefix, () => {
    child = startProcess(import.meta.url, options);
  });
  place(options.processors, 0, 2);
  /** @type {(answer: Buffer) => void} */
  let deliver = () => {};
  const unframer = new Unframer((answer) => deliver(answer));
  socket.on('data', (chunk) => unframer.push(chunk));
  const message = Buffer.alloc(options.bytes);
  const drained = () => once(socket, 'drain');

  /** @param {number} amount */
  async function sendOneByOne(amount) {
    for (let index = 0; index < amount; index += 1) {
      message[0] = index;
      if (!socket.write(frame(message))) await drained();
    }
  }

  /** @param {number} amount */
  async function sendCorked(amount) {
    for (let index = 0; index < amount;) {
      let hasRoom = true;
      socket.cork();
      for (const end = Math.min(amount, index + batchSize); index < end; index += 1) {
        message[0] = index;
        hasRoom = socket.write(frame(message));
      }
      socket.uncork();
      if (!hasRoom && socket.writableNeedDrain) await drained();
    }
  }

  return {
    async run(amount) {
      const elapsed = stopwatch();
      /** @type {Promise<Buffer>} */
      const answered = new Promise((resolve) => {
        deliver = resolve;
      });
      socket.write(frame(announce(amount)));
      await (options.corked ? sendCorked(amount) : sendOneByOne(amount));
      checkAnswer(await answered, amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      socket.end();
      if (child) await ended(child);
    },
  };
}

/** @param {Options} options */
export async function partner({ prefix, processors }) {
  const socket = await connectToHost(prefix);
  place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();
  const unframer = new Unframer((message) => {
    if (tally.take(message)) socket.write(frame(tally.answer));
  });
  socket.on('data', (chunk) => unframer.push(chunk));
}

/** The same chunks through a unix stream socket: as new Buffers, or all into one. */
import { once } from 'node:events';
import { place } from '../../harness/processors.js';
import { ended } from '../../harness/start-partner.js';
import { answer, onOrder } from '../support/orders.js';
import { stopwatch } from '../support/stopwatch.js';
import { touchLines } from '../support/tally.js';
import { connectToHost, startConnected } from '../support/unix-socket-pair.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { inPlace: boolean }} Options */

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  const { output: socket, child } = await startConnected(import.meta.url, options);
  const chunk = Buffer.alloc(options.bytes, 1);
  return {
    async run(amount) {
      const answered = answer(child);
      const elapsed = stopwatch();
      child.send({ bytes: amount * options.bytes });
      for (let index = 0; index < amount; index += 1) {
        chunk[0] = index;
        if (!socket.write(chunk)) await once(socket, 'drain');
      }
      await answered;
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      socket.end();
      child.disconnect();
      await ended(child);
    },
  };
}

/** @param {Options} options */
export async function partner({ prefix, processors, bytes, inPlace }) {
  let touched = 0;
  let received = 0;
  let wanted = Infinity;
  /** @type {(message: unknown) => void} */
  let tell = () => {};
  const check = () => {
    if (received < wanted) return;
    received -= wanted;
    wanted = Infinity;
    tell('done');
  };
  /** @param {Uint8Array} chunk */
  const look = (chunk) => {
    touched = (touched + touchLines(chunk)) & 0xffff;
    received += chunk.length;
    check();
  };
  if (inPlace) {
    await connectToHost(prefix, {
      buffer: Buffer.alloc(bytes),
      callback(count, buffer) {
        look(buffer.subarray(0, count));
        return true;
      },
    });
  } else {
    const socket = await connectToHost(prefix);
    socket.on('data', look);
  }
  place(processors, 1, 2);
  onOrder((/** @type {{ bytes: number }} */ { bytes }, say) => {
    wanted = bytes;
    tell = say;
    check();
  });
}

/** A frame over a unix stream socket, length first, and a small answer back. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { Unframer, frame } from '../support/framing.js';
import { timeEachAsync } from '../support/stopwatch.js';
import { announce, touchLines } from '../support/tally.js';
import { acceptPartner, connectToHost } from '../support/unix-socket-pair.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  const socket = await acceptPartner(options.prefix, () => {
    child = startProcess(import.meta.url, options);
  });
  place(options.processors, 0, 2);
  /** @type {(answer: unknown) => void} */
  let deliver = () => {};
  const unframer = new Unframer((answer) => deliver(answer));
  socket.on('data', (chunk) => unframer.push(chunk));
  const pixels = Buffer.alloc(options.bytes, 1);
  const header = Buffer.alloc(4);
  header.writeUInt32LE(pixels.length);
  return {
    run: (amount) =>
      timeEachAsync(
        amount,
        () =>
          new Promise((resolve) => {
            deliver = resolve;
            // Two writes in one system call spare a copy of the frame.
            socket.cork();
            socket.write(header);
            socket.write(pixels);
            socket.uncork();
          }),
      ),
    async close() {
      socket.end();
      if (child) await ended(child);
    },
  };
}

/** @param {ContenderOptions} options */
export async function partner({ prefix, processors }) {
  const socket = await connectToHost(prefix);
  place(processors, 1, 2);
  process.disconnect();
  const unframer = new Unframer((pixels) => socket.write(frame(announce(touchLines(pixels)))));
  socket.on('data', (chunk) => unframer.push(chunk));
}

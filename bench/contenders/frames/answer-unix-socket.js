/** A frame over a unix stream socket, length first, and a small answer back. */
import { answerFrames, frameSession } from '../support/byte-stream.js';
import { connectPartner, startConnected } from '../support/unix-socket-pair.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  return frameSession(await startConnected(import.meta.url, options), options);
}

/** @param {ContenderOptions} options */
export async function partner(options) {
  answerFrames(await connectPartner(options));
}

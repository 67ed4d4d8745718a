/** Large messages over a unix stream socket, length first. */
import { largeMessageSession, receiveMessages } from '../support/byte-stream.js';
import { connectPartner, startConnected } from '../support/unix-socket-pair.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  return largeMessageSession(await startConnected(import.meta.url, options), options);
}

/** @param {ContenderOptions} options */
export async function partner(options) {
  receiveMessages(await connectPartner(options), true);
}

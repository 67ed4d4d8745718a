/** A unix stream socket with length-prefixed messages, each written by itself or 256 corked. */
import { messageSession, receiveMessages } from '../support/byte-stream.js';
import { connectPartner, startConnected } from '../support/unix-socket-pair.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */
/** @typedef {ContenderOptions & { corked: boolean }} Options */

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  return messageSession(await startConnected(import.meta.url, options), options);
}

/** @param {ContenderOptions} options */
export async function partner(options) {
  receiveMessages(await connectPartner(options), false);
}

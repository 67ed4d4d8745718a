/** A pipe with length-prefixed messages, each written by itself or 256 corked. */
import { messageSession, receiveMessages } from '../support/byte-stream.js';
import { pipesOfPartner, startPiped } from '../support/pipe-pair.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */
/** @typedef {ContenderOptions & { corked: boolean }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  return messageSession(startPiped(import.meta.url, options), options);
}

/** @param {ContenderOptions} options */
export function partner(options) {
  receiveMessages(pipesOfPartner(options), false);
}

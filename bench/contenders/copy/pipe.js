/** Large messages through a pipe, length first. */
import { largeMessageSession, receiveMessages } from '../support/byte-stream.js';
import { pipesOfPartner, startPiped } from '../support/pipe-pair.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  return largeMessageSession(startPiped(import.meta.url, options), options);
}

/** @param {ContenderOptions} options */
export function partner(options) {
  receiveMessages(pipesOfPartner(options), true);
}

/** A frame through a pipe, length first, and a small answer back. */
import { answerFrames, frameSession } from '../support/byte-stream.js';
import { pipesOfPartner, startPiped } from '../support/pipe-pair.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  return frameSession(startPiped(import.meta.url, options), options);
}

/** @param {ContenderOptions} options */
export function partner(options) {
  answerFrames(pipesOfPartner(options));
}

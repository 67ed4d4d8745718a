/**
 * `child.send`, with the structured clone algorithm or with JSON, where bytes travel as base64. Its
 * callback says when to send more.
 */
import { once } from 'node:events';
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** With more on their way at a time the channel gets slower, not faster. */
const window = 64;

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { serialization: 'json' | 'advanced' }} Options */

/** What the channel is given for a message, and back. */
const forms = {
  advanced: {
    /** @param {Buffer} message @returns {Buffer | string} */
    pack: (message) => message,
    /** @param {any} received @returns {Uint8Array} */
    unpack: (received) => received,
  },
  json: {
    /** @param {Buffer} message @returns {Buffer | string} */
    pack: (message) => message.toString('base64'),
    /** @param {any} received @returns {Uint8Array} */
    unpack: (received) => Buffer.from(received, 'base64'),
  },
};

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const { serialization } = options;
  const { pack, unpack } = forms[serialization];
  const child = startProcess(import.meta.url, options, { serialization });
  place(options.processors, 0, 2);
  return {
    /** @param {number} amount @param {number} [bytes] of each message, when not as usual */
    async run(amount, bytes = options.bytes) {
      const message = Buffer.alloc(bytes);
      const elapsed = stopwatch();
      const answered = once(child, 'message');
      child.send(pack(announce(amount)));
      for (let index = 0; index < amount; index += 1) {
        message[0] = index;
        if (index % window < window - 1) child.send(pack(message));
        else await new Promise((resolve) => child.send(pack(message), resolve));
      }
      const [answer] = await answered;
      checkAnswer(unpack(answer), amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      child.disconnect();
      await ended(child);
    },
  };
}

/** @param {Options} options */
export function partner({ processors, serialization }) {
  const { pack, unpack } = forms[serialization];
  place(processors, 1, 2);
  const tally = new Tally();
  process.on('message', (message) => {
    if (tally.take(unpack(message))) process.send?.(pack(tally.answer));
  });
}

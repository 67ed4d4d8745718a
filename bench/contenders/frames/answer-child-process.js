/** A frame through `child.send`, structured clone, and a number back. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { timeEachAsync } from '../support/stopwatch.js';
import { touchLines } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const child = startProcess(import.meta.url, options, { serialization: 'advanced' });
  place(options.processors, 0, 2);
  const frame = Buffer.alloc(options.bytes, 1);
  /** @type {(answer: unknown) => void} */
  let deliver = () => {};
  child.on('message', (answer) => deliver(answer));
  return {
    run: (amount) =>
      timeEachAsync(
        amount,
        () =>
          new Promise((resolve) => {
            deliver = resolve;
            child.send(frame);
          }),
      ),
    async close() {
      child.disconnect();
      await ended(child);
    },
  };
}

/** @param {ContenderOptions} options */
export function partner({ processors }) {
  place(processors, 1, 2);
  process.on('message', (frame) => process.send?.(touchLines(/** @type {Uint8Array} */ (frame))));
}

/** There and back with `child.send` and `process.send`, structured clone. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { checkEcho, next } from '../support/echo.js';
import { timeEachAsync } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const child = startProcess(import.meta.url, options, { serialization: 'advanced' });
  place(options.processors, 0, 2);
  const message = Buffer.alloc(options.bytes);
  /** @type {(answer: Uint8Array) => void} */
  let deliver = () => {};
  child.on('message', (answer) => deliver(/** @type {Uint8Array} */ (answer)));
  return {
    run: (amount) =>
      timeEachAsync(amount, async () => {
        /** @type {Promise<Uint8Array>} */
        const answered = new Promise((resolve) => {
          deliver = resolve;
        });
        child.send(next(message));
        checkEcho(await answered, message);
      }),
    async close() {
      child.disconnect();
      await ended(child);
    },
  };
}

/** @param {ContenderOptions} options */
export function partner({ processors }) {
  place(processors, 1, 2);
  process.on('message', (message) => process.send?.(/** @type {object} */ (message)));
}

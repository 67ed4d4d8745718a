/** One of the contenders in `stream/`, which send one message after the other, with messages of all sizes. */
import { curve, runFor } from '../support/over-time.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { sizes: number[], file: string }} Options */
/** @typedef {{ run(amount: number, bytes: number): Promise<import('../../harness/types.d.ts').Sample>, close(): Promise<void> }} SizedSession */

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open({ sizes, file, ...options }) {
  const contender = await import(new URL(`../stream/${file}`, import.meta.url).href);
  /** @type {SizedSession} */
  const session = await contender.open(options);
  const known = new Map();
  return {
    run: () =>
      curve(sizes, async (size) => {
        const run = (/** @type {number} */ amount) => session.run(amount, size);
        const { operations, seconds } = await runFor(known, size, run);
        return (operations * size) / seconds;
      }),
    close: () => session.close(),
  };
}

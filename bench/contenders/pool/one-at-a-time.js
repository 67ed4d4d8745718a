/** Tasks of a pool, each awaited before the next is sent. */
import { timeEachAsync } from '../support/stopwatch.js';
import { touchLines } from '../support/tally.js';
import { answeredBy, loadPool } from './start.js';
import { workers } from './workers.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions & import('./start.js').PoolChoice & { task: 'noop' | 'touch' | 'echo' }} options */
export async function open({ task, bytes, ...choice }) {
  const start = await loadPool({ ...choice, hasBytes: bytes > 0 });
  const pool = start();
  await answeredBy(pool, workers);
  const payload = new Uint8Array(bytes).fill(1);
  let number = 0;

  const callNoop = async () => {
    number += 1;
    check(await pool.call('noop', number), number);
  };
  const callTouch = async () => {
    payload[0] = number = (number + 1) & 127;
    check(await pool.call('touch', payload), number + bytes / 64 - 1);
  };
  const callEcho = async () => {
    payload[0] = number = (number + 1) & 127;
    const answer = /** @type {Uint8Array} */ (await pool.call('echo', payload));
    check(answer.length, bytes);
    // The receiver reads what it got, as the worker did.
    check(touchLines(answer), number + bytes / 64 - 1);
  };
  const operation = { noop: callNoop, touch: callTouch, echo: callEcho }[task];

  return {
    /** @param {number} amount */
    run: (amount) => timeEachAsync(amount, operation),
    close: async () => void (await pool.close()),
  };
}

/** @param {unknown} result @param {number} expected */
function check(result, expected) {
  if (result !== expected) throw new Error(`the answer was ${result} instead of ${expected}`);
}

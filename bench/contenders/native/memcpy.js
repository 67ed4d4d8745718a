/** The limit: memcpy of the same bytes, round a piece of shared memory as large as the queue. */
import { compile, nativeSession, placesFor } from '../support/native-program.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { ringBytes: number }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ bytes, ringBytes, processors }) {
  const places = placesFor(processors, 1);
  return nativeSession(compile('memcpy_ring'), (amount) => [amount, bytes, ringBytes, ...places]);
}

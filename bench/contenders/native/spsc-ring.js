/** The limit: a bare C++ ring between two processes, for one producer and one consumer. */
import { compile, nativeSession, placesFor } from '../support/native-program.js';

/**
 * `take` is what the consumer does: it copies each message out, or reads one byte in each cache
 * line of it in place.
 *
 * @typedef {import('../../harness/types.d.ts').ContenderOptions &
 *   { ringBytes: number, take: 'copy' | 'view' }} Options
 */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ bytes, ringBytes, take, processors }) {
  const places = placesFor(processors, 2);
  return nativeSession(compile('spsc_ring'), (amount) => [
    amount,
    bytes,
    ringBytes,
    take,
    ...places,
  ]);
}

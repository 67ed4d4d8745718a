/** `message_queue` of Boost.Interprocess between two C++ processes, by its blocking calls. */
import { compile, nativeSession, placesFor } from '../support/native-program.js';

/** Messages that it has room for: with fewer it is slower, with more no faster. */
const capacity = 8192;

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ prefix, bytes, processors }) {
  const program = compile('boost_message_queue', { packages: 'libboost-dev' });
  const places = placesFor(processors, 2);
  return nativeSession(program, (amount) => [amount, bytes, capacity, prefix, ...places]);
}

/** The limit: two C++ processes that wake each other through a futex, or watch for a while before they sleep. */
import { compile, placesFor, run } from '../support/native-program.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { microseconds?: number }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ processors, microseconds = 0 }) {
  const program = compile('futex_ping_pong');
  return {
    async run(amount) {
      const lines = await run(program, [amount, microseconds, ...placesFor(processors, 2)]);
      const latencies = lines.split('\n').map(Number);
      const nanoseconds = latencies.reduce((sum, latency) => sum + latency, 0);
      return { operations: amount, seconds: nanoseconds / 1e9, latencies };
    },
    close() {},
  };
}

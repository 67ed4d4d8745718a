/**
 * One of the processes of the soak. For each order of the parent it carries on all sorts of traffic
 * for a while, comes to rest, and says what it holds then.
 *
 * Arguments: role, prefix of the names, seed, and the only kind of traffic that is wanted, or ''.
 */
import { randomFrom } from '../torture/support/random.js';
import { sample } from './measure.js';
import { Between } from './traffic-between.js';
import { locks, memories } from './traffic-lock.js';
import { closeSteadyPool, processes, restSteadyPool, steadyPool, threads } from './traffic-pool.js';
import { groups, values, views, waits } from './traffic-queue.js';
import { channels, interrupted, local, pipes } from './traffic-stream.js';
import { workers } from './traffic-workers.js';

/** @typedef {{ milliseconds: number, everything: boolean } | 'end'} Order */

const [, , role, prefix, seed, only] = process.argv;
/** @type {Record<string, number>} */
const counts = {};
/** @type {import('./scope.js').Scope} */
const scope = {
  role: /** @type {import('./scope.js').Scope['role']} */ (role),
  prefix: String(prefix),
  random: randomFrom(Number(seed)),
  count(what, times = 1) {
    counts[what] = (counts[what] ?? 0) + times;
  },
};

const light = {
  values,
  views,
  groups,
  waits,
  locks,
  memories,
  channels,
  interrupted,
  pipes,
  local,
};
const all = role === 'host' ? { workers, threads, steadyPool, processes } : light;
const kinds = Object.entries(all).filter(([name]) => !only || name === only);
const between = role === 'host' ? undefined : new Between(scope);

/** Nothing takes nearly so long unless it is stuck. */
const longest = 60_000;

/** @param {string} what @param {Promise<void>} work */
async function within(what, work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} is stuck`)), longest);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {number} milliseconds @param {boolean} everything each kind at least once */
async function carryOn(milliseconds, everything) {
  const end = performance.now() + milliseconds;
  if (everything) for (const [name, kind] of kinds) await within(name, kind(scope));
  while (kinds.length > 0 && performance.now() < end) {
    const [name, kind] = scope.random.one(kinds);
    await within(name, kind(scope));
  }
  if (between !== undefined && !only)
    await within('the exchange between processes', between.exchange());
}

process.on('message', async (/** @type {Order} */ order) => {
  try {
    if (order === 'end') {
      await between?.close();
      await closeSteadyPool();
      process.send?.({ counts });
      process.disconnect();
      return;
    }
    await carryOn(order.milliseconds, order.everything);
    await within('the rest of the workers', restSteadyPool());
    process.send?.({ sample: await sample() });
  } catch (error) {
    process.send?.({
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
});
process.send?.('ready');

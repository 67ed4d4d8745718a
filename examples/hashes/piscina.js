/** The same with piscina, which has no map: a window of promises, taken in order. */
import { Piscina } from 'piscina';

/** Files on their way at a time. */
const concurrency = 512;

/** @typedef {import('./tasks.js').Answer} Answer */

/**
 * @param {Piscina<string, Answer>} pool
 * @param {readonly string[]} files
 */
async function* hashInOrder(pool, files) {
  const window = files.slice(0, concurrency).map((file) => pool.run(file));
  for (let next = 0; next < files.length; next++) {
    yield await window[next % concurrency];
    const later = next + concurrency;
    if (later < files.length) window[later % concurrency] = pool.run(files[later]);
  }
}

/** @param {import('./arguments.js').Staff} staff */
export function startPool({ workers }) {
  /** @type {Piscina<string, Answer>} */
  const pool = new Piscina({
    filename: new URL('tasks.js', import.meta.url).href,
    name: 'sha256',
    minThreads: workers,
    maxThreads: workers,
  });
  return {
    /** @param {readonly string[]} files */
    hashAll: (files) => hashInOrder(pool, files),
    // All answers have come by then.
    close: () => pool.destroy(),
  };
}

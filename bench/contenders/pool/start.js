/** @typedef {import('./adapter.d.ts').AdapterOptions & { pool: string }} PoolChoice */

/**
 * @param {PoolChoice} choice `pool` is the file of the adapter
 * @returns {Promise<() => import('./adapter.d.ts').PoolAdapter>} starts such a pool; all modules
 *   are loaded by then
 */
export async function loadPool({ pool, ...options }) {
  /** @type {import('./adapter.d.ts').AdapterModule} */
  const { start } = await import(`./${pool}.js`);
  return () => start(options);
}

/**
 * @param {import('./adapter.d.ts').PoolAdapter} pool
 * @param {number} count
 * @returns {Promise<void>} when this number of different workers have answered
 */
export async function answeredBy(pool, count) {
  const seen = new Set();
  const askUntilAllAnswered = async () => {
    while (seen.size < count) seen.add(await pool.call('who', 0));
  };
  await Promise.all(Array.from({ length: count }, () => askUntilAllAnswered()));
}

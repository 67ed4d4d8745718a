/** ZooPool. */
import { ZooPool } from '../../../dist/index.js';
import { workers } from './workers.js';

const module = new URL('tasks.js', import.meta.url);

/** @type {import('./adapter.d.ts').AdapterModule['start']} */
export function start({ kind }) {
  const pool = new ZooPool(module, { kind, workers });
  return {
    call: (task, value) => pool.run(task, [value]),
    close: () => pool.destroy(),
  };
}

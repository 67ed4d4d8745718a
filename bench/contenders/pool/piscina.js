/** piscina: threads, named exports, everything else as it comes. */
import { Piscina } from 'piscina';
import { workers } from './workers.js';

/** @type {import('./adapter.d.ts').AdapterModule['start']} */
export function start({ move = false }) {
  const file = move ? 'piscina-moving-tasks.js' : 'tasks.js';
  const filename = new URL(file, import.meta.url).href;
  const pool = new Piscina({ filename, minThreads: workers, maxThreads: workers });
  return {
    call: (task, value) => pool.run(value, { name: task }),
    close: () => pool.destroy(),
  };
}

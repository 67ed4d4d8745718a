/** jest-worker, with threads or processes, everything else as it comes. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'jest-worker';
import * as tasks from './tasks.js';
import { workers } from './workers.js';

const file = fileURLToPath(new URL('tasks.js', import.meta.url));

/** @type {import('./adapter.d.ts').AdapterModule['start']} */
export function start({ kind }) {
  const pool = new Worker(file, {
    numWorkers: workers,
    enableWorkerThreads: kind === 'thread',
    exposedMethods: Object.keys(tasks),
  });
  const methods = /** @type {Record<string, (value: unknown) => Promise<unknown>>} */ (
    /** @type {unknown} */ (pool)
  );
  return {
    call: (task, value) => methods[task](value),
    close: () => pool.end(),
  };
}

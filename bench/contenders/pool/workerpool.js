/** workerpool, with threads or processes, and a dedicated worker script. */
import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import { workers } from './workers.js';

const script = fileURLToPath(new URL('workerpool-tasks.js', import.meta.url));

/** @type {import('./adapter.d.ts').AdapterModule['start']} */
export function start({ kind, hasBytes }) {
  const pool = workerpool.pool(script, {
    workerType: kind,
    minWorkers: workers,
    maxWorkers: workers,
    // The default of `fork` is JSON, which is faster for small values and changes byte arrays.
    ...(hasBytes ? { forkOpts: { serialization: 'advanced' } } : {}),
  });
  return {
    // Its promise is of a class of its own, which `await` takes like any other.
    call: (task, value) => /** @type {Promise<unknown>} */ (pool.exec(task, [value])),
    close: () => pool.terminate(true),
  };
}

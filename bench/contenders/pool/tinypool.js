/** tinypool, with threads or processes. */
import { Tinypool } from 'tinypool';
import { workers } from './workers.js';

const filename = new URL('tasks.js', import.meta.url).href;

/** @type {import('./adapter.d.ts').AdapterModule['start']} */
export function start({ kind, hasBytes }) {
  const pool = new Tinypool({
    filename,
    runtime: kind === 'thread' ? 'worker_threads' : 'child_process',
    minThreads: workers,
    maxThreads: workers,
    // Its default is JSON, which is faster for small values and changes byte arrays.
    ...(hasBytes ? { serialization: 'advanced' } : {}),
  });
  return {
    call: (task, value) => pool.run(value, { name: task }),
    close: () => pool.destroy(),
  };
}

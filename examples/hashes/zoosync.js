/** The hashes of many files with ZooPool. */
import { ZooPool } from 'zoosync';

/** Files on their way at a time; the rest of the list waits to be asked for. */
const concurrency = 512;
/** Only groups the travel: each file is a task of its own. */
const chunk = 16;

/** @param {import('./arguments.js').Staff} staff */
export function startPool({ workers, kind }) {
  /** @type {ZooPool<typeof import('./tasks.js')>} */
  const pool = new ZooPool(new URL('tasks.js', import.meta.url), {
    kind,
    workers,
    // Hashing a file twice harms nobody, so a file whose worker was killed goes to another one.
    retries: 2,
  });
  pool.on('worker:exit', ({ pid, signal }) => {
    if (signal) process.stdout.write(`worker ${pid} died of ${signal}, its files go to others\n`);
  });
  return {
    /** @param {readonly string[]} files */
    hashAll: (files) => pool.map('sha256', files, { concurrency, chunk }),
    /** Shoots a worker, a busy one if there is any. */
    shoot() {
      const victim = pool.workers.find(({ state }) => state === 'busy') ?? pool.workers[0];
      if (victim) process.kill(victim.pid, 'SIGKILL');
    },
    close: () => pool.close(),
  };
}

/** Starts the function `partner` of a contender beside it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const script = new URL('partner.js', import.meta.url);

/**
 * @param {string} module URL of the contender
 * @param {object} options for `partner`
 * @param {{ serialization?: 'json' | 'advanced', stdin?: number | 'ignore', stdout?: 'pipe' | 'inherit' }} [how]
 */
export function startProcess(
  module,
  options,
  { serialization = 'advanced', stdin = 'ignore', stdout = 'inherit' } = {},
) {
  const child = fork(fileURLToPath(script), [module, JSON.stringify(options)], {
    serialization,
    stdio: [stdin, stdout, 'inherit', 'ipc'],
  });
  child.once('exit', (code) => {
    // Uncaught on purpose: a contender without its partner would wait for ever.
    if (code !== null && code !== 0) throw new Error(`the partner ended with code ${code}`);
  });
  return child;
}

/** @param {string} module URL of the contender @param {object} options for `partner` */
export function startThread(module, options) {
  return new Worker(script, { workerData: { module, options } });
}

/** @param {import('node:child_process').ChildProcess} child @returns {Promise<void>} when it is gone */
export async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/**
 * The floor under a pool that sends messages: two workers, `postMessage` or `send`, a table of
 * promises, and nothing else. No queue, no errors, no deaths.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { workers } from './workers.js';

const script = new URL('raw-worker.js', import.meta.url);

/** @param {(answer: [number, unknown]) => void} settle */
function startThread(settle) {
  const worker = new Worker(script);
  worker.on('message', settle);
  return {
    /** @param {unknown[]} message */
    post: (message) => worker.postMessage(message),
    end: () => worker.terminate(),
  };
}

/** @param {(answer: [number, unknown]) => void} settle @param {boolean} hasBytes */
function startProcess(settle, hasBytes) {
  // JSON is faster for small values and changes byte arrays.
  const serialization = hasBytes ? 'advanced' : 'json';
  const child = fork(fileURLToPath(script), { serialization });
  child.on('message', (answer) => settle(/** @type {[number, unknown]} */ (answer)));
  return {
    /** @param {unknown[]} message */
    post: (message) =>
      child.send(/** @type {import('node:child_process').Serializable} */ (message)),
    end: () => child.disconnect(),
  };
}

/** @type {import('./adapter.d.ts').AdapterModule['start']} */
export function start({ kind, hasBytes }) {
  /** @type {Map<number, (result: unknown) => void>} */
  const waiting = new Map();
  let calls = 0;
  /** @param {[number, unknown]} answer */
  const settle = ([id, result]) => {
    const resolve = waiting.get(id);
    waiting.delete(id);
    resolve?.(result);
  };
  const startWorker = kind === 'thread' ? startThread : startProcess;
  const staff = Array.from({ length: workers }, () => startWorker(settle, hasBytes));
  return {
    call: (task, value) =>
      new Promise((resolve) => {
        const id = ++calls;
        waiting.set(id, resolve);
        staff[id % workers].post([id, task, value]);
      }),
    close: () => Promise.all(staff.map(({ end }) => end())),
  };
}

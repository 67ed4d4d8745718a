/** The other end of `raw.js`. */
import { parentPort } from 'node:worker_threads';
import * as tasks from './tasks.js';

/** @typedef {[id: number, task: string, value: unknown]} Message */

/** @param {Message} message @returns {[number, unknown]} */
function answer([id, task, value]) {
  const run = /** @type {Record<string, (value: any) => unknown>} */ (tasks)[task];
  return [id, run(value)];
}

if (parentPort) {
  const port = parentPort;
  port.on('message', (message) => port.postMessage(answer(message)));
} else {
  process.on('message', (message) => {
    process.send?.(answer(/** @type {Message} */ (message)));
  });
}

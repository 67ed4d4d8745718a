/** What every pool runs. Each task takes one value, because not every pool can pass more. */
import { renameSync, writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { touchLines } from '../support/tally.js';

/** @param {number} value */
export const noop = (value) => value;

/** @param {import('./values.js').Order} order */
export const countItems = (order) => order.items.length;

/** @param {Uint8Array} bytes */
export const touch = (bytes) => touchLines(bytes);

/** @param {Uint8Array} bytes */
export function echo(bytes) {
  touchLines(bytes);
  return bytes;
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Keeps its worker for a moment, so that the next one goes to another, and says who it was. */
export function who() {
  Atomics.wait(sleeper, 0, 0, 1);
  return `${process.pid}/${threadId}`;
}

/** Writes a file that is never seen half written. @param {string} file @param {string} text */
function leaveNote(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Never answers. @param {string} file where it leaves its process id */
export function hang(file) {
  leaveNote(file, String(process.pid));
  Atomics.wait(sleeper, 0, 0);
}

/** Ends its worker. @param {string} file where it leaves the time at which it does, in ns */
export function leave(file) {
  leaveNote(file, String(process.hrtime.bigint()));
  process.exit(1);
}

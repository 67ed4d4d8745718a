/** What workers that die at a step run. Each start is written down. */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** @type {number} */
let starts;

/** What the task that runs is told about itself. @type {{ attempt: number }} */
let task;

/** @param {{ directory: string, workerUrl: string }} data */
export async function setup({ directory, workerUrl }) {
  ({ task } = await import(workerUrl));
  starts = openSync(`${directory}/starts`, 'a');
  writeSync(openSync(`${directory}/pids`, 'a'), `${process.pid}\n`);
}

/** @param {string} name */
function note(name) {
  writeSync(starts, `${name}\n`);
}

/** @param {string} name */
export function nothing(name) {
  note(name);
}

/** @param {string} name @param {object} value */
export function same(name, value) {
  note(name);
  return value;
}

/** @param {string} name @param {object} value */
export async function later(name, value) {
  note(name);
  await sleep(1);
  return value;
}

/** @param {string} name @param {Uint8Array} bytes */
export function sum(name, bytes) {
  note(name);
  return bytes.reduce((total, byte) => total + byte, 0);
}

/** @param {string} name @param {number} bytes */
export function large(name, bytes) {
  note(name);
  return Buffer.alloc(bytes, 3);
}

/** @param {string} name @param {number} count @param {number} bytes */
export async function* items(name, count, bytes) {
  note(name);
  for (let i = 0; i < count; i += 1) yield { i, bytes: Buffer.alloc(bytes, i) };
}

/** @param {string} name */
export function twice(name) {
  note(name);
  return `${name} ${name}`;
}

/** @param {string} name */
export function told(name) {
  note(name);
}

/** Takes its worker along, the first time. @param {string} name @param {string} directory */
export function dies(name, directory) {
  note(name);
  if (task.attempt === 1) process.kill(process.pid, 'SIGKILL');
  return directory;
}

/** The tasks of the pools that are tortured. Each start is written down outside of the library. */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { task } from '../../dist/pool/worker.js';
import { bytesFor, isFor } from './support/random.js';

/** @type {number} */
let starts;
/** @type {number} */
let suicides;
/** Announcements that this worker has heard, and how often. @type {Record<number, number>} */
const heard = {};
let workerId = 0;
/** @type {Buffer[]} */
const kept = [];

/** @param {{ directory: string }} data */
export function setup({ directory }) {
  starts = openSync(`${directory}/starts`, 'a');
  suicides = openSync(`${directory}/suicides`, 'a');
  if (isMainThread) return;
  // Nobody can send a signal to a thread.
  const channel = new BroadcastChannel(`torture-${directory}`);
  channel.unref();
  channel.addEventListener('message', (event) => {
    if (/** @type {MessageEvent} */ (event).data === workerId) process.exit(1);
  });
}

export function teardown() {
  kept.length = 0;
}

/** @param {number} number */
function note(number) {
  ({ workerId } = task);
  writeSync(starts, `${number} ${task.attempt} ${workerId}\n`);
}

/** @param {number} number @param {number[]} list */
export function small(number, list) {
  note(number);
  return { number, sum: list.reduce((sum, item) => sum + item, 0), heard: { ...heard } };
}

/** @param {number} number @param {number} milliseconds */
export async function waits(number, milliseconds) {
  note(number);
  await sleep(milliseconds, undefined, { signal: task.signal });
  return number;
}

/** Does not listen to its signal. @param {number} number @param {number} milliseconds */
export function spins(number, milliseconds) {
  note(number);
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  return number;
}

/** @param {number} number @param {Uint8Array} bytes @param {number} size */
export function bytes(number, bytes, size) {
  note(number);
  if (!isFor(bytes, number, size)) throw new Error(`the argument of task ${number} is damaged`);
  return { number, size: bytes.length };
}

/** What came in goes back, without a copy by the function. @param {number} number @param {Uint8Array} bytes */
export async function back(number, bytes) {
  note(number);
  if (number % 3 === 0) await sleep(1);
  return bytes;
}

/** @param {number} number @param {number} size */
export function grows(number, size) {
  note(number);
  return bytesFor(number, size);
}

/** @param {number} number @param {{ first: Uint8Array, rest: Uint8Array[] }} value */
export async function mixed(number, { first, rest }) {
  note(number);
  const sizes = [first, ...rest].map((one) => one.length);
  const right = [first, ...rest].every((one, i) => isFor(one, number + i, sizes[i] ?? 0));
  if (!right) throw new Error(`the arguments of task ${number} are damaged`);
  await sleep(number % 2);
  return { number, sizes, last: rest.at(-1) ?? first, own: bytesFor(number, 70_000) };
}

/** @param {number} number */
export function fails(number) {
  note(number);
  const cause = new TypeError(`cause ${number}`);
  throw Object.assign(new RangeError(`task ${number}`, { cause }), { code: 'E_TORTURE', number });
}

/** Answers what cannot be sent. @param {number} number */
export function refuses(number) {
  note(number);
  return { number, method: () => number };
}

/** @param {number} number @param {number} count @param {number} size */
export async function* items(number, count, size) {
  note(number);
  for (let i = 0; i < count; i += 1) {
    if (i % 50 === 49) await sleep(1);
    yield { i, bytes: bytesFor(number + i, size) };
  }
}

/** @param {number} number @param {number} count */
export function* numbers(number, count) {
  note(number);
  for (let i = 0; i < count; i += 1) yield number * 1000 + i;
}

/** @param {number} number @param {number} count */
export async function progresses(number, count) {
  note(number);
  for (let i = 0; i < count; i += 1) {
    task.progress(i % 5 === 4 ? bytesFor(i, 100_000) : { number, i });
    if (i % 10 === 0) await sleep(1);
  }
  return number;
}

/** More than the pool lets a worker have, sooner or later. @param {number} number @param {number} size */
export function keeps(number, size) {
  note(number);
  kept.push(Buffer.alloc(size, 1));
  if (kept.length > 8) kept.shift();
  return number;
}

/** @param {number} number */
export function announced(number) {
  heard[number] = (heard[number] ?? 0) + 1;
}

/** Ends this worker. @param {number} number @param {string} way */
export async function dies(number, way) {
  note(number);
  writeSync(suicides, `${task.workerId}\n`);
  if (way === 'exit') process.exit(3);
  if (way === 'exit 0') process.exit(0);
  if (way === 'throw') setImmediate(() => thrown(number));
  else if (way === 'abort') process.abort();
  else process.kill(process.pid, way);
  await sleep(60_000);
}

/** @param {number} number */
function thrown(number) {
  throw new Error(`thrown outside of task ${number}`);
}

/** @param {number} number */
export async function waits0(number) {
  note(number);
  if (number % 7 === 0) await sleep(1);
  return number;
}

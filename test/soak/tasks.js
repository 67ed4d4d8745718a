/** What the workers of the pools do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { task } from '../../dist/pool/worker.js';
import { collectAll } from './measure.js';

/** So that what is measured afterwards is what is held, and not what waits for its collection. */
export const rest = () => collectAll();

/** @param {number} a @param {number} b */
export const add = (a, b) => a + b;

/** @param {Uint8Array} bytes */
export const reversed = (bytes) => Uint8Array.from(bytes).reverse();

/** @param {number} size */
export const made = (size) => new Uint8Array(size).fill(5);

export function fails() {
  throw new RangeError('as it should');
}

export const dies = () => process.exit(3);

/** Until it is told to stop. */
export async function waits() {
  await sleep(60_000, undefined, { signal: task.signal });
}

/** @param {number} count */
export async function* counted(count) {
  for (let number = 0; number < count; number += 1) {
    task.progress(number);
    yield { number, text: 'x'.repeat(number % 100) };
  }
}

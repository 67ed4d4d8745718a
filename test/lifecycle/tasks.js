/** What the pools of the scenarios run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { task } from '../../dist/pool/worker.js';

/** @param {number} a @param {number} b */
export const add = (a, b) => a + b;

/** @param {number} milliseconds */
export const wait = (milliseconds) => sleep(milliseconds);

/** Ends only when it is told to. */
export async function untilAborted() {
  await new Promise((resolve) => task.signal.addEventListener('abort', resolve));
}

/** Never gives the event loop back. */
export function spin() {
  for (;;);
}

/** @param {number} count */
export async function* numbers(count) {
  for (let i = 0; i < count; i += 1) yield i;
}

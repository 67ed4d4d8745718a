/** What the scenarios have in common. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Control } from './control.js';

/**
 * An operation during which one process dies.
 * @typedef {object} Scenario
 * @property {string} name
 * @property {(trial: Trial) => Promise<void>} run throws when a promise of the library was broken
 * @property {() => Promise<void>} [end]
 */

/** Everything has to be over by then, in milliseconds: far beyond what is promised, on a busy machine. */
export const patience = 30_000;

/** One run of an operation, in which the process dies at step `killAt` of those named `only`. */
export class Trial {
  /** @param {number} killAt @param {string} only */
  constructor(killAt, only) {
    this.killAt = killAt;
    this.only = only;
    this.directory = mkdtempSync(path.join(tmpdir(), 'kill-steps-'));
    this.control = new Control(path.join(this.directory, 'control'));
    /** @type {(() => unknown)[]} */
    this.cleanups = [];
  }

  arm() {
    this.control.arm(this.killAt, this.only);
  }

  /** @param {string} file @returns {string[]} */
  lines(file) {
    try {
      return readFileSync(path.join(this.directory, file), 'utf8').split('\n').slice(0, -1);
    } catch {
      return [];
    }
  }

  /** @param {() => unknown} action after the trial, however it went */
  afterwards(action) {
    this.cleanups.push(action);
  }

  async clear() {
    for (const action of this.cleanups.reverse()) await action();
    this.control.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** @param {boolean} condition @param {string} text */
export function expect(condition, text) {
  if (!condition) throw new Error(text);
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {string} what
 * @returns {Promise<T>}
 */
export async function within(promise, what, limit = patience) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  try {
    return await Promise.race([
      promise,
      new Promise((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`waited ${limit} ms in vain for ${what}`)),
          limit,
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {() => boolean | Promise<boolean>} condition @param {string} what */
export async function until(condition, what, limit = patience) {
  const deadline = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${limit} ms in vain for ${what}`);
    await sleep(5);
  }
}

/** @param {number} pid */
export function isDead(pid) {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

/** @param {RegExp} pattern @returns {string[]} names in /dev/shm */
export function segments(pattern) {
  return readdirSync('/dev/shm').filter((name) => pattern.test(name));
}

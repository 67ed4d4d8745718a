/**
 * Names of segments for tests, and the promise that every test leaves /dev/shm as it found it.
 *
 * Every name made here begins with `runPrefix`, which no other process and no other test file
 * has. After each test whatever still carries the prefix is removed and the test fails, so one
 * leak does not hide behind the next.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { afterEach, expect } from 'vitest';

/** Where segments live. */
export const shmDirectory = '/dev/shm';

const startedAt = Date.now().toString(36);

/** What all names of this test file begin with. */
export const runPrefix = `zootest.${process.pid}.${threadId}.${startedAt}.`;

let made = 0;

/** A name that nobody has used before. `hint` makes it readable in messages. */
export function uniqueName(hint = 'x'): string {
  made += 1;
  return `${runPrefix}${made}.${hint}`;
}

/** The path of the file behind a name. */
export function pathOf(name: string): string {
  return join(shmDirectory, name.replace(/^\//, ''));
}

/** What this test file has left in /dev/shm. */
export function leftovers(): string[] {
  return readdirSync(shmDirectory)
    .filter((entry) => entry.startsWith(runPrefix))
    .sort();
}

interface Closable {
  close(): unknown;
  unlink?(): boolean;
}

const cleanups: (() => unknown)[] = [];

/** Runs `action` after the test, in reverse order of registration, whether it passed or not. */
export function afterThisTest(action: () => unknown): void {
  cleanups.push(action);
}

/** Closes and unlinks `handle` after the test. */
export function track<H extends Closable>(handle: H): H {
  afterThisTest(() => {
    handle.close();
    handle.unlink?.();
  });
  return handle;
}

afterEach(async () => {
  const failures: unknown[] = [];
  for (let action = cleanups.pop(); action !== undefined; action = cleanups.pop()) {
    try {
      await action();
    } catch (error) {
      failures.push(error);
    }
  }
  const left = leftovers();
  for (const entry of left) rmSync(join(shmDirectory, entry), { recursive: true, force: true });
  if (failures.length > 0) throw failures[0];
  expect(left, 'names this test left in /dev/shm').toEqual([]);
});

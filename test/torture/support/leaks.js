/** What this process holds, and what it has left behind. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const directory = '/dev/shm';
setFlagsFromString('--expose-gc');
const collectGarbage = /** @type {() => void} */ (runInNewContext('gc'));

/** @param {RegExp} pattern @returns {string[]} names in /dev/shm */
export function segments(pattern) {
  return readdirSync(directory).filter((name) => pattern.test(name));
}

/** Processes that this one has started and that have not ended. @returns {number[]} */
export function children() {
  return readdirSync('/proc/self/task').flatMap((task) => {
    try {
      const text = readFileSync(`/proc/self/task/${task}/children`, 'utf8');
      return text.split(' ').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}

/** Descriptors, mappings of shared memory, threads and bytes of this process, when its garbage is gone. */
export function holdings() {
  collectGarbage();
  const descriptors = readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      // A thread that is ended while it loads its modules leaves their files open: Node does that.
      return !readlinkSync(`/proc/self/fd/${descriptor}`).endsWith('.js');
    } catch {
      return false;
    }
  }).length;
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
  const shared = maps.filter((line) => line.includes(`${directory}/`));
  return {
    descriptors,
    mappings: shared.length,
    threads: readdirSync('/proc/self/task').length,
    /** What they are on. */
    shared: shared.map((line) => line.replace(/^\S+ \S+ \S+ \S+ /, '')),
    megabytes: Math.round(process.memoryUsage.rss() / 2 ** 20),
  };
}

/**
 * Waits until `condition` holds; answers whether it did within `milliseconds`.
 * @param {() => boolean | Promise<boolean>} condition
 * @param {number} milliseconds
 */
export async function comesTrue(condition, milliseconds) {
  const deadline = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}

/** @param {number} pid @returns {boolean} whether it has ended, waited for or not */
export function isDead(pid) {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

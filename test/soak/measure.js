/** What a process holds at rest. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * @typedef {object} Sample
 * @property {number} descriptors
 * @property {number} mappings of shared memory
 * @property {number} threads
 * @property {number} anonymous resident bytes that are the process's own
 * @property {number} shared resident bytes of shared memory
 * @property {number} heap bytes in use after a collection
 * @property {number} external bytes after a collection
 */

setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collect = runInNewContext('gc');

/** What has no owner any more is collected, and then what that one owned. */
export async function collectAll() {
  for (let round = 0; round < 3; round += 1) {
    collect();
    await sleep(5);
  }
}

function look() {
  const descriptors = readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      // A thread that is ended while it loads its modules leaves their files open: Node does that.
      return !readlinkSync(`/proc/self/fd/${descriptor}`).endsWith('.js');
    } catch {
      return false; // the one that reads the folder
    }
  }).length;
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
  return {
    descriptors,
    mappings: maps.filter((line) => line.includes(' /dev/shm/')).length,
    threads: readdirSync('/proc/self/task').length,
  };
}

/**
 * A sample of this process. What is just being closed gets a moment, so each number is the least of
 * several looks.
 * @returns {Promise<Sample>}
 */
export async function sample() {
  await collectAll();
  const held = look();
  for (let again = 0; again < 10; again += 1) {
    await sleep(10);
    const now = look();
    held.descriptors = Math.min(held.descriptors, now.descriptors);
    held.mappings = Math.min(held.mappings, now.mappings);
    held.threads = Math.min(held.threads, now.threads);
  }
  const { heapUsed, external } = process.memoryUsage();
  return { ...held, ...resident(), heap: heapUsed, external };
}

/** Bytes in main memory: a program's own, and those that it shares. */
function resident() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bytesOf = (/** @type {string} */ line) =>
    Number(status.match(new RegExp(`^${line}:\\s+(\\d+) kB`, 'm'))?.[1]) * 1024;
  return { anonymous: bytesOf('RssAnon'), shared: bytesOf('RssShmem') };
}

/**
 * Files in /dev/shm that are the soak's own, or those of pools of these processes.
 * @param {string} prefix
 * @param {number[]} pids
 */
export function filesOf(prefix, pids) {
  const pools = new RegExp(`^zoosync-pool-(${pids.join('|')})-`);
  return readdirSync('/dev/shm').filter((name) => name.startsWith(prefix) || pools.test(name));
}

/**
 * Segments of pools whose processes were all killed at once: the next pool removes them.
 *
 * Their names say whose they are: the process id, and the pid namespace in which it counts. Whether
 * a process of another namespace lives cannot be known here.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ZooError } from '../errors.js';
import { ZooMemory } from '../memory/memory.js';
import { ZooQueue } from '../queue/queue.js';

const directory = '/dev/shm';
const ofPool =
  /^zoosync-pool-(\d+)-([0-9a-f]{8})[0-9a-f]{12}-\d+-(in|out|control|large\d+|back\d+)$/;
/** No pool of another namespace leaves what was sent to it unopened for so long, in milliseconds. */
const longestUnopened = 24 * 60 * 60 * 1000;

/** Eight hexadecimal digits. */
function pidNamespace(): string {
  let inode = 0;
  try {
    inode = statSync('/proc/self/ns/pid').ino;
  } catch {
    // Without /proc, all are taken for one.
  }
  return inode.toString(16).padStart(8, '0').slice(-8);
}

/** What the names of a pool's segments begin with. */
export function newPoolName(): string {
  return `zoosync-pool-${process.pid}-${pidNamespace()}${randomBytes(6).toString('hex')}`;
}

/** Names live only until the other side has opened them, so there is hardly ever one to look at. */
export function sweepAbandoned(): void {
  if (!existsSync(directory)) return;
  const here = pidNamespace();
  for (const file of readdirSync(directory)) {
    const [, pid, namespace, kind] = ofPool.exec(file) ?? [];
    if (kind === undefined) continue;
    const abandoned = namespace === here ? !isAlive(Number(pid)) : isOld(file);
    if (abandoned) removeIfAbandoned(file, kind);
  }
}

function isOld(file: string): boolean {
  const facts = lstatSync(join(directory, file), { throwIfNoEntry: false });
  return facts !== undefined && Date.now() - facts.ctimeMs > longestUnopened;
}

/** A pool that lives may not have opened yet what a worker left to it, and nobody else uses that. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Only a segment that nobody uses can be made anew. */
function removeIfAbandoned(name: string, kind: string): void {
  try {
    const isRing = kind === 'in' || kind === 'out' || kind === 'control';
    const taken = isRing ? ZooQueue.create(name, { size: 4096 }) : ZooMemory.create(name, 4096);
    taken[Symbol.dispose]();
  } catch (error) {
    // In use, or not ours to remove.
    if (!(error instanceof ZooError)) throw error;
  }
}

/** Segments of pools whose processes were all killed at once: the next pool removes them. */
import { readdirSync } from 'node:fs';
import { ZooError } from '../errors.js';
import { ZooMemory } from '../memory/memory.js';
import { ZooQueue } from '../queue/queue.js';

const directory = '/dev/shm';
const ofPool = /^zoosync-pool-(\d+)-[0-9a-f]{12}-\d+-(in|out|control|large\d+|back\d+)$/;

/** Names live only until the other side has opened them, so there is hardly ever one to look at. */
export function sweepAbandoned(): void {
  for (const file of readdirSync(directory)) {
    const match = ofPool.exec(file);
    if (match && !isAlive(Number(match[1]))) removeIfAbandoned(file, match[2] as string);
  }
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

/** Many queues open in one process, each with a promise that waits for a message: what waiting costs. */
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZooQueue } from '../../../dist/index.js';
import { curve } from '../support/over-time.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { counts: number[] }} Options */

/** After a program has opened many queues, the runtime is busy for a while with what that left behind. */
const settlingMilliseconds = 2000;
const pauseMilliseconds = 150;
const waitingMilliseconds = 500;

/** @returns {string[]} what each descriptor of this process leads to */
function descriptors() {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      return []; // the one that listed the others
    }
  });
}

const threads = () => readdirSync('/proc/self/task').length;

/** @returns {Promise<number>} percent of one processor that this process uses while it waits */
async function idleUse() {
  await sleep(pauseMilliseconds);
  const before = process.cpuUsage();
  const start = process.hrtime.bigint();
  await sleep(waitingMilliseconds);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1e3 * 100) / Number(process.hrtime.bigint() - start);
}

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open({ prefix, bytes, counts }) {
  // Timers and the worker threads of the runtime are there before anything is counted.
  await idleUse();
  const before = { threads: threads(), descriptors: descriptors().length };
  const most = Math.max(...counts);
  const queues = Array.from({ length: most }, (_, index) =>
    ZooQueue.create(`${prefix}-${index}`, { size: '64KiB' }),
  );
  const message = Buffer.alloc(bytes, 1);
  await sleep(settlingMilliseconds);
  return {
    async run() {
      /** @type {Promise<Buffer>[]} */
      const waiting = [];
      const sample = await curve(counts, (count) => {
        for (const queue of queues.slice(waiting.length, count)) waiting.push(queue.getBytes());
        return idleUse();
      });
      const open = descriptors();
      const figures = {
        queues: most,
        threads: threads() - before.threads,
        descriptors: open.length - before.descriptors,
        // The end that rings may be open beside the one that is rung.
        doorbells: new Set(open.filter((target) => target.includes('/.zoosync-bell-'))).size,
      };
      for (const queue of queues) queue.putBytesSync(message);
      await Promise.all(waiting);
      return { ...sample, figures };
    },
    close() {
      for (const queue of queues) {
        queue.close();
        queue.unlink();
      }
    },
  };
}

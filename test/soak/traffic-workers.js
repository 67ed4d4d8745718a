/** Worker threads that begin and end, by themselves or by `terminate()`, also while they wait. */
import { Worker } from 'node:worker_threads';
import { ZooLock, ZooMemory, ZooQueue } from '../../dist/index.js';
import { demand, disposing, freshName } from './scope.js';

const endings = /** @type {const} */ (['close', 'leave', 'exit', 'throw', 'wait', 'sync', 'view']);

/** @type {import('./scope.js').Traffic} */
export async function workers(scope) {
  const name = freshName(scope, 'worker');
  const ending = scope.random.one(endings);
  const ask = ZooQueue.create(`${name}.ask`, { size: '64KiB' });
  /** @type {ZooQueue<{ round: number }>} */
  const answers = ZooQueue.create(`${name}.answer`, { slots: 4, slotSize: 1000 });
  const memory = ZooMemory.create(`${name}.memory`, 1000);
  await disposing([ask, answers, memory], async () => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { name, ending },
    });
    const ended = new Promise((resolve) => {
      worker.once('exit', resolve);
    });
    worker.on('error', () => {}); // one of the endings
    // Not `once`, which an error that comes first would reject.
    const done = new Promise((resolve) => {
      worker.once('message', resolve);
    });
    for (let round = 0; round < 20; round += 1) {
      await ask.put({ round });
      demand((await answers.get()).round === round, 'the answer of a worker');
    }
    if (ending === 'view') await ask.put('held');
    await done;
    if (['wait', 'sync', 'view'].includes(ending)) await worker.terminate();
    await ended;
    if (ending === 'view') {
      const again = await ask.recvView();
      demand(again.deliveries === 2, 'what a terminated worker held');
      ask.commitRead(again.cursor);
    }
    ZooLock.unlink(`${name}.lock`);
  });
  scope.count('workers');
}

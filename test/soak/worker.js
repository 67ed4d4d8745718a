/** A worker thread that uses shared memory for a while and ends, in good order or not. */
import { parentPort, workerData } from 'node:worker_threads';
import { ZooLock, ZooMemory, ZooQueue } from '../../dist/index.js';

const { name, ending } = workerData;
/** @type {ZooQueue<{ round: number }>} */
const asked = ZooQueue.open(`${name}.ask`);
const answers = ZooQueue.open(`${name}.answer`);
const lock = new ZooLock(`${name}.lock`);
const memory = ZooMemory.open(`${name}.memory`);

for (let round = 0; round < 20; round += 1) {
  const value = await asked.get();
  await lock.withLock(() => new Uint8Array(memory.buffer).fill(round));
  await answers.put({ ...value, answered: true });
}
if (ending === 'view') await asked.recvView();
if (ending === 'close') for (const handle of [asked, answers, lock, memory]) handle.close();
parentPort?.postMessage('done');

switch (ending) {
  case 'exit':
    process.exit(0);
  case 'throw':
    throw new Error('as it should');
  case 'wait':
    await asked.get();
    break;
  case 'sync':
    asked.getSync();
    break;
  case 'view':
    setInterval(() => {}, 1000);
}

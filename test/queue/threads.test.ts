import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import {
  afterThisTest,
  describeEachStore,
  failureOf,
  isPending,
  packageUrl,
  until,
  within,
} from '../support/index.js';

/** A worker thread that runs a module text; `zoosync` and `name` are there. */
function startThread(source: string, name: string): Worker {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { name } = workerData;
    import(${JSON.stringify(packageUrl)}).then(async ({ ZooQueue }) => {
      ${source}
    });`;
  const worker = new Worker(program, { eval: true, workerData: { name } });
  afterThisTest(() => worker.terminate());
  return worker;
}

describeEachStore('worker threads', (store) => {
  it('are participants of their own, and values go between them', async () => {
    const queue = store.create<number>({ messages: 16, bytes: 64 });
    const worker = startThread(
      `const queue = ZooQueue.open(name, { label: 'thread' });
       for (let i = 0; i < 200; i += 1) await queue.put(i);
       queue.end();
       parentPort.postMessage(queue.stats().participants.length);`,
      queue.name,
    );
    const said = once(worker, 'message');
    const seen: number[] = [];
    for await (const value of queue) seen.push(value);
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(await within(said)).toEqual([2]);
  });

  it('wake one that blocks', async () => {
    const queue = store.create<string>();
    const worker = startThread(
      `const queue = ZooQueue.open(name, { label: 'blocked' });
       parentPort.postMessage(queue.getSync());`,
      queue.name,
    );
    const said = once(worker, 'message');
    await until(
      () => queue.stats().participants.some((one) => one.label === 'blocked'),
      'the thread to open the queue',
    );
    await queue.put('wake up');
    expect(await within(said)).toEqual(['wake up']);
  });

  it('that are terminated count as dead: what they held is offered again', async () => {
    const queue = store.create<string>({ messages: 16, bytes: 64 });
    queue.putBytesSync(Buffer.from('held'));
    const worker = startThread(
      `const queue = ZooQueue.open(name);
       const view = queue.recvViewSync();
       await queue.put('from the thread');
       const reserved = queue.reserveSync(10);
       parentPort.postMessage('ready');
       setInterval(() => view && reserved, 1000);`,
      queue.name,
    );
    await within(once(worker, 'message'));
    queue.end();
    expect(await queue.get()).toBe('from the thread');
    const again = queue.recvView({ timeout: 40_000 });
    expect(await isPending(again)).toBe(true);
    await worker.terminate();
    const view = await within(again);
    expect([view.view.toString(), view.deliveries]).toEqual(['held', 2]);
    queue.commitRead(view.cursor);
    const failure = await failureOf(queue.get({ timeout: 40_000 }));
    expect([failure.code, failure.pid]).toEqual(['ERR_ZOO_PEER_DIED', process.pid]);
    expect(queue.stats().participants).toHaveLength(1);
    expect(queue.stats().reaped).toBeGreaterThanOrEqual(1);
    expect(queue.stats().oldestReservationMs).toBeUndefined();
  });

  it('that end by themselves have closed their handles', async () => {
    const queue = store.create<number>();
    const worker = startThread(
      `const queue = ZooQueue.open(name);
       await queue.put(1);`,
      queue.name,
    );
    await within(once(worker, 'exit'));
    expect(await queue.get()).toBe(1);
    expect((await failureOf(queue.get({ timeout: 40_000 }))).code).toBe('ERR_ZOO_ENDED');
    expect(queue.stats().participants).toHaveLength(1);
  });

  it('that end with an error count as dead', async () => {
    const queue = store.create<number>();
    const worker = startThread(
      `const queue = ZooQueue.open(name);
       await queue.put(1);
       process.exit(3);`,
      queue.name,
    );
    await within(once(worker, 'exit'));
    expect(await queue.get()).toBe(1);
    expect((await failureOf(queue.get({ timeout: 40_000 }))).code).toBe('ERR_ZOO_PEER_DIED');
  });
});

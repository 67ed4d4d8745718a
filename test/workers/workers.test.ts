import { LockRecovered, ZooLock, ZooMemory } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  describeEachStore,
  failureOf,
  runProgram,
  track,
  uniqueName,
  until,
  within,
} from '../support/index.js';
import { holdViews, openIn, untilWaiting } from '../support/waiting.js';
import { startWorker, type TestWorker } from '../support/workers.js';

function lockOf(): ZooLock & { readonly path: string } {
  const name = uniqueName('lock');
  const lock = new ZooLock(name);
  afterThisTest(() => {
    if (lock.held) lock.release();
    lock.close();
    ZooLock.unlink(name);
  });
  return Object.assign(lock, { path: name });
}

describeEachStore('a queue and worker threads', (store) => {
  it('go both ways, on the event loop and blocked', async () => {
    const requests = store.create<string>();
    const answers = store.create<string>();
    const workers = await Promise.all([startWorker(), startWorker()]);
    const echoing = workers.map((worker, which) =>
      worker.run(
        async ({ zoosync }, from, to, blocking) => {
          const source = zoosync.ZooQueue.open<string>(from);
          const target = zoosync.ZooQueue.open<string>(to);
          let count = 0;
          try {
            for (;;) {
              const text = blocking ? source.getSync() : await source.get();
              if (blocking) target.putSync(`${text}!`);
              else await target.put(`${text}!`);
              count += 1;
            }
          } catch (error) {
            if ((error as { code?: string }).code !== 'ERR_ZOO_ENDED') throw error;
          }
          return count;
        },
        requests.name,
        answers.name,
        which === 0,
      ),
    );
    const total = 300;
    const sending = (async () => {
      for (let i = 0; i < total; i += 1) await requests.put(`${i}`);
      requests.end();
    })();
    const seen = new Set<string>();
    while (seen.size < total) seen.add(await within(answers.get()));
    await sending;
    const counts = await within(Promise.all(echoing));
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(total);
    expect([...seen].every((text) => text.endsWith('!'))).toBe(true);
  });

  it('terminate() while it holds views: they are offered again', async () => {
    const queue = store.create();
    const worker = await startWorker();
    await openIn(worker, queue.name);
    for (let i = 0; i < 3; i += 1) queue.putBytesSync(Buffer.from([i]));
    await holdViews(worker, 3);
    const waiting = queue.recvView();
    await worker.terminate();
    const first = await within(waiting, 'what the worker held');
    const views = [first];
    while (views.length < 3) views.push(...(await within(queue.recvViews(3))));
    expect(views.map(({ view }) => view[0]).sort()).toEqual([0, 1, 2]);
    expect(views.map(({ deliveries }) => deliveries)).toEqual([2, 2, 2]);
    for (const { cursor } of views) queue.commitRead(cursor);
    expect(queue.stats().messages).toBe(0);
  });

  it('terminate() while it waits, on the event loop or blocked: others go on', async () => {
    const queue = store.create<string>();
    for (const blocking of [false, true]) {
      const worker = await startWorker();
      await openIn(worker, queue.name, { label: `waiting worker ${blocking}` });
      void worker
        .run(({ state }, sync) => {
          return sync ? state['queue'].getSync() : state['queue'].get();
        }, blocking)
        .catch(() => undefined);
      await until(
        () => queue.stats().participants.some((one) => one.label !== '' && one.waiting),
        'the worker to wait',
      );
      await worker.terminate();
      await queue.put('for the living');
      expect(await within(queue.get())).toBe('for the living');
      await until(() => {
        queue.tryGet();
        return queue.stats().participants.length === 1;
      }, 'the worker to be forgotten');
    }
  });

  it('terminate() of a writer is a death, and its reservations are skipped', async () => {
    const queue = store.create<string>();
    const worker = await startWorker();
    await openIn(worker, queue.name);
    await worker.run(async ({ state }) => {
      await state['queue'].put('whole');
      state['half'] = await state['queue'].reserve(100);
    });
    await worker.terminate();
    expect(await within(queue.get())).toBe('whole');
    const failure = await failureOf(within(queue.get()));
    expect([failure.code, failure.pid]).toEqual(['ERR_ZOO_PEER_DIED', process.pid]);
  });

  it('a worker that ends by itself closes properly, one that fails does not', async () => {
    const ways: [code: string, end: (worker: TestWorker) => Promise<unknown>][] = [
      ['ERR_ZOO_ENDED', (worker) => worker.leave()],
      [
        'ERR_ZOO_ENDED',
        (worker) => {
          void worker.run(() => process.exit(0)).catch(() => undefined);
          return worker.ended;
        },
      ],
      [
        'ERR_ZOO_PEER_DIED',
        (worker) => {
          void worker.run(() => process.exit(1)).catch(() => undefined);
          return worker.ended;
        },
      ],
      [
        'ERR_ZOO_PEER_DIED',
        (worker) => {
          void worker
            .run(() => {
              setImmediate(() => {
                throw new Error('on purpose');
              });
            })
            .catch(() => undefined);
          return worker.ended;
        },
      ],
    ];
    for (const [code, end] of ways) {
      const queue = store.create<number>();
      const worker = await startWorker();
      await openIn(worker, queue.name);
      await worker.run(({ state }) => state['queue'].put(1) as Promise<void>);
      await within(end(worker), 'the worker to end');
      expect(await within(queue.get())).toBe(1);
      expect((await failureOf(within(queue.get()))).code).toBe(code);
    }
  });

  it('two workers and the main thread are three participants', async () => {
    const queue = store.create<string>();
    const workers = await Promise.all([startWorker(), startWorker()]);
    await Promise.all(workers.map((worker) => openIn(worker, queue.name)));
    const { participants } = queue.stats();
    expect(participants.map(({ pid }) => pid)).toEqual([process.pid, process.pid, process.pid]);
    expect(new Set(participants.map(({ slot }) => slot)).size).toBe(3);
    const readings = workers.map((worker) =>
      worker.run(({ state }) => state['queue'].get() as Promise<string>),
    );
    await untilWaiting(queue, process.pid);
    await queue.putMany(['a', 'b']);
    expect((await within(Promise.all(readings))).sort()).toEqual(['a', 'b']);
    expect(await Promise.all(workers.map((worker) => worker.leave()))).toEqual([0, 0]);
    expect(queue.stats().participants).toHaveLength(1);
  });
});

describe('a lock and worker threads', () => {
  it('let one in at a time', async () => {
    const lock = lockOf();
    const memory = track(ZooMemory.create(uniqueName('counter'), 64));
    const counter = new Int32Array(memory.buffer);
    const rounds = 200;
    const workers = await Promise.all([startWorker(), startWorker(), startWorker()]);
    const counting = workers.map((worker, which) =>
      worker.run(
        async ({ zoosync }, lockName, memoryName, count, blocking) => {
          const mutex = new zoosync.ZooLock(lockName);
          const shared = new Int32Array(zoosync.ZooMemory.open(memoryName).buffer);
          for (let i = 0; i < count; i += 1) {
            const guard = blocking ? mutex.acquireSync() : await mutex.acquire();
            const before = shared[0] ?? 0;
            await new Promise((resolve) => setImmediate(resolve));
            shared[0] = before + 1;
            guard.release();
          }
        },
        lock.path,
        memory.name,
        rounds,
        which === 0,
      ),
    );
    for (let i = 0; i < rounds; i += 1) {
      await lock.withLock(() => {
        counter[0] = (counter[0] ?? 0) + 1;
      });
    }
    await within(Promise.all(counting));
    expect(counter[0]).toBe(4 * rounds);
  });

  it('terminate() of the owner counts as its death', async () => {
    const lock = lockOf();
    for (const waits of [false, true]) {
      const worker = await startWorker();
      await worker.run(({ zoosync, state }, name) => {
        state['lock'] = new zoosync.ZooLock(name);
        state['lock'].acquireSync();
      }, lock.path);
      expect(lock.tryAcquire()).toBeUndefined();
      const waiting = waits ? failureOf(lock.acquire()) : undefined;
      await worker.terminate();
      const failure = await within(waiting ?? failureOf(lock.acquire()), 'the lock of the worker');
      expect(failure).toBeInstanceOf(LockRecovered);
      expect((failure as unknown as LockRecovered).deadPid).toBe(process.pid);
      lock.release();
    }
  });

  it('terminate() of one that waits takes nothing', async () => {
    const lock = lockOf();
    lock.acquireSync();
    for (const blocking of [false, true]) {
      const worker = await startWorker();
      void worker
        .run(
          ({ zoosync, say }, name, sync) => {
            const mutex = new zoosync.ZooLock(name);
            say('waiting');
            return sync ? void mutex.acquireSync() : mutex.acquire().then(() => undefined);
          },
          lock.path,
          blocking,
        )
        .catch(() => undefined);
      await worker.heard('waiting');
      await worker.terminate();
    }
    lock.release();
    expect(lock.tryAcquire()).toBeDefined();
    lock.release();
  });
});

describe('memory and worker threads', () => {
  it('is the same bytes in every thread, with Atomics', async () => {
    const memory = track(ZooMemory.create(uniqueName('memory'), 4096));
    const words = new Int32Array(memory.buffer);
    const workers = await Promise.all([startWorker(), startWorker()]);
    await Promise.all(
      workers.map((worker) =>
        worker.run(({ zoosync }, name) => {
          const shared = new Int32Array(zoosync.ZooMemory.open(name).buffer);
          for (let i = 0; i < 1000; i += 1) Atomics.add(shared, 5, 1);
        }, memory.name),
      ),
    );
    expect(words[5]).toBe(2000);
    await workers[0]?.terminate();
    words[6] = 1;
    expect(words[6]).toBe(1);
  });
});

describe('what a worker made', () => {
  it('is gone when the process has ended, whether the worker left or was terminated', async () => {
    const { code, stdout, stderr } = await runProgram(
      `const { Worker } = await import('node:worker_threads');
       const { existsSync } = await import('node:fs');
       const { once } = await import('node:events');
       const source = \`
         import { parentPort, workerData } from 'node:worker_threads';
         const { ZooQueue } = await import(workerData.url);
         globalThis.queue = ZooQueue.create(workerData.name);
         parentPort.postMessage('made');
         if (workerData.stay) parentPort.on('message', () => {});
       \`;
       const made = [];
       for (const stay of [false, true]) {
         const name = args[0] + (stay ? '.stays' : '.leaves');
         const url = new URL('data:text/javascript,' + encodeURIComponent(source));
         const worker = new Worker(url, { execArgv: [], workerData: { name, stay, url: args[1] } });
         await once(worker, 'message');
         made.push(existsSync('/dev/shm/' + name));
         const ended = once(worker, 'exit');
         if (stay) await worker.terminate();
         await ended;
       }
       console.log(made.join(' '));`,
      { args: [uniqueName('worker'), new URL('../../dist/index.js', import.meta.url).href] },
    );
    expect([code, stdout, stderr]).toEqual([0, 'true true\n', '']);
  });
});

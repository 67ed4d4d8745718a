/** Errors that nobody caught, stacks and heaps that overflow, with everything open. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { check, failureOf, load, until } from '../context.js';
import { openEverything, waitEverywhere } from '../everything.js';
import { scenariosOf } from '../scenario.js';

const segments = /^zoo-lifecycle-/;

/** @param {import('../context.js').ThreadContext} t */
async function openInThread(t) {
  await openEverything(t, 'own');
  await waitEverywhere(t, 'own.waits');
}

/** @param {import('../context.js').Context} t @param {string} role */
async function endOf(t, role) {
  const thread = t.thread(role);
  const [code, error] = await Promise.all([thread.exited, thread.failed]);
  check(code === 1, `the thread ended with ${code}`);
  return error;
}

export const scenarios = scenariosOf([
  {
    name: 'an error that nobody catches',
    exits: true,
    ends: { code: 1 },
    says: /Error: on purpose/,
    leaves: segments,
    async run(t) {
      await openEverything(t);
      await waitEverywhere(t);
      setImmediate(() => {
        throw new Error('on purpose');
      });
    },
  },
  {
    name: 'a rejection that nobody catches',
    exits: true,
    ends: { code: 1 },
    says: /ERR_ZOO_TIMEOUT/,
    leaves: segments,
    async run(t) {
      const { ring } = await openEverything(t);
      ring.getMany(2);
      void ring.get({ timeout: 1 });
    },
  },
  {
    name: 'an error and a rejection in a thread',
    threads: {
      async error(t) {
        await openInThread(t);
        setImmediate(() => {
          throw new Error('on purpose');
        });
      },
      async rejection(t) {
        await openInThread(t);
        void Promise.reject(new Error('on purpose'));
      },
    },
    async run(t) {
      for (const role of ['error', 'rejection']) {
        check((await endOf(t, role))?.message === 'on purpose', 'another error');
        const { ZooLock } = await load();
        const held = new ZooLock(t.name('own.held'));
        const recovered = await held.acquire().catch((reason) => reason);
        check(recovered.code === 'ERR_ZOO_LOCK_RECOVERED', 'the end of the owner is not told');
        held.release();
        held.close();
        await t.removeNames('own');
      }
    },
  },
  {
    name: 'errors thrown from where the package calls back',
    async run(t) {
      const { ZooQueue, ZooLock, Stream } = await load();
      const codec = {
        name: 'hostile',
        /** @param {unknown} value */
        encode: (value) => {
          if (value === 'encode') throw new RangeError('in encode');
          return Buffer.from(String(value));
        },
        decode: () => {
          throw new RangeError('in decode');
        },
      };
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB', codec });
      const lock = new ZooLock(t.name('lock'));
      /** @type {(() => Promise<unknown>)[]} */
      const inTurn = [
        () => queue.put('encode'),
        async () => {
          const waiting = queue.get();
          await queue.put('x');
          await waiting;
        },
        () =>
          lock.withLock(() => {
            throw new RangeError('in the lock');
          }),
        () =>
          Stream.range(0, 3)
            .map(() => {
              throw new RangeError('in map');
            })
            .toArray(),
      ];
      for (const action of inTurn) {
        const error = await failureOf(action);
        check(
          [error, error.cause].some((one) => one instanceof RangeError),
          `${error?.stack}`,
        );
      }
      check(!lock.held, 'the lock is still held');
      for (const one of [queue, lock]) one[Symbol.dispose]();
    },
  },
  {
    name: 'an error in a callback of a wake reaches uncaughtException once',
    async run(t) {
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      /** @type {unknown[]} */
      const seen = [];
      process.on('uncaughtException', (error) => seen.push(error.message));
      for (let i = 0; i < 3; i += 1) {
        const waiting = queue.get().then(() => {
          queueMicrotask(() => {
            throw new Error(`number ${i}`);
          });
        });
        await queue.put(i);
        await waiting;
      }
      await until(() => seen.length >= 3, 'three errors');
      check(String(seen) === 'number 0,number 1,number 2', String(seen));
      process.removeAllListeners('uncaughtException');
      queue[Symbol.dispose]();
    },
  },
  {
    name: 'the stack overflows inside the package',
    async run(t) {
      const { ZooQueue, ZooLock, ZooMemory } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      const lock = new ZooLock(t.name('lock'));
      let overflows = 0;
      const actions = [
        () => queue.tryPut({ some: ['value', 1] }),
        () => queue.tryGet(),
        () => void queue.get({ timeout: 1 }).catch(() => undefined),
        () => lock.tryAcquire()?.release(),
        () =>
          void lock.acquire({ timeout: 1 }).then(
            (guard) => guard.release(),
            () => undefined,
          ),
        () => ZooMemory.create(t.name('memory'), 64)[Symbol.dispose](),
        () => ZooQueue.open(t.name('queue')).close(),
        () => queue.stats(),
      ];
      for (const action of actions) {
        // Every depth near the end of the stack once.
        const deeper = () => {
          try {
            deeper();
          } catch {
            overflows += 1;
          }
          if (overflows < 40) {
            try {
              action();
            } catch (error) {
              overflows += error instanceof RangeError ? 1 : 0;
            }
          }
        };
        overflows = 0;
        deeper();
        check(overflows > 0, 'the stack did not overflow');
        await new Promise((resolve) => setImmediate(resolve));
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
      globalThis.gc?.();
      await until(() => {
        globalThis.gc?.();
        return queue.stats().participants.length === 1;
      }, 'the handles of failed openings to be collected');
      while (queue.tryGet() !== undefined);
      queue.putSync('works');
      check((await queue.get()) === 'works', 'the queue does not work any more');
      if (lock.held) lock.release();
      (await lock.acquire()).release();
      for (const one of [queue, lock]) one[Symbol.dispose]();
      ZooMemory.unlink(t.name('memory'));
    },
  },
  {
    name: 'a thread runs out of memory holding a lock and a view',
    threads: {
      async eater(t) {
        const { ZooLock, ZooQueue } = await load();
        const queue = ZooQueue.open(t.name('queue'));
        const lock = new ZooLock(t.name('lock'));
        lock.acquireSync();
        queue.recvViewSync();
        const waiting = queue.get();
        waiting.catch(() => undefined);
        t.say('eating');
        const food = [];
        for (;;) food.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
      },
    },
    async run(t) {
      const { ZooLock, ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      const lock = new ZooLock(t.name('lock'));
      queue.putSync('held');
      const thread = t.thread('eater', 0, { resourceLimits: { maxOldGenerationSizeMb: 16 } });
      const error = /** @type {{ code?: string } | undefined} */ (await thread.failed);
      check(error?.code === 'ERR_WORKER_OUT_OF_MEMORY', `it ended with ${error?.code}`);
      await thread.exited;
      const recovered = await lock.acquire().catch((reason) => reason);
      check(recovered.code === 'ERR_ZOO_LOCK_RECOVERED', 'the death of the owner is not told');
      lock.release();
      const view = await queue.recvView();
      check(view.deliveries === 2, 'what it held is not offered again');
      queue.commitRead(view.cursor);
      for (const one of [queue, lock]) one[Symbol.dispose]();
    },
  },
  {
    name: 'AsyncLocalStorage is kept across waits',
    async run(t) {
      const { ZooQueue, ZooLock } = await load();
      const storage = new AsyncLocalStorage();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      const other = new ZooLock(t.name('lock'));
      other.acquireSync();
      const seen = [1, 2, 3].map((number) =>
        storage.run(number, async () => {
          await queue.get();
          check(storage.getStore() === number, `get: ${storage.getStore()}, not ${number}`);
          const mine = new ZooLock(t.name('lock'));
          await mine.withLock(() => {
            check(storage.getStore() === number, `withLock: ${storage.getStore()}`);
          });
          mine.close();
          for await (const _ of queue) break;
          return storage.getStore();
        }),
      );
      await storage.run('another', () => queue.putMany([1, 2, 3, 4, 5, 6]));
      setImmediate(() => other.release());
      check(String(await Promise.all(seen)) === '1,2,3', 'the storage is lost');
      for (const one of [queue, other]) one[Symbol.dispose]();
    },
  },
  {
    name: 'timers and other turns get their share',
    async run(t) {
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      let turns = 0;
      const turn = setInterval(() => (turns += 1), 1);
      let values = 0;
      const reading = (async () => {
        for await (const _ of queue) if (++values === 30_000) break;
      })();
      const numbers = Array.from({ length: 30_000 }, (_, i) => i);
      await Promise.all([queue.putMany(numbers), reading]);
      clearInterval(turn);
      check(turns >= 3, `only ${turns} timers in 30000 messages`);
      queue[Symbol.dispose]();
    },
  },
]);

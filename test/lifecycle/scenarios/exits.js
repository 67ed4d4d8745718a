/** The end of a process with everything open. */
import { check, failureOf, isThere, load } from '../context.js';
import { openEverything, startPool, waitEverywhere } from '../everything.js';
import { scenariosOf } from '../scenario.js';

/** What a death leaves: the names of segments, of this scenario or of its pools. */
const segments = /^(zoo-lifecycle-|zoosync-pool-)/;

/** @param {import('../context.js').Context} t */
async function openAll(t) {
  await openEverything(t);
  await waitEverywhere(t);
}

/** @param {import('../context.js').ThreadContext} t */
async function openAllInThread(t) {
  await openEverything(t, `thread${t.data}`);
  await waitEverywhere(t, `thread${t.data}.waits`);
  t.say('open');
  await new Promise(() => undefined);
}

export const scenarios = scenariosOf([
  {
    name: 'process.exit(0) with everything open and waiting',
    exits: true,
    async run(t) {
      await openAll(t);
      process.exit(0);
    },
  },
  {
    name: 'process.exit(7) with everything open and waiting',
    exits: true,
    ends: { code: 7 },
    leaves: segments,
    async run(t) {
      await openAll(t);
      process.exit(7);
    },
  },
  {
    name: 'process.exit(0) with threads that have everything open',
    exits: true,
    threads: { open: openAllInThread },
    async run(t) {
      const threads = [t.thread('open', 0), t.thread('open', 1)];
      for (const { said } of threads) check((await said) === 'open', 'a thread failed');
      process.exit(0);
    },
  },
  {
    name: 'process.exit(0) while threads block in waits',
    exits: true,
    threads: {
      async receiver(t) {
        const { ZooQueue } = await load();
        const queue = ZooQueue.open(t.name('queue'));
        t.say('open');
        queue.getSync();
      },
      async locker(t) {
        const { ZooLock } = await load();
        const lock = new ZooLock(t.name('lock'));
        t.say('open');
        lock.acquireSync();
      },
      async sender(t) {
        const { ZooQueue } = await load();
        const queue = ZooQueue.open(t.name('full'));
        t.say('open');
        for (;;) queue.putBytesSync(Buffer.alloc(64));
      },
    },
    async run(t) {
      const { ZooQueue, ZooLock } = await load();
      ZooQueue.create(t.name('queue'), { size: '64KiB', writer: true });
      ZooQueue.create(t.name('full'), { slots: 1, slotSize: 64 });
      new ZooLock(t.name('lock')).acquireSync();
      for (const role of ['receiver', 'locker', 'sender']) await t.thread(role).said;
      await new Promise((resolve) => setTimeout(resolve, 20));
      process.exit(0);
    },
  },
  {
    name: 'process.exit(0) in a thread with everything open',
    threads: {
      async open(t) {
        await openEverything(t, 'own');
        await waitEverywhere(t, 'own.waits');
        process.exit(0);
      },
    },
    async run(t) {
      check((await t.thread('open').exited) === 0, 'the thread ended badly');
      await t.removeNames('own');
    },
  },
  {
    name: 'process.exit(0) with a pool of threads at work',
    exits: true,
    async run() {
      await startPool('thread');
      process.exit(0);
    },
  },
  {
    name: 'process.exit(0) with a pool of processes at work',
    exits: true,
    leavesBell: true,
    async run() {
      await startPool('process');
      process.exit(0);
    },
  },
  {
    name: 'process.exit(7) with a pool of processes at work',
    exits: true,
    ends: { code: 7 },
    leavesBell: true,
    // What a worker had not opened yet: the next pool removes it.
    mayLeave: /^zoosync-pool-/,
    async run() {
      await startPool('process');
      process.exit(7);
    },
  },
  {
    name: 'process.reallyExit(0) with everything open',
    exits: true,
    async run(t) {
      await openAll(t);
      /** @type {any} */ (process).reallyExit(0);
    },
  },
  {
    name: 'process.abort() with everything open',
    exits: true,
    limits: 'ulimit -c 0',
    ends: { signal: 'SIGABRT' },
    says: /^/,
    leaves: segments,
    leavesBell: true,
    async run(t) {
      await openAll(t);
      process.abort();
    },
  },
  {
    name: 'SIGKILL by itself with everything open',
    exits: true,
    ends: { signal: 'SIGKILL' },
    leaves: segments,
    leavesBell: true,
    async run(t) {
      await openAll(t);
      process.kill(process.pid, 'SIGKILL');
    },
  },
  {
    name: 'the end of the program with everything open',
    exits: true,
    run: (t) => openEverything(t).then(() => undefined),
  },
  {
    name: "handlers of 'exit' that use handles, and make some",
    exits: true,
    async run(t) {
      const { ZooQueue } = await load();
      const all = await openEverything(t);
      process.prependListener('exit', () => {
        all.ring.putSync('in the first handler');
        check(all.held.held, 'the lock was let go of too early');
      });
      const { ring, lock, memory } = all;
      process.on('exit', () => {
        // The package has closed its handles: they say so.
        for (const use of [() => ring.tryPut(1), () => ring.stats(), () => lock.tryAcquire()]) {
          let code;
          try {
            use();
          } catch (error) {
            code = /** @type {{ code?: string }} */ (error).code;
          }
          check(code === 'ERR_ZOO_CLOSED', `a use at the end gives ${code}`);
        }
        check(memory.buffer.byteLength === 0, 'memory is still there');
        ring.close();
        const late = ZooQueue.create(t.name('late'), { size: '64KiB' });
        late.putSync('late');
        check(late.getSync() === 'late', 'a queue made at the end does not work');
      });
    },
  },
  {
    name: "'beforeExit' that waits once more",
    exits: true,
    async run(t) {
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      let rounds = 0;
      process.on('beforeExit', () => {
        if (rounds++ > 2) return;
        const round = rounds;
        queue.get().then((value) => check(value === round, 'another value came'));
        setImmediate(() => queue.putSync(round));
      });
      process.on('exit', () => check(rounds === 4, `beforeExit came ${rounds} times`));
    },
  },
  {
    name: 'a peer sees a proper end, and a death',
    peers: {
      async writer(t) {
        const { ZooQueue } = await load();
        const queue = ZooQueue.open(t.name('queue'));
        await queue.put('last');
        process.exit(t.data);
      },
    },
    async run(t) {
      const { ZooQueue } = await load();
      for (const [code, expected] of /** @type {const} */ ([
        [0, 'ERR_ZOO_ENDED'],
        [7, 'ERR_ZOO_PEER_DIED'],
      ])) {
        const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
        const peer = t.peer('writer', code);
        check((await queue.get()) === 'last', 'the last message is lost');
        const error = await failureOf(() => queue.get());
        check(error.code === expected, `after exit code ${code}: ${error.code}`);
        check((await peer.exited).code === code, 'the peer ended differently');
        queue[Symbol.dispose]();
      }
      check(!isThere(t.name('queue')), 'the name stayed');
    },
    leavesBell: true,
  },
]);

/** `terminate()` in the middle of one kind of work at a time. */
import { check, failureOf, load, until } from '../context.js';
import { openEverything, startPool, waitEverywhere } from '../everything.js';
import { scenariosOf } from '../scenario.js';

/** @typedef {import('../context.js').ThreadContext} ThreadContext */

const message = Buffer.alloc(64, 1);
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * A scenario: threads do this until they are terminated, several times, after a random while.
 * @param {string} name
 * @param {(t: ThreadContext) => unknown} work
 * @param {number} [rounds]
 * @returns {import('../scenario.js').Scenario}
 */
const terminating = (name, work, rounds = 2) => ({
  name: `terminate() ${name}`,
  // Processes of a pool whose thread is gone are killed.
  leavesBell: name.includes('processes'),
  threads: { work },
  async run(t) {
    const { ZooQueue, ZooLock, ZooMemory } = await load();
    const queue = ZooQueue.create(t.name('queue'), {
      size: '64KiB',
      maxDeliveries: 65_535,
      writer: true,
    });
    const lock = new ZooLock(t.name('lock'));
    const memory = ZooMemory.create(t.name('memory'), 4096);
    for (let round = 0; round < rounds; round += 1) {
      const threads = [t.thread('work', `${round}.0`), t.thread('work', `${round}.1`)];
      for (const { said, failed } of threads) {
        const word = await said;
        if (word === undefined) throw (await failed) ?? new Error('a thread ended by itself');
      }
      await new Promise((resolve) => setTimeout(resolve, t.random() * 10));
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    }
    // Nothing is lost or stuck: what they held comes back, what they used works.
    await until(() => {
      for (const view of queue.tryRecvViews(100)) queue.commitRead(view.cursor);
      const { participants, messages } = queue.stats();
      return participants.length === 1 && messages === 0;
    }, 'the queue to be free of the terminated');
    queue.putBytesSync(message);
    check((await queue.getBytes()).equals(message), 'the queue does not work any more');
    await lock.acquire({ timeout: 5000 }).catch((error) => {
      if (error.code !== 'ERR_ZOO_LOCK_RECOVERED') throw error;
    });
    lock.release();
    lock.acquireSync().release();
    for (const one of [queue, lock, memory]) one[Symbol.dispose]();
    await t.removeNames('own');
  },
});

export const scenarios = scenariosOf([
  terminating('during calls', async (t) => {
    const { ZooQueue } = await load();
    const queue = ZooQueue.open(t.name('queue'));
    t.say('ready');
    for (;;) {
      queue.tryPutBytes(message);
      queue.tryPut({ some: 'value' });
      queue.tryPutBytesMany([message, message]);
      for (const view of queue.tryRecvViews(4)) queue.commitRead(view.cursor);
      queue.tryGetBytes();
      queue.stats();
    }
  }),
  terminating('in waits that block', async (t) => {
    const { ZooQueue, ZooLock } = await load();
    const queue = ZooQueue.open(t.name('queue'));
    const lock = new ZooLock(t.name('lock'));
    t.say('ready');
    if (String(t.data).endsWith('0')) {
      lock.acquireSync();
      queue.getSync();
    } else {
      lock.acquireSync();
    }
    for (;;) await failureOf(() => queue.getBytesSync({ timeout: 1 }));
  }),
  terminating('in waits of every kind', async (t) => {
    await waitEverywhere(t, `own${t.data}`);
    t.say('ready');
  }),
  terminating('in iteration', async (t) => {
    const { ZooQueue } = await load();
    const queue = ZooQueue.open(t.name('queue'), { writer: true });
    queue.tryPutBytes(message);
    t.say('ready');
    for await (const view of queue.views()) {
      queue.tryPutBytes(view.view);
      await nextTurn();
    }
  }),
  terminating('between reserve and commit', async (t) => {
    const { ZooQueue } = await load();
    const queue = ZooQueue.open(t.name('queue'));
    t.say('ready');
    for (let i = 0; ; i += 1) {
      const place = queue.tryReserve(100);
      place?.view.fill(i);
      if (place && i % 3 === 0) queue.commitWrite(place.cursor, 50);
      else if (place && i % 3 === 1) queue.abortWrite(place.cursor);
      await nextTurn();
    }
  }),
  terminating('holding views', async (t) => {
    const { ZooQueue, ZooMemory } = await load();
    const queue = ZooQueue.open(t.name('queue'));
    const memory = ZooMemory.open(t.name('memory'));
    queue.putBytesManySync([message, message, message]);
    const views = queue.recvViewsSync(2);
    t.say('ready');
    const bytes = new Uint8Array(memory.buffer);
    for (let i = 0; ; i += 1) {
      bytes[i % 4096] = i;
      for (const { view } of views) view.fill(i);
      if (i % 65_536 === 0) await nextTurn();
    }
  }),
  terminating('holding a lock', async (t) => {
    const { ZooLock } = await load();
    const lock = new ZooLock(t.name('lock'));
    await lock.acquire({ timeout: 50 }).catch((error) => {
      if (!/RECOVERED|TIMEOUT/.test(error.code)) throw error;
    });
    t.say('ready');
    await lock.acquire().catch(() => undefined);
    for (;;) await nextTurn();
  }),
  terminating('during create, open, close and unlink', async (t) => {
    const { ZooQueue, ZooLock, ZooMemory } = await load();
    const own = t.name(`own.${t.data}`);
    t.say('ready');
    for (;;) {
      const queue = ZooQueue.create(`${own}.queue`, { size: '64KiB' });
      ZooQueue.open(`${own}.queue`).close();
      const frames = ZooQueue.create(`${own}.frames`, { slots: 2, slotSize: 100 });
      const lock = new ZooLock(`${own}.lock`);
      const memory = ZooMemory.create(`${own}.memory`, 4096);
      ZooMemory.open(`${own}.memory`).close();
      for (const one of [queue, frames, lock, memory]) {
        one.close();
        one.unlink();
      }
    }
  }),
  terminating(
    'in calls of a pool of threads',
    async (t) => {
      await startPool('thread');
      t.say('ready');
    },
    1,
  ),
  terminating(
    'in calls of a pool of processes',
    async (t) => {
      await startPool('process');
      t.say('ready');
    },
    1,
  ),
  terminating('in streams, pipes and channels', async (t) => {
    const { Broadcast, Channel, Stream, ZooPipe } = await load();
    const own = t.name(`own.${t.data}`);
    const pipe = ZooPipe.create(`${own}.pipe`);
    const end = await ZooPipe.open(`${own}.pipe`);
    const channel = Channel.create(`${own}.channel`);
    const results = Channel.local(10);
    const numbers = Stream.range(0, 1e9).stage((number) => nextTurn().then(() => number), {
      workers: 4,
    });
    const shared = new Broadcast(numbers);
    shared
      .stream()
      .to(channel)
      .catch(() => undefined);
    shared
      .stream()
      .map((number) => Buffer.alloc(100, number))
      .to(pipe)
      .catch(() => undefined);
    Stream.from(end)
      .to(results)
      .catch(() => undefined);
    Stream.from(results)
      .subscribe(() => undefined)
      .catch(() => undefined);
    shared.run().catch(() => undefined);
    t.say('ready');
    for await (const _ of channel) await nextTurn();
  }),
  {
    name: 'terminate() before, while and after loading',
    threads: { load: (t) => openEverything(t, `own.${t.data}`).then(() => t.say('ready')) },
    async run(t) {
      for (let round = 0; round < 8; round += 1) {
        const threads = [t.thread('load', `${round}a`), t.thread('load', `${round}b`)];
        await new Promise((resolve) => setTimeout(resolve, t.random() * 60));
        await Promise.all(threads.map(({ worker }) => worker.terminate()));
      }
      await t.removeNames('own');
    },
  },
  {
    name: 'a thread ends by itself with everything open',
    threads: {
      open: async (t) => {
        await openEverything(t, 'own');
        t.say('ready');
        process.exit(0);
      },
    },
    async run(t) {
      check((await t.thread('open').exited) === 0, 'the thread ended badly');
      const { ZooQueue } = await load();
      const ring = ZooQueue.open(t.name('own.ring'));
      check(String(ring.getManySync(2)) === '1,2', 'messages are lost');
      check((await failureOf(() => ring.get())).code === 'ERR_ZOO_ENDED', 'it did not end');
      ring.close();
      await t.removeNames('own');
    },
  },
]);

/** Terminates threads at random moments, whatever they do, for as long as the driver was told. */
import { check, load, until } from '../context.js';
import { openEverything, startPool, waitEverywhere } from '../everything.js';
import { scenariosOf } from '../scenario.js';

const message = Buffer.alloc(64, 1);
const quiet = () => undefined;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** @type {Record<string, (t: import('../context.js').ThreadContext) => unknown>} */
const roles = {
  async calls(t) {
    const { ZooQueue, ZooMemory, ZooLock } = await load();
    t.say('ready');
    for (;;) {
      const queue = ZooQueue.open(t.name('queue'));
      const memory = ZooMemory.open(t.name('memory'));
      const lock = new ZooLock(t.name('lock'));
      queue.tryPutBytes(message);
      new Uint8Array(memory.buffer).fill(1);
      const guard = await lock.acquire({ timeout: 1 }).catch(quiet);
      guard?.release();
      if (lock.held) lock.release();
      for (const view of queue.tryRecvViews(3)) queue.commitRead(view.cursor);
      for (const one of [queue, memory, lock]) one.close();
    }
  },
  async blocked(t) {
    const { ZooQueue, ZooLock } = await load();
    const queue = ZooQueue.open(t.name('queue'));
    const lock = new ZooLock(t.name('lock'));
    t.say('ready');
    for (;;) {
      try {
        lock.acquireSync();
      } catch {
        // Recovered: it is held.
      }
      queue.tryPutBytes(message);
      const place = queue.tryReserve(32);
      if (place && t.random() < 0.7) queue.commitWrite(place.cursor);
      const view = queue.recvViewSync();
      if (t.random() < 0.7) queue.commitRead(view.cursor);
      lock.release();
    }
  },
  async frames(t) {
    const { ZooQueue } = await load();
    const queue = ZooQueue.open(t.name('frames'));
    t.say('ready');
    for (;;) {
      const place = await queue.reserve(1000, { timeout: 2 }).catch(quiet);
      place?.view.fill(3);
      if (place) queue.commitWrite(place.cursor);
      const view = await queue.recvView({ timeout: 2 }).catch(quiet);
      await nextTurn();
      if (view) queue.commitRead(view.cursor);
    }
  },
  async iterating(t) {
    const { ZooQueue } = await load();
    const queue = ZooQueue.open(t.name('queue'), { writer: true });
    queue.tryPutBytes(message);
    t.say('ready');
    for await (const view of queue.views()) queue.tryPutBytes(view.view);
  },
  async everything(t) {
    for (let round = 0; ; round += 1) {
      const everything = await openEverything(t, `own.${t.data}.${round}`);
      const waits = await waitEverywhere(t, `own.${t.data}.${round}.waits`);
      t.say('ready');
      await nextTurn();
      await waits.close();
      await everything.close();
    }
  },
  async pool(t) {
    for (;;) {
      const { pool } = await startPool('thread');
      t.say('ready');
      await pool.destroy();
    }
  },
  loading: () => load(),
};

export const scenarios = scenariosOf([
  {
    name: 'threads with all kinds of handles, at random moments',
    threads: roles,
    async run(t) {
      const { ZooQueue, ZooLock, ZooMemory } = await load();
      const queue = ZooQueue.create(t.name('queue'), {
        size: '64KiB',
        maxDeliveries: 65_535,
        writer: true,
      });
      const frames = ZooQueue.create(t.name('frames'), {
        slots: 4,
        slotSize: 1024,
        writer: true,
        maxDeliveries: 65_535,
      });
      const lock = new ZooLock(t.name('lock'));
      const memory = ZooMemory.create(t.name('memory'), 4096);
      const names = Object.keys(roles);
      const deadline = performance.now() + t.place.seconds * 1000;
      let count = 0;
      const line = async () => {
        while (performance.now() < deadline) {
          const number = count++;
          const role = /** @type {string} */ (names[Math.floor(t.random() * names.length)]);
          const thread = t.thread(role, number);
          // Some before they have loaded, some in the middle.
          if (t.random() < 0.7) await thread.said;
          await new Promise((resolve) => setTimeout(resolve, t.random() * 20));
          await thread.worker.terminate();
          const error = await thread.failed;
          if (error) throw error;
        }
      };
      await Promise.all([line(), line(), line()]);
      for (const one of [queue, frames]) {
        await until(
          () => {
            for (const view of one.tryRecvViews(100)) one.commitRead(view.cursor);
            const { participants, messages } = one.stats();
            return participants.length === 1 && messages === 0;
          },
          () => `${one.name} to be free of the terminated: ${JSON.stringify(one.stats())}`,
        );
        one.putBytesSync(message);
        check((await one.getBytes()).equals(message), 'a queue does not work any more');
      }
      await lock.acquire({ timeout: 5000 }).catch((error) => {
        if (error.code !== 'ERR_ZOO_LOCK_RECOVERED') throw error;
      });
      lock.release();
      lock.acquireSync().release();
      for (const one of [queue, frames, lock, memory]) one[Symbol.dispose]();
      await t.removeNames('own');
      t.say(`${count} threads terminated`);
    },
  },
]);

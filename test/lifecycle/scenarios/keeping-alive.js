/** What keeps a process alive, and what does not. */
import { check, load } from '../context.js';
import { openEverything, waitEverywhere } from '../everything.js';
import { scenariosOf } from '../scenario.js';

/**
 * A scenario: the process ends in time, although this is left.
 * @param {string} name
 * @param {(t: import('../context.js').Context) => unknown} run
 * @returns {import('../scenario.js').Scenario}
 */
const ends = (name, run) => ({ name, exits: true, run: async (t) => void (await run(t)) });

export const scenarios = scenariosOf([
  ends('idle handles of every kind do not', (t) => openEverything(t)),
  ends('waits of the past do not', async (t) => (await waitEverywhere(t)).close()),
  ends('a wait of a handle that was unref()ed does not', async (t) => {
    const { ZooQueue, ZooLock } = await load();
    const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' }).unref();
    check(!queue.hasRef(), 'hasRef() after unref()');
    void queue.get();
    const before = ZooQueue.create(t.name('before'), { size: '64KiB' });
    void before.get({ timeout: 3_600_000 });
    before.unref();
    new ZooLock(t.name('lock')).acquireSync();
    void new ZooLock(t.name('lock')).unref().acquire();
  }),
  ends('an idle pool does not', async () => {
    const { ZooPool } = await load();
    const pool = new ZooPool(new URL('../tasks.js', import.meta.url), {
      kind: 'thread',
      workers: 1,
    });
    check((await pool.run('add', [1, 2])) === 3, 'a pool cannot add');
  }),
  {
    name: 'a pending wait does, until it is over',
    exits: true,
    async run(t) {
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      let over = false;
      queue.get({ timeout: 50 }).catch(() => (over = true));
      process.on('exit', () => check(over, 'the process ended before its wait'));
    },
  },
  {
    name: 'a wait that is ref()ed again does',
    exits: true,
    async run(t) {
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      let over = false;
      queue.unref();
      queue.get({ timeout: 50 }).catch(() => (over = true));
      queue.ref();
      process.on('exit', () => check(over, 'the process ended before its wait'));
    },
  },
  {
    name: 'a wait in a thread keeps that thread, and unref() lets it go',
    threads: {
      async waits(t) {
        const { ZooQueue } = await load();
        void ZooQueue.open(t.name('queue')).get();
      },
      async unrefs(t) {
        const { ZooQueue } = await load();
        void ZooQueue.open(t.name('queue')).unref().get();
      },
    },
    async run(t) {
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      check((await t.thread('unrefs').exited) === 0, 'the thread that unref()ed failed');
      const thread = t.thread('waits');
      let ended = false;
      void thread.exited.then(() => (ended = true));
      while (!queue.stats().participants.some(({ waiting }) => waiting)) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
      check(!ended, 'the thread ended before its wait');
      await queue.put(1);
      check((await thread.exited) === 0, 'the thread that waited failed');
      queue[Symbol.dispose]();
    },
  },
]);

/** Loading the addon, in which threads, and its staying. */
import { check, isThere, load } from '../context.js';
import { openEverything } from '../everything.js';
import { scenariosOf } from '../scenario.js';

/** @param {import('../context.js').ThreadContext} t */
async function useOnce(t) {
  const everything = await openEverything(t, `thread${t.data}`);
  await everything.close();
  t.say(t.data);
}

/** @param {import('../context.js').Context} t @param {number} count */
async function loadInThreads(t, count) {
  const threads = Array.from({ length: count }, (_, which) => t.thread('user', which));
  for (const [which, { said, exited, failed }] of threads.entries()) {
    const error = await failed;
    check((await said) === which, () => `thread ${which} failed: ${error?.stack}`);
    check((await exited) === 0, `thread ${which} ended badly`);
  }
}

export const scenarios = scenariosOf([
  {
    name: 'in 16 threads at once',
    threads: { user: useOnce },
    run: (t) => loadInThreads(t, 16),
  },
  {
    name: 'in threads alone, all end, again, then here',
    cold: true,
    threads: { user: useOnce },
    async run(t) {
      await loadInThreads(t, 3);
      await loadInThreads(t, 2);
      for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setTimeout(resolve, 1));
      await t.warmUp();
      await (await openEverything(t)).close();
    },
  },
  {
    name: 'a thread goes on where the first one ended',
    cold: true,
    threads: {
      first: async (t) => {
        const { ZooQueue } = await load();
        ZooQueue.create(t.name('queue'), { size: '64KiB', persist: true }).putSync(
          'from the first',
        );
      },
      second: async (t) => {
        const { ZooQueue } = await load();
        const queue = ZooQueue.open(t.name('queue'));
        t.say(queue.getSync());
        queue.unlink();
      },
    },
    async run(t) {
      check((await t.thread('first').exited) === 0, 'the first thread failed');
      check((await t.thread('second').said) === 'from the first', 'the message is lost');
    },
  },
  {
    name: 'importing alone changes nothing',
    cold: true,
    async run(t) {
      const { listenerCount } = process;
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit', 'beforeExit'];
      const before = signals.map((signal) => listenerCount.call(process, signal));
      const usage = t.usage();
      await load();
      check(
        signals.every((signal, at) => listenerCount.call(process, signal) === before[at]),
        'importing adds listeners',
      );
      check(t.usage().threads === usage.threads, 'importing starts threads');
      check(t.usage().mappings.length === 0, 'importing maps segments');
    },
  },
  {
    name: 'in processes that are forked, with what they inherit',
    peers: {
      child: async (t) => {
        const { ZooQueue } = await load();
        const queue = ZooQueue.open(t.name('queue'));
        await queue.put(`${process.env['LIFECYCLE_WORD']} ${process.execArgv.length}`);
        process.disconnect?.();
      },
    },
    env: { LIFECYCLE_WORD: 'inherited' },
    async run(t) {
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB', writer: true });
      const children = [t.peer('child'), t.peer('child')];
      for (const { exited } of children) {
        check((await queue.get()) === 'inherited 1', 'the environment is lost');
        check((await exited).code === 0, 'a child ended badly');
      }
      queue[Symbol.dispose]();
      check(!isThere(t.name('queue')), 'the name stayed');
    },
  },
  {
    name: 'in the workers of a cluster',
    async run(t) {
      const { default: cluster } = await import('node:cluster');
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB', writer: true });
      cluster.setupPrimary({
        exec: new URL('../main.js', import.meta.url).pathname,
        args: [JSON.stringify({ ...t.place, role: 'worker' })],
      });
      const workers = [cluster.fork(), cluster.fork()];
      const ends = workers.map(
        (worker) => new Promise((resolve) => worker.once('exit', (code) => resolve(code))),
      );
      const pids = [await queue.get(), await queue.get()].sort();
      const expected = workers.map(({ process }) => process.pid).sort();
      check(String(pids) === String(expected), `${pids} are not ${expected}`);
      for (const worker of workers) worker.disconnect();
      check(
        (await Promise.all(ends)).every((code) => code === 0),
        'a worker ended badly',
      );
      queue[Symbol.dispose]();
    },
    peers: {
      worker: async (t) => {
        const { ZooQueue } = await load();
        const queue = ZooQueue.open(t.name('queue'));
        await queue.put(process.pid);
        queue.close();
      },
    },
  },
]);

/** Limits of the system that are reached: one clear error, and nothing lost. */
import { closeSync, openSync } from 'node:fs';
import { check, failureOf, load } from '../context.js';
import { openEverything, startPool } from '../everything.js';
import { scenariosOf } from '../scenario.js';

/** @param {any} error @param {RegExp} code @param {RegExp} says */
function checkClear(error, code, says) {
  check(code.test(error.code), `code ${error.code}: ${error.stack}`);
  check(says.test(error.message), error.message);
}

export const scenarios = scenariosOf([
  {
    name: 'descriptors run out',
    limits: 'ulimit -n 128',
    async run(t) {
      const { Channel, ZooLock, ZooMemory, ZooPipe, ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      await queue.putMany(['kept', 'too']);
      const lock = new ZooLock(t.name('lock'));
      const eaten = [];
      try {
        for (;;) eaten.push(openSync('/dev/null', 'r'));
      } catch {
        // None is left.
      }
      // With none, and with one to three left, so that each step of opening fails once.
      for (let left = 0; left < 4; left += 1) {
        const uses = [
          () => ZooQueue.create(t.name('new.queue'), { size: '64KiB' }),
          () => ZooQueue.open(t.name('queue')),
          () => ZooMemory.create(t.name('new.memory'), 4096),
          () => new ZooLock(t.name('new.lock')),
          () => new ZooLock(t.name('lock')),
          () => Channel.create(t.name('new.channel')),
          () => ZooPipe.create(t.name('new.pipe')),
        ];
        for (const use of uses) {
          /** @type {any} */
          let made;
          try {
            made = use();
          } catch (error) {
            checkClear(error, /^ERR_ZOO_SYSTEM$/, /EMFILE|Too many open files/);
          }
          await made?.[Symbol.asyncDispose]();
        }
        const handle = eaten.pop();
        if (handle !== undefined) closeSync(handle);
      }
      check(lock.tryAcquire() !== undefined, 'the lock does not work');
      lock.release();
      for (const handle of eaten) closeSync(handle);
      check(String(await queue.getMany(2)) === 'kept,too', 'messages are lost');
      for (const one of [queue, lock]) one[Symbol.dispose]();
    },
  },
  {
    name: 'descriptors run out before the first wait',
    limits: 'ulimit -n 128',
    threads: {
      async waits(t) {
        const { ZooQueue } = await load();
        const queue = ZooQueue.open(t.name('queue'));
        const eaten = [];
        try {
          for (;;) eaten.push(openSync('/dev/null', 'r'));
        } catch {
          // None is left.
        }
        // This thread has no bell yet, and cannot make one.
        const error = await failureOf(() => queue.get({ timeout: 100 }));
        for (const handle of eaten) closeSync(handle);
        checkClear(error, /^ERR_ZOO_SYSTEM$/, /Too many open files/);
        t.say('starved');
        check((await queue.get()) === 'at last', 'another message came');
      },
    },
    async run(t) {
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      const thread = t.thread('waits');
      if ((await thread.said) !== 'starved') throw await thread.failed;
      await queue.put('at last');
      const error = await thread.failed;
      if (error) throw error;
      queue[Symbol.dispose]();
    },
  },
  {
    name: 'files may not grow (RLIMIT_FSIZE)',
    limits: 'ulimit -f 64',
    async run(t) {
      const { ZooMemory, ZooQueue } = await load();
      for (const reserve of [true, false]) {
        for (const use of [
          () => ZooQueue.create(t.name('queue'), { size: '1MiB', reserve }),
          () => ZooMemory.create(t.name('memory'), 2 ** 20, { reserve }),
        ]) {
          const error = await failureOf(use);
          checkClear(error, /^ERR_ZOO_NO_SPACE$/, /RLIMIT_FSIZE|ulimit/);
        }
      }
      const queue = ZooQueue.create(t.name('queue'), { size: '4KiB' });
      queue.putSync('small');
      check(queue.getSync() === 'small', 'a small queue does not work');
      queue[Symbol.dispose]();
    },
  },
  {
    name: 'address space runs out (RLIMIT_AS)',
    async run(t) {
      const { ZooMemory, ZooQueue } = await load();
      const { spawnSync } = await import('node:child_process');
      const { readFileSync } = await import('node:fs');
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      queue.putSync('kept');
      const kilobytes = Number(
        /VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1],
      );
      const limit = (kilobytes + 100 * 1024) * 1024;
      const { status } = spawnSync('prlimit', [`--pid=${process.pid}`, `--as=${limit}`]);
      // There may be no such tool here.
      if (status === 0) {
        for (const use of [
          () => ZooQueue.create(t.name('large'), { size: '400MiB', reserve: false }),
          () => ZooMemory.create(t.name('large'), 400 * 2 ** 20, { reserve: false }),
        ]) {
          const error = await failureOf(use);
          checkClear(error, /^ERR_ZOO_NO_SPACE$/, /map|address space/);
        }
        check(queue.getSync() === 'kept', 'a message is lost');
        spawnSync('prlimit', [`--pid=${process.pid}`, '--as=unlimited']);
      }
      queue[Symbol.dispose]();
    },
  },
  {
    name: 'processes run out (RLIMIT_NPROC) below a pool',
    async run(t) {
      if (process.getuid?.() === 0) {
        // The limit does not hold for root: another user tries.
        const peer = t.peer('limited');
        const { code } = await peer.exited;
        check(code === 0, `the limited process ended with ${code}`);
        return;
      }
    },
    peers: {
      async limited() {
        const { spawnSync } = await import('node:child_process');
        const { ZooPool } = await load();
        const limit = spawnSync('prlimit', [`--pid=${process.pid}`, '--nproc=1']);
        if (limit.status !== 0) return;
        process.setgid?.(65_534);
        process.setuid?.(65_534);
        const pool = new ZooPool(new URL('../tasks.js', import.meta.url), {
          kind: 'process',
          workers: 1,
        });
        const error = await failureOf(() => pool.run('add', [1, 2]));
        checkClear(error, /^ERR_ZOO_POOL_BROKEN$/, /./);
        checkClear(error.cause, /EAGAIN|ERR_/, /./);
        await pool.destroy();
      },
    },
  },
  {
    name: 'standard input, output and error are closed',
    limits: 'exec 0<&- 1>&-',
    async run(t) {
      await (await openEverything(t)).close();
      const { pool, pending } = await startPool('process');
      await pool.destroy();
      await Promise.allSettled(pending);
    },
    leavesBell: true,
  },
  {
    name: 'a small stack for threads',
    limits: 'ulimit -s 1024',
    threads: { user: async (t) => (await openEverything(t, 'own')).close() },
    async run(t) {
      check((await t.thread('user').exited) === 0, 'the thread failed');
    },
  },
]);

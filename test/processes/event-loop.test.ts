import { ZooLock, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  runProgram,
  startPeers,
  track,
  uniqueName,
  until,
  within,
  type Peer,
} from '../support/index.js';
import { untilWaiting } from '../support/waiting.js';

describe('the event loop', () => {
  it('ends when handles are idle, also after they have waited', async () => {
    const finished = await runProgram(
      `const queue = new ZooQueue(args[0], { size: '64KiB' });
       const other = new ZooQueue(args[0]);
       const lock = new ZooLock(args[0] + '.lock');
       const second = new ZooLock(args[0] + '.lock');
       const memory = ZooMemory.create(args[0] + '.memory', 64);
       const waiting = queue.get();
       setImmediate(() => other.putSync('came'));
       console.log(await waiting);
       await lock.acquire();
       const locking = second.acquire();
       setImmediate(() => lock.release());
       await locking;
       second.release();
       await queue.get({ timeout: 5 }).catch((error) => console.log(error.code));
       await queue.get({ signal: AbortSignal.timeout(5) }).catch((error) => console.log(error.code));`,
      { args: [uniqueName()] },
    );
    expect(finished).toEqual({
      code: 0,
      signal: null,
      stdout: 'came\nERR_ZOO_TIMEOUT\nABORT_ERR\n',
      stderr: '',
    });
  });

  it('goes on while something waits, and ends when that is over', async () => {
    const name = uniqueName();
    const lockName = uniqueName('lock');
    const lock = new ZooLock(lockName);
    afterThisTest(() => {
      lock.close();
      ZooLock.unlink(lockName);
    });
    lock.acquireSync();
    const queue = track(ZooQueue.create<string>(name));
    const forMessage = runProgram(
      `const queue = ZooQueue.open(args[0]);
       queue.get().then((value) => console.log(value));`,
      { args: [name] },
    );
    await until(() => queue.stats().participants.some((one) => one.waiting), 'a waiting program');
    const forLock = runProgram(
      `const lock = new ZooLock(args[0]);
       const guard = await lock.acquire();
       console.log(guard.generation > 0n);
       guard.release();`,
      { args: [lockName] },
    );
    await queue.put('at last');
    lock.release();
    expect(await forMessage).toMatchObject({ code: 0, stdout: 'at last\n', stderr: '' });
    expect(await forLock).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
  });

  it('ends although an unreferenced handle waits, and goes on when it is referenced again', async () => {
    const unreferenced = await runProgram(
      `const queue = new ZooQueue(args[0]).unref();
       queue.get().then(() => console.log('never'), () => console.log('never'));
       const waited = new ZooQueue(args[0]);
       waited.get().catch(() => undefined);
       waited.unref();`,
      { args: [uniqueName()] },
    );
    expect(unreferenced).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    const name = uniqueName();
    const queue = track(ZooQueue.create<string>(name));
    const again = runProgram(
      `const queue = ZooQueue.open(args[0]);
       const waiting = queue.get();
       queue.unref();
       queue.ref();
       console.log(await waiting);`,
      { args: [name] },
    );
    await until(() => queue.stats().participants.some((one) => one.waiting), 'a waiting program');
    await queue.put('kept');
    expect(await again).toMatchObject({ code: 0, stdout: 'kept\n', stderr: '' });
  });

  it('turns while promises wait, and while a busy queue is read', async () => {
    const finished = await runProgram(
      `const queue = new ZooQueue(args[0], { size: '64KiB' });
       const other = new ZooQueue(args[0]);
       let ticks = 0;
       const timer = setInterval(() => { if (++ticks === 3) { clearInterval(timer); other.end(); } }, 1);
       let keepPutting = true;
       (async () => {
         try { for (;;) await other.put(1); } catch {}
       })();
       let read = 0;
       for await (const value of queue) read += value;
       console.log(ticks, read > 0);`,
      { args: [uniqueName()] },
    );
    expect(finished).toMatchObject({ code: 0, stdout: '3 true\n', stderr: '' });
  });

  it('uses hardly any CPU time while it waits, nor does a thread that blocks', async () => {
    const name = uniqueName();
    const lockName = uniqueName('lock');
    const queue = track(ZooQueue.create<string>(name));
    const lock = new ZooLock(lockName);
    afterThisTest(() => {
      lock.close();
      ZooLock.unlink(lockName);
    });
    lock.acquireSync();
    const [awaiting, blocked, locking] = (await startPeers(3)) as [Peer, Peer, Peer];
    const used = [
      awaiting.run(async ({ zoosync }, segment) => {
        const handle = zoosync.ZooQueue.open(segment);
        await handle.get({ timeout: 50 }).catch(() => undefined);
        const before = process.cpuUsage();
        await handle.get({ timeout: 2000 }).catch(() => undefined);
        const { user, system } = process.cpuUsage(before);
        return user + system;
      }, name),
      blocked.run(({ zoosync }, segment) => {
        const handle = zoosync.ZooQueue.open(segment);
        const block = (timeout: number): void => {
          try {
            handle.getSync({ timeout });
          } catch {
            // The timeout.
          }
        };
        block(50);
        const before = process.cpuUsage();
        block(2000);
        const { user, system } = process.cpuUsage(before);
        return user + system;
      }, name),
      locking.run(async ({ zoosync }, segment) => {
        const handle = new zoosync.ZooLock(segment);
        await handle.acquire({ timeout: 50 }).catch(() => undefined);
        const before = process.cpuUsage();
        await handle.acquire({ timeout: 2000 }).catch(() => undefined);
        const { user, system } = process.cpuUsage(before);
        return user + system;
      }, lockName),
    ];
    await untilWaiting(queue, awaiting.pid);
    for (const microseconds of await within(Promise.all(used))) {
      expect(microseconds).toBeLessThan(600_000);
    }
    lock.release();
  });
});

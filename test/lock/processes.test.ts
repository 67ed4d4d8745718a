import { LockRecovered, ZooLock, ZooMemory } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  failureOf,
  startPeer,
  startPeers,
  thrownBy,
  track,
  uniqueName,
  until,
  within,
  type Peer,
} from '../support/index.js';
import { untilAsleep } from '../support/waiting.js';

function lockOf(name = uniqueName('lock')): ZooLock & { readonly path: string } {
  const lock = new ZooLock(name);
  afterThisTest(() => {
    if (lock.held) lock.release();
    lock.close();
    ZooLock.unlink(name);
  });
  return Object.assign(lock, { path: name });
}

/** Lets a peer open the lock and take it. */
async function holdIn(peer: Peer, name: string, label?: string): Promise<bigint> {
  return peer.run(
    async ({ zoosync, state }, segment, tag) => {
      state['lock'] = new zoosync.ZooLock(segment, tag === undefined ? {} : { label: tag });
      const { generation } = await state['lock'].acquire();
      return generation as bigint;
    },
    name,
    label,
  );
}

describe('a lock between processes', () => {
  it('lets one in at a time: four processes and one counter, blocking and on the event loop', async () => {
    const lock = lockOf();
    const memory = track(ZooMemory.create(uniqueName('counter'), 64));
    const rounds = 400;
    const peers = await startPeers(4);
    const counting = peers.map((peer, which) =>
      peer.run(
        async ({ zoosync }, lockName, memoryName, count, how) => {
          const mutex = new zoosync.ZooLock(lockName);
          const counter = new Int32Array(zoosync.ZooMemory.open(memoryName).buffer);
          const next = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
          let last = 0n;
          for (let i = 0; i < count; i += 1) {
            const guard = how < 2 ? mutex.acquireSync() : await mutex.acquire();
            if (guard.generation <= last) throw new Error('the generation did not grow');
            last = guard.generation;
            const before = counter[0] ?? 0;
            for (let turn = 0; turn < 50; turn += 1) counter[1] = turn;
            // One of the four gives everybody else time to break in.
            if (how === 3 && i % 10 === 0) await next();
            counter[0] = before + 1;
            guard.release();
            if (how % 2 === 1) await next();
          }
        },
        lock.path,
        memory.name,
        rounds,
        which,
      ),
    );
    await within(Promise.all(counting), 'four processes to count');
    expect(new Int32Array(memory.buffer)[0]).toBe(4 * rounds);
    expect(lock.acquireSync().generation).toBeGreaterThanOrEqual(BigInt(4 * rounds));
    lock.release();
  });

  it('is seen with its owner by everybody', async () => {
    const lock = lockOf();
    const peer = await startPeer();
    const generation = await holdIn(peer, lock.path, 'camera');
    expect(lock.owner).toMatchObject({ pid: peer.pid, label: 'camera' });
    expect(lock.tryAcquire()).toBeUndefined();
    expect(thrownBy(() => lock.acquireSync({ timeout: 10 })).code).toBe('ERR_ZOO_TIMEOUT');
    await peer.run(({ state }) => state['lock'].release() as undefined);
    expect(lock.owner).toBeUndefined();
    expect(lock.acquireSync().generation).toBeGreaterThan(generation);
    lock.release();
  });

  it('wakes those who wait, blocking and on the event loop', async () => {
    const lock = lockOf();
    lock.acquireSync();
    const peers = (await startPeers(2)) as [Peer, Peer];
    const [awaiting, blocked] = peers;
    const waits = [
      awaiting.run(async ({ zoosync, say }, name) => {
        const mutex = new zoosync.ZooLock(name);
        const acquiring = mutex.acquire();
        say('waiting');
        (await acquiring).release();
        return 'came in';
      }, lock.path),
      blocked.run(({ zoosync, say }, name) => {
        const mutex = new zoosync.ZooLock(name);
        say('waiting');
        mutex.acquireSync().release();
        return 'came in';
      }, lock.path),
    ];
    for (const peer of peers) {
      await peer.heard('waiting');
      await untilAsleep(peer.pid);
    }
    lock.release();
    expect(await within(Promise.all(waits))).toEqual(['came in', 'came in']);
  });
});

describe('an owner that dies', () => {
  it.each(['tryAcquire', 'acquireSync', 'acquire'] as const)(
    'is told to the next one by %s, which holds the lock then',
    async (form) => {
      const lock = lockOf();
      const peer = await startPeer();
      const generation = await holdIn(peer, lock.path);
      peer.kill();
      await peer.ended;
      const failure = await failureOf(async () => lock[form]());
      expect(failure).toBeInstanceOf(LockRecovered);
      const recovered = failure as unknown as LockRecovered;
      expect(recovered.deadPid).toBe(peer.pid);
      expect(recovered.generation).toBeGreaterThan(generation);
      expect(lock.held).toBe(true);
      expect(lock.owner?.pid).toBe(process.pid);
      lock.release();
      const guard = await lock[form]();
      expect(guard).toBeDefined();
      lock.release();
    },
  );

  it('is told to one that waits: on the event loop, and blocked', async () => {
    const lock = lockOf();
    for (const blocking of [false, true]) {
      const [owner, waiter] = (await startPeers(2)) as [Peer, Peer];
      await holdIn(owner, lock.path);
      const waiting = waiter.run(
        async ({ zoosync, say }, name, sync) => {
          const mutex = new zoosync.ZooLock(name);
          try {
            if (sync) {
              say('waiting');
              mutex.acquireSync();
            } else {
              const acquiring = mutex.acquire();
              say('waiting');
              await acquiring;
            }
            return { deadPid: 0, held: mutex.held };
          } catch (error) {
            const { deadPid } = error as LockRecovered;
            const answer = { deadPid, held: mutex.held };
            mutex.release();
            return answer;
          }
        },
        lock.path,
        blocking,
      );
      await waiter.heard('waiting');
      await untilAsleep(waiter.pid);
      owner.kill();
      expect(await within(waiting, 'the lock of the dead')).toEqual({
        deadPid: owner.pid,
        held: true,
      });
    }
    lock.acquireSync();
    lock.release();
  });

  it('is told to exactly one of many that wait', async () => {
    const lock = lockOf();
    const [owner, ...waiters] = (await startPeers(4)) as [Peer, ...Peer[]];
    await holdIn(owner, lock.path);
    const waits = waiters.map((peer) =>
      peer.run(async ({ zoosync, say }, name) => {
        const mutex = new zoosync.ZooLock(name);
        const acquiring = mutex.acquire();
        say('waiting');
        let how = 'plain';
        try {
          await acquiring;
        } catch (error) {
          how = (error as { code: string }).code;
        }
        mutex.release();
        return how;
      }, lock.path),
    );
    for (const peer of waiters) await peer.heard('waiting');
    owner.kill();
    expect((await within(Promise.all(waits))).sort()).toEqual([
      'ERR_ZOO_LOCK_RECOVERED',
      'plain',
      'plain',
    ]);
  });

  it('while it recovers: the next one is told too', async () => {
    const lock = lockOf();
    const [first, second] = (await startPeers(2)) as [Peer, Peer];
    await holdIn(first, lock.path);
    first.kill();
    await first.ended;
    const deadPid = await second.run(async ({ zoosync, state }, name) => {
      state['lock'] = new zoosync.ZooLock(name);
      try {
        await state['lock'].acquire();
        return 0;
      } catch (error) {
        return (error as LockRecovered).deadPid;
      }
    }, lock.path);
    expect(deadPid).toBe(first.pid);
    second.kill();
    await second.ended;
    const failure = (await failureOf(within(lock.acquire()))) as unknown as LockRecovered;
    expect(failure).toBeInstanceOf(LockRecovered);
    expect(failure.deadPid).toBe(second.pid);
    lock.release();
    expect(lock.tryAcquire()).toBeDefined();
    lock.release();
  });

  it('is repaired by withLock with recover, and left to the next one without', async () => {
    const lock = lockOf();
    const memory = track(ZooMemory.create(uniqueName('account'), 64));
    const account = new Int32Array(memory.buffer);
    account.set([100, 0]);
    const peer = await startPeer();
    await peer.run(
      async ({ zoosync, say }, lockName, memoryName) => {
        const mutex = new zoosync.ZooLock(lockName);
        const both = new Int32Array(zoosync.ZooMemory.open(memoryName).buffer);
        void mutex.withLock(async () => {
          both[0] = (both[0] ?? 0) - 30;
          say('in the middle');
          await new Promise(() => undefined);
          both[1] = (both[1] ?? 0) + 30;
        });
      },
      lock.path,
      memory.name,
    );
    await peer.heard('in the middle');
    peer.kill();
    await peer.ended;
    expect(await failureOf(lock.withLock(() => 'never'))).toBeInstanceOf(LockRecovered);
    expect(lock.held).toBe(false);
    const sum = await lock.withLock(() => (account[0] ?? 0) + (account[1] ?? 0), {
      recover: ({ deadPid }) => {
        expect(deadPid).toBe(peer.pid);
        account[1] = 100 - (account[0] ?? 0);
      },
    });
    expect(sum).toBe(100);
    await lock.withLock(() => undefined);
  });

  it('leaves the lock to those who come when everybody has gone', async () => {
    const name = uniqueName('lock');
    const peer = await startPeer();
    await holdIn(peer, name);
    peer.kill();
    await peer.ended;
    const lock = lockOf(name);
    const failure = thrownBy(() => lock.tryAcquire()) as unknown as LockRecovered;
    expect(failure).toBeInstanceOf(LockRecovered);
    expect(failure.deadPid).toBe(peer.pid);
    lock.release();
  });

  it('counts as dead by any other exit code than 0, too', async () => {
    const lock = lockOf();
    const peer = await startPeer();
    await holdIn(peer, lock.path);
    void peer.run(() => process.exit(4));
    await within(peer.ended);
    const failure = (await failureOf(within(lock.acquire()))) as unknown as LockRecovered;
    expect(failure).toBeInstanceOf(LockRecovered);
    expect(failure.deadPid).toBe(peer.pid);
    lock.release();
  });

  it('does not keep it when it ends with code 0', async () => {
    const lock = lockOf();
    const peer = await startPeer();
    await holdIn(peer, lock.path);
    expect((await peer.leave()).code).toBe(0);
    // Left in an unknown state or not: the lock can be had.
    await within(lock.acquire()).catch((error: unknown) => {
      if (!(error instanceof LockRecovered)) throw error;
    });
    expect(lock.held).toBe(true);
    lock.release();
  });

  it('does not take the wait of another with it', async () => {
    const lock = lockOf();
    const peer = await startPeer();
    lock.acquireSync();
    void peer
      .run(({ zoosync, say }, name) => {
        const mutex = new zoosync.ZooLock(name);
        say('waiting');
        mutex.acquireSync();
      }, lock.path)
      .catch(() => undefined);
    await peer.heard('waiting');
    await untilAsleep(peer.pid);
    peer.kill();
    await peer.ended;
    lock.release();
    await until(() => {
      const guard = lock.tryAcquire();
      guard?.release();
      return guard !== undefined;
    }, 'the lock to be free');
  });
});

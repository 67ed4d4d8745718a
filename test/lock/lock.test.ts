import { existsSync } from 'node:fs';
import { LockRecovered, ZooError, ZooLock } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  failureOf,
  isPending,
  pathOf,
  thrownBy,
  uniqueName,
  within,
} from '../support/index.js';

/** Handles on one lock; let go of and unlinked after the test. */
function handles(count: number, name = uniqueName('lock')): ZooLock[] {
  const locks = Array.from({ length: count }, () => new ZooLock(name));
  afterThisTest(() => {
    for (const lock of locks) {
      if (lock.held) lock.release();
      lock.close();
    }
    ZooLock.unlink(name);
  });
  return locks;
}

function pair(): [ZooLock, ZooLock] {
  return handles(2) as [ZooLock, ZooLock];
}

describe('a lock', () => {
  it('has one owner at a time, in each form of acquiring', async () => {
    const [first, second] = pair();
    for (const acquire of [
      () => first.acquire(),
      () => first.acquireSync(),
      () => first.tryAcquire(),
    ]) {
      const guard = await acquire();
      expect([first.held, second.held]).toEqual([true, false]);
      expect(second.tryAcquire()).toBeUndefined();
      expect(thrownBy(() => second.acquireSync({ timeout: 5 })).code).toBe('ERR_ZOO_TIMEOUT');
      expect((await failureOf(second.acquire({ timeout: 5 }))).code).toBe('ERR_ZOO_TIMEOUT');
      guard?.release();
      expect([first.held, second.held]).toEqual([false, false]);
      second.acquireSync();
      second.release();
    }
  });

  it('goes to one that waits when it is released', async () => {
    const [first, second] = pair();
    first.acquireSync();
    const waiting = second.acquire();
    expect(await isPending(waiting)).toBe(true);
    first.release();
    const guard = await within(waiting);
    expect(second.held).toBe(true);
    guard.release();
    expect(second.held).toBe(false);
  });

  it('goes to everybody who waits, one after the other', async () => {
    const locks = handles(6);
    let inside = 0;
    let entered = 0;
    await within(
      Promise.all(
        locks.map(async (lock) => {
          for (let i = 0; i < 10; i += 1) {
            const guard = await lock.acquire();
            inside += 1;
            expect(inside).toBe(1);
            await new Promise((resolve) => setImmediate(resolve));
            inside -= 1;
            entered += 1;
            guard.release();
          }
        }),
      ),
    );
    expect(entered).toBe(60);
  });

  it('counts its acquisitions: the generation grows, and the guard keeps its own', () => {
    const [first, second] = pair();
    const one = first.acquireSync();
    expect(first.generation).toBe(one.generation);
    first.release();
    const two = second.acquireSync();
    expect(two.generation).toBeGreaterThan(one.generation);
    second.release();
    const three = first.acquireSync();
    expect(three.generation).toBeGreaterThan(two.generation);
    expect(typeof three.generation).toBe('bigint');
    first.release();
  });

  it('says who has it', () => {
    const name = uniqueName('lock');
    const before = Date.now();
    const lock = new ZooLock(name, { label: 'the repair shop' });
    afterThisTest(() => {
      lock.close();
      ZooLock.unlink(name);
    });
    expect(lock.owner).toBeUndefined();
    lock.acquireSync();
    expect(lock.owner).toMatchObject({ pid: process.pid, label: 'the repair shop' });
    expect(lock.owner?.since).toBeGreaterThan(before - 60_000);
    expect(lock.owner?.since).toBeLessThan(Date.now() + 60_000);
    const [other] = handles(1, name) as [ZooLock];
    expect(other.owner?.label).toBe('the repair shop');
    lock.release();
    expect([lock.owner, other.owner]).toEqual([undefined, undefined]);
  });

  it('cannot be taken twice by one handle', async () => {
    const [lock] = handles(1) as [ZooLock];
    lock.acquireSync();
    expect(thrownBy(() => lock.tryAcquire()).code).toBe('ERR_ZOO_DEADLOCK');
    expect(thrownBy(() => lock.acquireSync()).code).toBe('ERR_ZOO_DEADLOCK');
    expect((await failureOf(lock.acquire())).code).toBe('ERR_ZOO_DEADLOCK');
    expect((await failureOf(lock.withLock(() => 1))).code).toBe('ERR_ZOO_DEADLOCK');
    expect(lock.held).toBe(true);
    lock.release();
  });

  it('cannot be released by one who does not hold it', () => {
    const [first, second] = pair();
    expect(thrownBy(() => first.release()).code).toBe('ERR_ZOO_NOT_OWNER');
    first.acquireSync();
    expect(thrownBy(() => second.release()).code).toBe('ERR_ZOO_NOT_OWNER');
    expect(first.held).toBe(true);
    first.release();
    expect(thrownBy(() => first.release()).code).toBe('ERR_ZOO_NOT_OWNER');
  });

  it('is not closed while it is held', () => {
    const [lock] = handles(1) as [ZooLock];
    lock.acquireSync();
    expect(thrownBy(() => lock.close()).code).toBe('ERR_ZOO_HELD');
    expect(lock.held).toBe(true);
    lock.release();
    lock.close();
    lock.close();
    expect(thrownBy(() => lock.tryAcquire()).code).toBe('ERR_ZOO_CLOSED');
  });

  it('closed while it waits: the wait ends, the owner keeps it', async () => {
    const [first, second] = pair();
    first.acquireSync();
    const waiting = failureOf(second.acquire());
    second.close();
    expect((await within(waiting)).code).toBe('ERR_ZOO_CLOSED');
    expect(first.held).toBe(true);
    first.release();
  });

  it('a guard releases at the end of its block, and only its own acquisition', () => {
    const [first, second] = pair();
    const guard = first.acquireSync();
    guard[Symbol.dispose]();
    expect(first.held).toBe(false);
    const used = first.acquireSync();
    used.release();
    used[Symbol.dispose]();
    second.acquireSync();
    used[Symbol.dispose]();
    expect(second.held).toBe(true);
    second.release();
    const later = first.acquireSync();
    used[Symbol.dispose]();
    expect(first.held).toBe(true);
    later.release();
  });

  it('disposed while it is held leaves word that the data may not be in order', () => {
    const [first, second] = pair();
    first.acquireSync();
    first[Symbol.dispose]();
    const failure = thrownBy(() => second.tryAcquire());
    expect(failure).toBeInstanceOf(LockRecovered);
    expect(second.held).toBe(true);
    second.release();
  });

  it('disposed while it is not held is just closed', () => {
    const [first, second] = pair();
    first.acquireSync();
    first.release();
    first[Symbol.dispose]();
    expect(second.tryAcquire()).toBeDefined();
    second.release();
  });

  it('an abort or a timeout takes nothing', async () => {
    const [first, second] = pair();
    const reason = new Error('enough');
    const aborted = await failureOf(second.acquire({ signal: AbortSignal.abort(reason) }));
    expect([aborted.name, aborted.code, aborted.cause]).toEqual([
      'AbortError',
      'ABORT_ERR',
      reason,
    ]);
    expect(first.tryAcquire()).toBeDefined();
    const abort = new AbortController();
    const waiting = failureOf(second.acquire({ signal: abort.signal }));
    abort.abort(reason);
    expect((await within(waiting)).cause).toBe(reason);
    expect((await failureOf(second.acquire({ timeout: 1 }))).code).toBe('ERR_ZOO_TIMEOUT');
    first.release();
    expect(second.owner).toBeUndefined();
    expect(first.tryAcquire()).toBeDefined();
    first.release();
  });

  it('a timeout of 0 tries once', async () => {
    const [first, second] = pair();
    (await first.acquire({ timeout: 0 })).release();
    first.acquireSync({ timeout: 0 });
    expect(thrownBy(() => second.acquireSync({ timeout: 0 })).code).toBe('ERR_ZOO_TIMEOUT');
    expect((await failureOf(second.acquire({ timeout: 0 }))).code).toBe('ERR_ZOO_TIMEOUT');
    first.release();
  });

  it('is removed by its name, and the name means the same with a slash', () => {
    const name = uniqueName('lock');
    const lock = new ZooLock(`/${name}`);
    afterThisTest(() => lock.close());
    expect(existsSync(pathOf(name))).toBe(true);
    const [same] = handles(1, name) as [ZooLock];
    lock.acquireSync();
    expect(same.tryAcquire()).toBeUndefined();
    lock.release();
    expect(ZooLock.unlink(name)).toBe(true);
    expect(ZooLock.unlink(name)).toBe(false);
    expect(existsSync(pathOf(name))).toBe(false);
  });

  it('refuses what it does not know', async () => {
    const name = uniqueName('lock');
    const wrong = (options: object): string | undefined =>
      thrownBy(() => new ZooLock(name, options)).code;
    expect(wrong({ modus: 0o600 })).toBe('ERR_INVALID_ARG_VALUE');
    expect(wrong({ mode: 'rw' })).toBe('ERR_INVALID_ARG_TYPE');
    expect(wrong({ label: 5 })).toBe('ERR_INVALID_ARG_TYPE');
    expect(thrownBy(() => new ZooLock('a/b')).code).toBe('ERR_INVALID_ARG_VALUE');
    const [lock] = handles(1, name) as [ZooLock];
    const unknown = { timeOut: 1 } as object;
    expect((await failureOf(() => lock.acquire(unknown))).code).toBe('ERR_INVALID_ARG_VALUE');
    expect(thrownBy(() => lock.acquireSync(unknown)).code).toBe('ERR_INVALID_ARG_VALUE');
    expect((await failureOf(() => lock.withLock(() => 1, unknown))).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    expect(lock.held).toBe(false);
  });
});

describe('withLock', () => {
  it('runs the function with the lock, answers what it answers, and releases', async () => {
    const [first, second] = pair();
    const answer = await first.withLock(async (lock) => {
      expect(lock).toBe(first);
      expect(first.held).toBe(true);
      expect(second.tryAcquire()).toBeUndefined();
      await new Promise((resolve) => setImmediate(resolve));
      return 42;
    });
    expect(answer).toBe(42);
    expect(await first.withLock(() => 'at once')).toBe('at once');
    expect(first.held).toBe(false);
  });

  it('releases when the function throws, and passes the error on', async () => {
    const [first, second] = pair();
    const reason = new Error('in the middle');
    for (const fail of [
      () => {
        throw reason;
      },
      () => Promise.reject(reason),
    ]) {
      expect(await failureOf(first.withLock(fail))).toBe(reason);
      expect(first.held).toBe(false);
      expect(second.owner).toBeUndefined();
    }
  });

  it('waits as acquire does', async () => {
    const [first, second] = pair();
    first.acquireSync();
    expect((await failureOf(second.withLock(() => 1, { timeout: 1 }))).code).toBe(
      'ERR_ZOO_TIMEOUT',
    );
    const signal = AbortSignal.abort();
    expect((await failureOf(second.withLock(() => 1, { signal }))).code).toBe('ABORT_ERR');
    const waiting = second.withLock(() => 'mine');
    expect(await isPending(waiting)).toBe(true);
    first.release();
    expect(await within(waiting)).toBe('mine');
  });
});

describe('LockRecovered', () => {
  it('is an error of this library that knows what happened', () => {
    const [first, second] = pair();
    first.acquireSync();
    const { generation } = first;
    first.release({ recovered: false });
    const failure = thrownBy(() => second.tryAcquire()) as unknown as LockRecovered;
    expect(failure).toBeInstanceOf(LockRecovered);
    expect(failure).toBeInstanceOf(ZooError);
    expect(failure.name).toBe('LockRecovered');
    expect(failure.code).toBe('ERR_ZOO_LOCK_RECOVERED');
    expect(failure.deadPid).toBe(process.pid);
    expect(failure.generation).toBeGreaterThan(generation);
    expect(failure.generation).toBe(second.generation);
    second.release();
  });

  it('comes again until somebody says that the data is in order', async () => {
    const [first, second] = pair();
    first.acquireSync();
    first.release({ recovered: false });
    for (const lock of [second, first]) {
      expect(await failureOf(lock.acquire())).toBeInstanceOf(LockRecovered);
      expect(lock.held).toBe(true);
      lock.release({ recovered: false });
      expect(thrownBy(() => lock.acquireSync())).toBeInstanceOf(LockRecovered);
      lock.release({ recovered: false });
    }
    expect(thrownBy(() => second.tryAcquire())).toBeInstanceOf(LockRecovered);
    second.release({ recovered: true });
    first.acquireSync().release();
    expect(second.tryAcquire()).toBeDefined();
    second.release();
  });

  it('without recover, withLock leaves it to the next one', async () => {
    const [first, second] = pair();
    first.acquireSync();
    first.release({ recovered: false });
    let ran = false;
    const failure = await failureOf(
      second.withLock(() => {
        ran = true;
      }),
    );
    expect(failure).toBeInstanceOf(LockRecovered);
    expect([ran, second.held]).toEqual([false, false]);
    const order: string[] = [];
    const answer = await first.withLock(
      () => {
        order.push('work');
        return 'done';
      },
      {
        recover: async (info) => {
          expect(info).toBeInstanceOf(LockRecovered);
          expect(first.held).toBe(true);
          await new Promise((resolve) => setImmediate(resolve));
          order.push('recover');
        },
      },
    );
    expect([answer, ...order]).toEqual(['done', 'recover', 'work']);
    second.acquireSync().release();
  });

  it('a recover that fails leaves it to the next one', async () => {
    const [first, second] = pair();
    first.acquireSync();
    first.release({ recovered: false });
    const reason = new Error('cannot be repaired');
    const failing = second.withLock(() => 1, {
      recover: () => {
        throw reason;
      },
    });
    expect(await failureOf(failing)).toBe(reason);
    expect(second.held).toBe(false);
    expect(thrownBy(() => first.tryAcquire())).toBeInstanceOf(LockRecovered);
    first.release();
  });
});

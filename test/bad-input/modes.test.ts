/** A segment that is there already, and whom it belongs to: nothing secret goes where others read. */
import { chmodSync, lstatSync } from 'node:fs';
import { ZooLock, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  pathOf,
  startPeer,
  thrownBy,
  track,
  uniqueName,
  type Peer,
} from '../support/index.js';
import { canBeNobody, nobody } from '../support/users.js';

function modeOf(name: string): number {
  return lstatSync(pathOf(name)).mode & 0o777;
}

function makeLock(name: string, mode?: number): ZooLock {
  const lock = new ZooLock(name, mode === undefined ? {} : { mode });
  afterThisTest(() => {
    lock.close();
    ZooLock.unlink(name);
  });
  return lock;
}

describe('a mode that is wider than asked for', () => {
  it('is refused, saying both, and is left as it is', () => {
    const queue = track(ZooQueue.create(uniqueName('queue'), { mode: 0o666 }));
    const lock = uniqueName('lock');
    makeLock(lock, 0o660);
    for (const [use, name, there] of [
      [() => new ZooQueue(queue.name, { mode: 0o600 }), queue.name, 0o666],
      [() => new ZooQueue(queue.name, { mode: 0o660 }), queue.name, 0o666],
      [() => ZooQueue.open(queue.name, { mode: 0o600 } as object), queue.name, 0o666],
      [() => new ZooLock(lock, { mode: 0o600 }), lock, 0o660],
    ] as const) {
      const failure = thrownBy(use);
      expect(failure.code).toBe('ERR_ZOO_INCOMPATIBLE');
      expect(failure.segment).toBe(name);
      expect(failure.message).toContain(`0${there.toString(8)}`);
      expect(failure.message).toMatch(/wider than the 06[06]0 asked for/);
      expect(modeOf(name)).toBe(there);
    }
    expect(queue.stats().participants).toHaveLength(1);
  });

  it('is refused too when it was widened afterwards', () => {
    const queue = track(ZooQueue.create(uniqueName()));
    chmodSync(pathOf(queue.name), 0o644);
    expect(thrownBy(() => new ZooQueue(queue.name, { mode: 0o600 })).code).toBe(
      'ERR_ZOO_INCOMPATIBLE',
    );
  });

  it('is fine when it is the same, narrower, or was not said', () => {
    const queue = track(ZooQueue.create(uniqueName(), { mode: 0o640 }));
    track(new ZooQueue(queue.name, { mode: 0o640 }));
    track(new ZooQueue(queue.name, { mode: 0o666 }));
    track(new ZooQueue(queue.name));
    track(ZooQueue.open(queue.name));
    expect(queue.stats().participants).toHaveLength(5);
  });
});

describe.skipIf(!canBeNobody)('a segment of another user', () => {
  /** What another user has made, readable by everybody, before its rightful owner came. */
  async function squatted(): Promise<{ peer: Peer; queue: string; lock: string }> {
    const peer = await startPeer(nobody);
    const names = { queue: uniqueName('queue'), lock: uniqueName('lock') };
    await peer.run(
      ({ zoosync, state }, queue, lock) => {
        state['queue'] = zoosync.ZooQueue.create(queue, { mode: 0o666 });
        state['lock'] = new zoosync.ZooLock(lock, { mode: 0o666 });
      },
      names.queue,
      names.lock,
    );
    afterThisTest(() => {
      ZooQueue.unlink(names.queue);
      ZooLock.unlink(names.lock);
    });
    return { peer, ...names };
  }

  it('is refused by who would have made his own, with a sentence that says how to share', async () => {
    const { queue, lock } = await squatted();
    for (const [use, name] of [
      [() => new ZooQueue(queue), queue],
      [() => new ZooLock(lock), lock],
    ] as const) {
      const failure = thrownBy(use);
      expect(failure.code).toBe('ERR_ZOO_ACCESS');
      expect(failure.segment).toBe(name);
      expect(failure.message).toMatch(/belongs to another user \(65534\) and has mode 0666/);
      expect(failure.message).toContain('say that mode if it is to be shared');
      expect([lstatSync(pathOf(name)).uid, modeOf(name)]).toEqual([65_534, 0o666]);
    }
    expect(thrownBy(() => new ZooQueue(queue, { mode: 0o600 })).code).toBe('ERR_ZOO_INCOMPATIBLE');
  });

  it('is used by who says the same mode, or opens what somebody has made', async () => {
    const { queue, lock, peer } = await squatted();
    const mine = track(new ZooQueue<string>(queue, { mode: 0o666 }));
    track(ZooQueue.open(queue));
    mine.putSync('shared');
    expect(await peer.run(({ state }) => state['queue'].getSync() as string)).toBe('shared');
    const both = makeLock(lock, 0o666);
    expect(both.tryAcquire()).toBeDefined();
    expect(await peer.run(({ state }) => state['lock'].tryAcquire() === undefined)).toBe(true);
    both.release();
  });

  it('that is root’s is everybody’s to trust', async () => {
    const queue = track(ZooQueue.create(uniqueName(), { mode: 0o666 }));
    const peer = await startPeer(nobody);
    const closed = await peer.run(({ zoosync }, name) => {
      const mine = new zoosync.ZooQueue(name);
      mine.close();
      return mine.closed;
    }, queue.name);
    expect(closed).toBe(true);
  });
});

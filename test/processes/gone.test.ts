import { ZooLock, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  describeEachStore,
  failureOf,
  startPeers,
  track,
  uniqueName,
  within,
  type Peer,
} from '../support/index.js';
import { openIn, untilAsleep, untilWaiting } from '../support/waiting.js';

describeEachStore('a queue that was made anew under its name', (store) => {
  it('is told to all who wait on the old one', async () => {
    const old = store.create<string>({
      messages: 2,
      bytes: 500,
      groups: { a: {}, b: {} },
      group: 'a',
    });
    const [awaiting, blocked, awaitingRoom, blockedForRoom] = (await startPeers(4)) as [
      Peer,
      Peer,
      Peer,
      Peer,
    ];
    // Group b holds the queue full, so that group a can wait for messages at the same time.
    let full = 0;
    while (old.tryPutBytes(Buffer.alloc(500))) full += 1;
    for (let i = 0; i < full; i += 1) await old.getBytes();
    for (const peer of [awaiting, blocked, awaitingRoom, blockedForRoom]) {
      await openIn(peer, old.name, { group: 'a' });
    }
    const failures = [
      failureOf(old.get()),
      failureOf(awaiting.run(({ state }) => state['queue'].recvView() as Promise<void>)),
      failureOf(blocked.run(({ state }) => state['queue'].getSync() as undefined)),
      failureOf(
        awaitingRoom.run(
          ({ state }) => state['queue'].putBytes(Buffer.alloc(500)) as Promise<void>,
        ),
      ),
      failureOf(blockedForRoom.run(({ state }) => state['queue'].reserveSync(500) as undefined)),
    ];
    for (const peer of [awaiting, blocked, awaitingRoom, blockedForRoom]) {
      await untilWaiting(old, peer.pid);
    }
    expect(old.unlink()).toBe(true);
    const anew = track(ZooQueue.create<string>(old.name));
    for (const failure of failures) {
      expect((await within(failure, 'a wait to end')).code).toBe('ERR_ZOO_GONE');
    }
    // Who opens the name now is on the new one.
    await openIn(blocked, old.name);
    const reading = blocked.run(({ state }) => state['queue'].get() as Promise<string>);
    await anew.put('new');
    expect(await within(reading)).toBe('new');
  });

  it('stays usable for those who have the old one and do not have to wait', async () => {
    const old = store.create<string>();
    const [peer] = (await startPeers(1)) as [Peer];
    await openIn(peer, old.name);
    old.unlink();
    track(ZooQueue.create<string>(old.name));
    await peer.run(({ state }) => state['queue'].tryPut('old') as boolean);
    expect(old.tryGet()).toBe('old');
  });
});

describe('a lock that was made anew under its name', () => {
  it('is told to all who wait on the old one', async () => {
    const name = uniqueName();
    const old = new ZooLock(name);
    const anew: ZooLock[] = [];
    afterThisTest(() => {
      for (const lock of anew) lock.close();
      ZooLock.unlink(name);
    });
    old.acquireSync();
    const [awaiting, blocked] = (await startPeers(2)) as [Peer, Peer];
    const failures = [
      failureOf(
        awaiting.run(async ({ zoosync, say }, segment) => {
          const lock = new zoosync.ZooLock(segment);
          const waiting = lock.acquire();
          say('waiting');
          await waiting;
        }, name),
      ),
      failureOf(
        blocked.run(({ zoosync, say }, segment) => {
          const lock = new zoosync.ZooLock(segment);
          say('waiting');
          lock.acquireSync();
        }, name),
      ),
    ];
    for (const peer of [awaiting, blocked]) {
      await peer.heard('waiting');
      await untilAsleep(peer.pid);
    }
    expect(ZooLock.unlink(name)).toBe(true);
    anew.push(new ZooLock(name));
    for (const failure of failures) {
      expect((await within(failure, 'a wait to end')).code).toBe('ERR_ZOO_GONE');
    }
    expect(anew[0]?.tryAcquire()).toBeDefined();
    anew[0]?.release();
    old.release();
    old.close();
  });
});

import { existsSync } from 'node:fs';
import { ZooLock, ZooMemory, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  codeOf,
  failureOf,
  pathOf,
  startPeer,
  startPeers,
  thrownBy,
  track,
  uniqueName,
  within,
  type Peer,
} from '../support/index.js';
import { untilAsleep, untilWaiting } from '../support/waiting.js';

/** Lets the peer make a queue, a lock and a block of memory. */
async function makeOneOfEach(peer: Peer, persist = false): Promise<string[]> {
  const names = ['queue', 'lock', 'memory'].map((kind) => uniqueName(kind));
  await peer.run(
    ({ zoosync, state }, [queue = '', lock = '', memory = ''], stay) => {
      state['queue'] = zoosync.ZooQueue.create(queue, { size: '64KiB', persist: stay });
      state['lock'] = new zoosync.ZooLock(lock);
      state['memory'] = zoosync.ZooMemory.create(memory, 4096, { persist: stay });
    },
    names,
    persist,
  );
  return names;
}

const present = (names: readonly string[]): boolean[] =>
  names.map((name) => existsSync(pathOf(name)));

describe('what a process made', () => {
  it('is removed when it ends by itself', async () => {
    const peer = await startPeer();
    const names = await makeOneOfEach(peer);
    expect(present(names)).toEqual([true, true, true]);
    expect(await peer.leave()).toEqual({ code: 0, signal: null });
    expect(present(names)).toEqual([false, false, false]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('is removed at %s', async (signal) => {
    const peer = await startPeer();
    const names = await makeOneOfEach(peer);
    peer.kill(signal);
    expect(await within(peer.ended)).toEqual({ code: null, signal });
    expect(present(names)).toEqual([false, false, false]);
    expect(peer.stderr).toBe('');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'is removed at %s in a call that blocks',
    async (signal) => {
      const reader = await startPeer();
      const writer = await startPeer();
      const readerNames = await makeOneOfEach(reader);
      const writerNames = await makeOneOfEach(writer);
      const lockName = uniqueName('held');
      const lock = new ZooLock(lockName);
      afterThisTest(() => {
        lock.release();
        lock.close();
        ZooLock.unlink(lockName);
      });
      lock.acquireSync();
      const locker = await startPeer();
      const lockerNames = await makeOneOfEach(locker);

      void reader.run(({ state }) => state['queue'].getSync() as undefined);
      void writer.run(({ state }) => {
        for (;;) state['queue'].putBytesSync(Buffer.alloc(1000));
      });
      void locker.run(({ zoosync, say }, name) => {
        const other = new zoosync.ZooLock(name);
        say('about to block');
        other.acquireSync();
      }, lockName);
      for (const [peer, [name = '']] of [
        [reader, readerNames],
        [writer, writerNames],
      ] as const) {
        const queue = ZooQueue.open(name);
        await untilWaiting(queue, peer.pid);
        queue.close();
      }
      await locker.heard('about to block');
      await untilAsleep(locker.pid);

      for (const peer of [reader, writer, locker]) {
        peer.kill(signal);
        expect(await within(peer.ended)).toEqual({ code: null, signal });
      }
      expect(present([...readerNames, ...writerNames, ...lockerNames])).toEqual(
        Array.from({ length: 9 }, () => false),
      );
    },
  );

  it('stays when it was made to persist', async () => {
    for (const how of ['end', 'SIGINT', 'SIGTERM'] as const) {
      const peer = await startPeer();
      const names = await makeOneOfEach(peer, true);
      const [queue = '', lock = '', memory = ''] = names;
      if (how === 'end') {
        await peer.leave();
      } else {
        peer.kill(how);
        expect((await within(peer.ended)).signal).toBe(how);
      }
      expect(present([queue, memory]), how).toEqual([true, true]);
      expect([ZooQueue.unlink(queue), ZooMemory.unlink(memory)]).toEqual([true, true]);
      ZooLock.unlink(lock);
    }
  });

  it('is left to a program that handles the signal, and removed when that one exits', async () => {
    for (const when of ['before', 'after'] as const) {
      const peer = await startPeer();
      const handle = (): Promise<void> =>
        peer.run(({ state, say }) => {
          process.on('SIGINT', () => {
            if (state['told']) process.exit(0);
            state['told'] = true;
            say('told');
          });
        });
      if (when === 'before') await handle();
      const names = await makeOneOfEach(peer);
      if (when === 'after') await handle();
      peer.kill('SIGINT');
      await peer.heard('told');
      expect(present(names), when).toEqual([true, true, true]);
      peer.kill('SIGINT');
      expect(await within(peer.ended)).toEqual({ code: 0, signal: null });
      expect(present(names), when).toEqual([false, false, false]);
    }
  });

  it('is removed when a handler came and went', async () => {
    for (const when of ['before', 'after'] as const) {
      const peer = await startPeer();
      const comeAndGo = (): Promise<void> =>
        peer.run(() => {
          const handler = (): void => undefined;
          process.on('SIGINT', handler);
          process.off('SIGINT', handler);
        });
      if (when === 'before') await comeAndGo();
      const names = await makeOneOfEach(peer);
      if (when === 'after') await comeAndGo();
      peer.kill('SIGINT');
      expect(await within(peer.ended), when).toEqual({ code: null, signal: 'SIGINT' });
      expect(present(names), when).toEqual([false, false, false]);
    }
  });

  it('is left alone by others that end', async () => {
    const maker = await startPeer();
    const [queue = '', lock = '', memory = ''] = await makeOneOfEach(maker);
    const user = await startPeer();
    await user.run(
      ({ zoosync, state }, names) => {
        state['queue'] = new zoosync.ZooQueue(names[0] ?? '');
        state['lock'] = new zoosync.ZooLock(names[1] ?? '');
        state['memory'] = zoosync.ZooMemory.open(names[2] ?? '');
      },
      [queue, lock, memory],
    );
    expect((await user.leave()).code).toBe(0);
    expect(present([queue, lock, memory])).toEqual([true, true, true]);
    await maker.leave();
    expect(present([queue, lock, memory])).toEqual([false, false, false]);
  });

  it('is not removed when the name leads to something newer', async () => {
    const peer = await startPeer();
    const names = await makeOneOfEach(peer);
    const [queueName = '', lockName = '', memoryName = ''] = names;
    expect([
      ZooQueue.unlink(queueName),
      ZooLock.unlink(lockName),
      ZooMemory.unlink(memoryName),
    ]).toEqual([true, true, true]);
    track(ZooQueue.create(queueName));
    const lock = new ZooLock(lockName);
    afterThisTest(() => {
      lock.close();
      ZooLock.unlink(lockName);
    });
    track(ZooMemory.create(memoryName, 4096));
    await peer.leave();
    expect(present(names)).toEqual([true, true, true]);
  });
});

describe('what a killed process made', () => {
  it('is gone on with by open and by the constructor', async () => {
    const names = [uniqueName(), uniqueName()] as const;
    for (const name of names) {
      const peer = await startPeer();
      await peer.run(({ zoosync, state }, segment) => {
        state['queue'] = zoosync.ZooQueue.create(segment, { size: '64KiB' });
        state['queue'].putManySync(['one', 'two']);
      }, name);
      peer.kill();
      await peer.ended;
      expect(existsSync(pathOf(name))).toBe(true);
    }
    const opened = track(ZooQueue.open<string>(names[0]));
    const constructed = track(new ZooQueue<string>(names[1]));
    for (const queue of [opened, constructed]) {
      expect(queue.length).toBe(2);
      expect([queue.tryGet(), queue.tryGet()]).toEqual(['one', 'two']);
      expect(queue.stats().participants).toHaveLength(1);
      await queue.put('three');
      expect(await queue.get()).toBe('three');
      ZooQueue.unlink(queue.name);
    }
  });

  it('is offered again when it was claimed', async () => {
    const name = uniqueName();
    const peer = await startPeer();
    await peer.run(({ zoosync, state }, segment) => {
      state['queue'] = zoosync.ZooQueue.create(segment, { size: '64KiB' });
      state['queue'].putBytesSync(Buffer.from('claimed'));
      state['view'] = state['queue'].recvViewSync();
    }, name);
    peer.kill();
    await peer.ended;
    const queue = track(ZooQueue.open(name));
    const view = await within(queue.recvView());
    expect([view.view.toString(), view.deliveries]).toEqual(['claimed', 2]);
    queue.commitRead(view.cursor);
    ZooQueue.unlink(name);
  });

  it('is replaced by create: other sizes do not matter', async () => {
    const queueName = uniqueName('queue');
    const memoryName = uniqueName('memory');
    const peer = await startPeer();
    await peer.run(
      ({ zoosync, state }, queue, memory) => {
        state['queue'] = zoosync.ZooQueue.create(queue, { size: '64KiB' });
        state['queue'].putSync('old');
        state['memory'] = zoosync.ZooMemory.create(memory, 4096);
        new Uint8Array(state['memory'].buffer).fill(7);
      },
      queueName,
      memoryName,
    );
    expect(thrownBy(() => ZooQueue.create(queueName)).code).toBe('ERR_ZOO_EXISTS');
    expect(thrownBy(() => ZooMemory.create(memoryName, 100)).code).toBe('ERR_ZOO_EXISTS');
    peer.kill();
    await peer.ended;
    const queue = track(ZooQueue.create<string>(queueName, { slots: 3, slotSize: 100 }));
    expect([queue.length, queue.tryGet()]).toEqual([0, undefined]);
    const memory = track(ZooMemory.create(memoryName, 100));
    expect(memory.byteLength).toBe(100);
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
  });

  it('is found by all who come at the same time, once', async () => {
    const name = uniqueName();
    const dead = await startPeer();
    await dead.run(({ zoosync, state }, segment) => {
      state['queue'] = zoosync.ZooQueue.create(segment, { size: '64KiB' });
      state['queue'].putManySync([1, 2, 3, 4]);
    }, name);
    dead.kill();
    await dead.ended;
    const peers = (await startPeers(3)) as [Peer, Peer, Peer];
    const made = await Promise.all(
      peers.map((peer) =>
        peer.run(({ zoosync, state }, segment) => {
          try {
            state['queue'] = zoosync.ZooQueue.create(segment, { size: '128KiB' });
            return 'made';
          } catch (error) {
            state['queue'] = zoosync.ZooQueue.open(segment);
            return (error as { code?: string }).code;
          }
        }, name),
      ),
    );
    expect(made.sort()).toEqual(['ERR_ZOO_EXISTS', 'ERR_ZOO_EXISTS', 'made']);
    const [first, second, other] = peers;
    const reading = second.run(({ state }) => state['queue'].get() as Promise<string>);
    await first.run(({ state }) => state['queue'].put('hello') as Promise<void>);
    const third = other.run(({ state }) => state['queue'].get({ timeout: 1 }) as Promise<string>);
    await third.catch(() => undefined);
    await within(Promise.any([reading, third]), 'the message to arrive in the one queue');
    await Promise.all(peers.map((peer) => peer.leave().catch(() => peer.kill())));
    ZooQueue.unlink(name);
  });

  it('stays with those who still use it, and is not theirs to replace', async () => {
    const name = uniqueName();
    const peer = await startPeer();
    await peer.run(({ zoosync, state }, segment) => {
      state['queue'] = zoosync.ZooQueue.create(segment);
      state['queue'].putSync('kept');
    }, name);
    const queue = track(ZooQueue.open<string>(name));
    peer.kill();
    await peer.ended;
    expect(await codeOf(() => ZooQueue.create(name))).toBe('ERR_ZOO_EXISTS');
    expect(await queue.get()).toBe('kept');
    expect((await failureOf(within(queue.get()))).code).toBe('ERR_ZOO_PEER_DIED');
    expect(ZooQueue.unlink(name)).toBe(true);
  });
});

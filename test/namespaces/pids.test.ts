/**
 * Processes in pid namespaces of their own that share /dev/shm, as containers do. Each of them
 * believes to be process 1: numbers of processes and threads say nothing between them.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { Channel, LockRecovered, PeerDied, ZooLock, ZooMemory, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  describeEachStore,
  failureOf,
  isPending,
  pathOf,
  runProgram,
  startPeer,
  thrownBy,
  track,
  uniqueName,
  until,
  within,
  type Peer,
} from '../support/index.js';
import { holdViews, openIn, untilAsleep } from '../support/waiting.js';
import { canStart, killDistant, ownPids, startPeerThrough, type DistantPeer } from './support.js';

const skipped = !canStart(ownPids);
if (skipped) console.log('skipped: this machine lets nobody make a pid namespace');

/** As another user, in a pid namespace of its own. */
const anotherUser = [...ownPids, 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const mayBeAnother = process.getuid?.() === 0 && canStart(anotherUser);
if (!mayBeAnother) console.log('skipped: nobody here may become another user in a namespace');

async function distantPair(): Promise<[DistantPeer, DistantPeer]> {
  return [await startPeerThrough(ownPids), await startPeerThrough(ownPids)];
}

async function openLockIn(peer: Peer, name: string): Promise<void> {
  await peer.run(({ zoosync, state }, segment) => {
    state['lock'] = new zoosync.ZooLock(segment);
  }, name);
}

describe.skipIf(skipped)('in other pid namespaces', () => {
  describeEachStore('a queue', (store) => {
    it('carries messages both ways, and wakes who awaits and who blocks', async () => {
      const questions = store.create<number>();
      const answers = store.create<number>();
      const [awaiting, blocking] = await distantPair();
      const serve = [
        awaiting.run(
          async ({ zoosync }, from, to) => {
            const input = zoosync.ZooQueue.open<number>(from);
            const output = zoosync.ZooQueue.open<number>(to);
            for await (const value of input) await output.put(value * 2);
            return process.pid;
          },
          questions.name,
          answers.name,
        ),
        blocking.run(
          ({ zoosync }, from, to) => {
            const input = zoosync.ZooQueue.open<number>(from);
            const output = zoosync.ZooQueue.open<number>(to);
            try {
              for (;;) output.putSync(input.getSync() * 2);
            } catch (error) {
              if ((error as { code?: string }).code !== 'ERR_ZOO_ENDED') throw error;
            }
            return process.pid;
          },
          questions.name,
          answers.name,
        ),
      ];
      let sum = 0;
      for (let i = 1; i <= 40; i += 1) {
        await within(questions.put(i), 'a put');
        sum += await within(answers.get(), 'an answer');
      }
      expect(sum).toBe(40 * 41);
      questions.end();
      // Both believe to be process 1; the tables of participants name them so.
      expect(await within(Promise.all(serve), 'the ends')).toEqual([1, 1]);
    });

    it('gives back what a killed consumer held, here and there', async () => {
      const queue = store.create<number>();
      const [victim, survivor] = await distantPair();
      const near = await startPeer();
      for (const peer of [victim, survivor, near]) await openIn(peer, queue.name);
      for (let i = 0; i < 4; i += 1) await queue.put(i);
      await holdViews(victim, 2);
      await holdViews(near, 2);
      await killDistant(victim);
      const first = [await within(queue.get(), 'one'), await within(queue.get(), 'another')];
      expect(first.sort()).toEqual([0, 1]);
      const waiting = survivor.run(async ({ state }) => [
        (await state['queue'].get()) as number,
        (await state['queue'].get()) as number,
      ]);
      near.kill();
      expect((await within(waiting, 'what was given back')).sort()).toEqual([2, 3]);
      expect(
        queue
          .stats()
          .participants.map(({ pid }) => pid)
          .sort((a, b) => a - b),
      ).toEqual([1, process.pid]);
    });

    it('says that the last writer died', async () => {
      const queue = store.create<string>();
      const [writer] = await distantPair();
      await openIn(writer, queue.name);
      await writer.run(({ state }) => state['queue'].put('the last') as Promise<void>);
      expect(await queue.get()).toBe('the last');
      const waiting = failureOf(queue.get());
      expect(await isPending(waiting)).toBe(true);
      const begun = Date.now();
      await killDistant(writer);
      const error = await within(waiting, 'PeerDied');
      expect(error).toBeInstanceOf(PeerDied);
      expect(error.pid).toBe(1);
      expect(Date.now() - begun).toBeLessThan(10_000);
    });

    it('is repaired after a kill at any moment, on either side', async () => {
      const queue = store.create<number>({ messages: 16, bytes: 200 });
      for (let round = 0; round < 4; round += 1) {
        const victim = round % 2 === 0 ? await startPeerThrough(ownPids) : await startPeer();
        await openIn(victim, queue.name);
        const storm = victim
          .run(({ state, say }) => {
            say('storm');
            for (let i = 0; ; i += 1) {
              if (!state['queue'].tryPutBytes(Buffer.alloc(i % 200))) {
                state['queue'].tryGetBytesMany(8);
              }
            }
          })
          .catch(() => undefined);
        await victim.heard('storm');
        if ('outerPid' in victim) await killDistant(victim as DistantPeer);
        else victim.kill();
        await victim.ended;
        await storm;
        while (queue.tryGetBytes() !== undefined);
        const begun = Date.now();
        await within(queue.putBytes(Buffer.alloc(100, round)), 'a put after the kill');
        await until(() => queue.tryGetBytes()?.length === 100, 'the message');
        expect(Date.now() - begun).toBeLessThan(10_000);
      }
    });
  });

  it('a waiter that is killed does not pass for the owner with the same thread number', async () => {
    const lock = track(new ZooLock(uniqueName()));
    const [owner, waiter] = await distantPair();
    for (const peer of [owner, waiter]) {
      expect(await peer.run(() => process.pid)).toBe(1);
      await openLockIn(peer, lock.name);
    }
    await owner.run(({ state }) => void state['lock'].acquireSync());
    const waiting = failureOf(
      waiter.run(({ state, say }) => {
        say('waiting');
        state['lock'].acquireSync();
      }),
    );
    await waiter.heard('waiting');
    await untilAsleep(waiter.outerPid);
    await killDistant(waiter);
    await waiting;
    expect(lock.tryAcquire()).toBeUndefined();
    await owner.run(({ state }) => state['lock'].release() as undefined);
    lock.acquireSync().release();
    expect(thrownBy(() => lock.release()).code).toBe('ERR_ZOO_NOT_OWNER');
  });

  it('a lock is handed on when its owner dies, to who awaits and who blocks', async () => {
    const lock = track(new ZooLock(uniqueName()));
    const [victim, next] = await distantPair();
    for (const peer of [victim, next]) await openLockIn(peer, lock.name);
    await victim.run(({ state }) => void state['lock'].acquireSync());
    expect(lock.owner?.pid).toBe(1);
    const awaiting = failureOf(lock.acquire());
    await killDistant(victim);
    const recovered = await within(awaiting, 'the lock');
    expect(recovered).toBeInstanceOf(LockRecovered);
    expect((recovered as LockRecovered).deadPid).toBe(1);
    lock.release();
    const near = await startPeer();
    await openLockIn(near, lock.name);
    await near.run(({ state }) => void state['lock'].acquireSync());
    const blocked = failureOf(
      next.run(({ state, say }) => {
        say('waiting');
        state['lock'].acquireSync();
      }),
    );
    await next.heard('waiting');
    near.kill();
    expect(await within(blocked, 'the lock there')).toMatchObject({
      code: 'ERR_ZOO_LOCK_RECOVERED',
      deadPid: near.pid,
    });
  });

  it('a channel says that its last writer died', async () => {
    const name = uniqueName('channel');
    const writer = await startPeerThrough(ownPids);
    await writer.run(async ({ zoosync, state }, segment) => {
      state['channel'] = zoosync.Channel.create(segment, { capacity: 8 });
      await state['channel'].send('one');
    }, name);
    const channel = await Channel.open<string>(name);
    afterThisTest(async () => {
      await channel.close();
      channel.unlink();
    });
    expect(await within(channel.receive(), 'a value')).toBe('one');
    const waiting = failureOf(channel.receive());
    expect(await isPending(waiting)).toBe(true);
    await killDistant(writer);
    const error = await within(waiting, 'PeerDied');
    expect(error).toBeInstanceOf(PeerDied);
    expect(error.pid).toBe(1);
  });
});

describe.skipIf(skipped)('process 1 of a pid namespace', () => {
  it('keeps its names at a signal that does not end it', async () => {
    const name = uniqueName();
    const peer = await startPeerThrough(ownPids);
    await peer.run(({ zoosync, state }, segment) => {
      state['queue'] = zoosync.ZooQueue.create(segment, { size: '16KiB' });
    }, name);
    process.kill(peer.outerPid, 'SIGTERM');
    process.kill(peer.outerPid, 'SIGINT');
    // Signals are handled before the next answer.
    await peer.run(({ state }) => void state['queue'].tryPut('still here'));
    expect(await peer.run(() => process.pid)).toBe(1);
    const queue = track(ZooQueue.open<string>(name));
    expect(queue.tryGet()).toBe('still here');
    await peer.run(({ state }) => state['queue'].unlink() as boolean);
  });
});

describe.skipIf(skipped)('a pool as process 1 of a pid namespace', () => {
  it('runs its calls, replaces a worker that is killed, and leaves nothing', async () => {
    const before = new Set(readdirSync('/dev/shm'));
    const module = new URL('../fixtures/pool-tasks.js', import.meta.url).href;
    const { code, signal, stdout, stderr } = await runProgram(
      `const pool = new zoosync.ZooPool(new URL(args[0]), { workers: 2, kind: 'process' });
       const twice = await Promise.all([pool.run('add', [1, 2]), pool.run('add', [3, 4])]);
       const died = await pool.run('die', []).catch((error) => error.code);
       const again = await pool.run('echo', ['again']);
       const large = await pool.run('echo', [Buffer.alloc(2_000_000, 7)]);
       console.log(process.pid, ...twice, died, again, large.length);
       await pool.close();`,
      { args: [module], through: ownPids },
    );
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(stdout.trim()).toBe('1 3 7 ERR_ZOO_WORKER_DIED again 2000000');
    await until(
      () => readdirSync('/dev/shm').every((name) => before.has(name) || !/pool/.test(name)),
      'the segments to be gone',
    );
  });
});

describe.skipIf(skipped)('a pool in another pid namespace', () => {
  it('leaves alone what was sent to a pool that lives here and has not opened it yet', async () => {
    const { ino } = statSync('/proc/self/ns/pid');
    const digits = `${ino.toString(16).padStart(8, '0')}${'0'.repeat(12)}`;
    // The number of a process that lives here, and of none in there.
    const name = `zoosync-pool-${process.pid}-${digits}-1-back1`;
    afterThisTest(() => ZooMemory.unlink(name));
    const answer = ZooMemory.create(name, 4096);
    answer.close();
    const module = new URL('../fixtures/pool-tasks.js', import.meta.url).href;
    const { code, stdout } = await runProgram(
      `const pool = new zoosync.ZooPool(new URL(args[0]), { workers: 1, kind: 'process' });
       console.log(await pool.run('echo', ['there']));
       await pool.close();`,
      { args: [module], through: ownPids },
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'there\n' });
    expect(existsSync(pathOf(name))).toBe(true);
  });
});

describe.skipIf(!mayBeAnother)('as another user in another pid namespace', () => {
  it('who may open a segment gets messages, wakes and what the dead held', async () => {
    const queue = track(ZooQueue.create<number>(uniqueName(), { size: '64KiB', mode: 0o666 }));
    const lock = track(new ZooLock(uniqueName(), { mode: 0o666 }));
    const peer = await startPeerThrough(anotherUser);
    expect(await peer.run(() => [process.pid, process.getuid?.()])).toEqual([1, 65534]);
    await openIn(peer, queue.name);
    await openLockIn(peer, lock.name);
    const reading = peer.run(({ state }) => state['queue'].get() as Promise<number>);
    await untilAsleep(peer.outerPid);
    await queue.put(5);
    expect(await within(reading, 'a message there')).toBe(5);
    const answer = queue.get();
    expect(await isPending(answer)).toBe(true);
    await peer.run(({ state }) => state['queue'].put(6) as Promise<void>);
    expect(await within(answer, 'a message here')).toBe(6);
    await queue.put(7);
    await holdViews(peer, 1);
    await peer.run(({ state }) => void state['lock'].acquireSync());
    const waiting = failureOf(lock.acquire());
    await killDistant(peer);
    expect(await within(waiting, 'the lock')).toBeInstanceOf(LockRecovered);
    lock.release();
    expect(await within(queue.get(), 'what it held')).toBe(7);
  });

  it('who may not is told so in one sentence', async () => {
    const queue = track(ZooQueue.create(uniqueName(), { size: '64KiB' }));
    const peer = await startPeerThrough(anotherUser);
    const refused = await failureOf(openIn(peer, queue.name));
    expect(refused.code).toBe('ERR_ZOO_ACCESS');
    expect(refused.message).toMatch(/permission denied .* wider mode/);
  });
});

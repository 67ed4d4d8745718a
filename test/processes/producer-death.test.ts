import { ZooQueue } from 'zoosync';
import { expect, it } from 'vitest';
import {
  describeEachStore,
  failureOf,
  isPending,
  startPeer,
  startPeers,
  within,
  type Peer,
} from '../support/index.js';
import { openIn, untilWaiting } from '../support/waiting.js';

/** Ways to leave a process, and whether it counts as a proper end. */
const endings: [how: string, proper: boolean, leave: (peer: Peer) => unknown][] = [
  ['with nothing left to do', true, (peer) => peer.leave()],
  ['by process.exit(0)', true, (peer) => peer.run(() => process.exit(0)).catch(() => undefined)],
  ['by process.exit(1)', false, (peer) => peer.run(() => process.exit(1)).catch(() => undefined)],
  [
    'with an exit code set',
    false,
    async (peer) => {
      await peer.run(() => {
        process.exitCode = 3;
      });
      await peer.leave();
    },
  ],
  [
    'by an error that nobody catches',
    false,
    (peer) =>
      peer.run(() => {
        setImmediate(() => {
          throw new Error('on purpose');
        });
      }),
  ],
  [
    'by a rejection that nobody handles',
    false,
    (peer) =>
      peer.run(() => {
        void Promise.reject(new Error('on purpose'));
      }),
  ],
  ['by SIGKILL', false, (peer) => peer.kill()],
  ['by SIGTERM', false, (peer) => peer.kill('SIGTERM')],
];

describeEachStore('a producer that is killed', (store) => {
  it('with a reservation out is skipped, and the others go on', async () => {
    const queue = store.create();
    const peer = await startPeer();
    await openIn(peer, queue.name);
    await peer.run(async ({ state }) => {
      await state['queue'].putBytes(Buffer.from('whole'));
      const place = await state['queue'].reserve(100);
      place.view.fill('half');
    });
    await queue.putBytes(Buffer.from('of another'));
    peer.kill();
    expect((await within(queue.getBytes())).toString()).toBe('whole');
    expect((await within(queue.getBytes())).toString()).toBe('of another');
    await queue.putBytes(Buffer.from('and on'));
    expect((await within(queue.getBytes())).toString()).toBe('and on');
    expect(queue.stats()).toMatchObject({ messages: 0, blockedBytes: 0 });
  });

  it('is noticed although many other queues of the event loop wait for longer', async () => {
    // More than have their turn in one round.
    const others = Array.from({ length: 40 }, () => store.create({ messages: 2, bytes: 64 }));
    const waiting = others.map((other) => failureOf(other.get()));
    const queue = store.create();
    const peer = await startPeer();
    await openIn(peer, queue.name);
    await peer.run(({ state }) => state['queue'].put(1));
    expect(await queue.get()).toBe(1);
    const failure = failureOf(queue.get());
    peer.kill();
    expect((await within(failure)).code).toBe('ERR_ZOO_PEER_DIED');
    for (const other of others) other.close();
    for (const { code } of await Promise.all(waiting)) expect(code).toBe('ERR_ZOO_CLOSED');
  });

  it('gives the room of its reservations back to one that waits for it', async () => {
    const queue = store.create({ messages: 4, bytes: 1000 });
    const peer = await startPeer();
    await openIn(peer, queue.name);
    await peer.run(({ state }) => {
      while (state['queue'].tryReserve(1000) !== undefined);
    });
    const message = Buffer.alloc(1000, 5);
    expect(queue.tryPutBytes(message)).toBe(false);
    expect(queue.stats().oldestReservationMs).toBeGreaterThanOrEqual(0);
    const writing = queue.putBytes(message);
    expect(await isPending(writing)).toBe(true);
    peer.kill();
    await within(writing, 'room after the death of the producer');
    expect((await within(queue.getBytes())).equals(message)).toBe(true);
    await queue.putBytesMany([message, message]);
    expect((await queue.getBytesMany(2)).length).toBeGreaterThan(0);
    expect(queue.stats().oldestReservationMs).toBeUndefined();
  });

  it('with a reservation out does not hold up one that blocks', async () => {
    const queue = store.create<string>();
    const [writer, reader] = (await startPeers(2)) as [Peer, Peer];
    await openIn(writer, queue.name);
    await openIn(reader, queue.name);
    await writer.run(async ({ state }) => {
      await state['queue'].reserve(10);
    });
    const reading = reader.run(({ state }) => state['queue'].getSync() as string);
    await untilWaiting(queue, reader.pid);
    writer.kill();
    await writer.ended;
    queue.putSync('after');
    expect(await within(reading)).toBe('after');
  });

  it('while it waits for room takes nothing with it', async () => {
    const queue = store.create<number>({ messages: 2, bytes: 1000 });
    let full = 0;
    while (queue.tryPutBytes(Buffer.alloc(1000, full))) full += 1;
    const waiters = await startPeers(2);
    for (const [which, waiter] of waiters.entries()) {
      await openIn(waiter, queue.name);
      void waiter
        .run(async ({ state }, blocking) => {
          if (blocking) state['queue'].putBytesSync(Buffer.alloc(1000, 99));
          else await state['queue'].putBytes(Buffer.alloc(1000, 99));
        }, which === 0)
        .catch(() => undefined);
      await untilWaiting(queue, waiter.pid);
      waiter.kill();
      await waiter.ended;
    }
    const writing = queue.putBytes(Buffer.alloc(1000, full));
    for (let i = 0; i <= full; i += 1) {
      const message = await within(queue.getBytes());
      expect([message.length, message[0]]).toEqual([1000, i]);
    }
    await writing;
    expect(queue.length).toBe(0);
  });

  it('without end() is told as PeerDied, with its pid, once the queue is drained', async () => {
    for (const form of ['get', 'getSync', 'recvView', 'recvViewsSync', 'iterator']) {
      const queue = store.create<number>();
      const peer = await startPeer();
      await openIn(peer, queue.name);
      await peer.run(({ state }) => state['queue'].putManySync([1, 2]) as undefined);
      peer.kill();
      await peer.ended;
      expect(await within(queue.get())).toBe(1);
      expect(queue.getSync()).toBe(2);
      const failure = await failureOf(async () => {
        if (form === 'get') return within(queue.get());
        if (form === 'getSync') return queue.getSync({ timeout: 40_000 });
        if (form === 'recvView') return within(queue.recvView());
        if (form === 'recvViewsSync') return queue.recvViewsSync(4, { timeout: 40_000 });
        for await (const value of queue) return value;
        return 'the end';
      });
      expect([form, failure.code, failure.pid]).toEqual([form, 'ERR_ZOO_PEER_DIED', peer.pid]);
      expect(queue.tryGet()).toBeUndefined();
    }
  });

  it('is told to those who wait when it dies: on the event loop, and blocked', async () => {
    const queue = store.create<number>();
    const [writer, reader] = (await startPeers(2)) as [Peer, Peer];
    await openIn(writer, queue.name, { writer: true });
    await openIn(reader, queue.name);
    const here = failureOf(queue.get());
    const blocked = failureOf(reader.run(({ state }) => state['queue'].getSync() as number));
    await untilWaiting(queue, reader.pid);
    await untilWaiting(queue, process.pid);
    writer.kill();
    for (const failure of [await within(here), await within(blocked)]) {
      expect([failure.code, failure.pid]).toEqual(['ERR_ZOO_PEER_DIED', writer.pid]);
    }
  });

  it('does not matter while another writer goes on', async () => {
    const queue = store.create<string>();
    const [first, second] = (await startPeers(2)) as [Peer, Peer];
    await openIn(first, queue.name, { writer: true });
    await openIn(second, queue.name, { writer: true });
    const waiting = queue.get();
    first.kill();
    await first.ended;
    expect(await isPending(waiting)).toBe(true);
    await second.run(({ state }) => state['queue'].put('still here') as Promise<void>);
    expect(await within(waiting)).toBe('still here');
    await second.run(({ state }) => state['queue'].end() as undefined);
    expect((await failureOf(within(queue.get()))).code).toBe('ERR_ZOO_ENDED');
  });
});

describeEachStore('of several writers the last one decides', (store) => {
  it('it dies: PeerDied', async () => {
    const queue = store.create<number>();
    const [first, second] = (await startPeers(2)) as [Peer, Peer];
    await openIn(first, queue.name, { writer: true });
    await openIn(second, queue.name, { writer: true });
    await first.run(({ state }) => state['queue'].end() as undefined);
    const waiting = failureOf(queue.get());
    expect(await isPending(waiting)).toBe(true);
    second.kill();
    const failure = await within(waiting);
    expect([failure.code, failure.pid]).toEqual(['ERR_ZOO_PEER_DIED', second.pid]);
  });

  it('it ends: the end, although another died before', async () => {
    const queue = store.create<number>();
    const [first, second] = (await startPeers(2)) as [Peer, Peer];
    await openIn(first, queue.name, { writer: true });
    await openIn(second, queue.name, { writer: true });
    const waiting = failureOf(queue.get());
    first.kill();
    await first.ended;
    await second.run(({ state }) => state['queue'].end() as undefined);
    expect((await within(waiting)).code).toBe('ERR_ZOO_ENDED');
  });
});

describeEachStore('a producer that leaves', (store) => {
  it.each(endings)('%s', async (_how, proper, leave) => {
    const queue = store.create<number>();
    const peer = await startPeer();
    await openIn(peer, queue.name);
    await peer.run(({ state }) => state['queue'].put(1) as Promise<void>);
    await leave(peer);
    await within(peer.ended);
    expect(await within(queue.get())).toBe(1);
    const failure = await failureOf(within(queue.get()));
    expect(failure.code).toBe(proper ? 'ERR_ZOO_ENDED' : 'ERR_ZOO_PEER_DIED');
    if (!proper) expect(failure.pid).toBe(peer.pid);
  });

  it('leaves its messages to those who come when everybody has gone', async () => {
    const queue = store.create<number>({ persist: true });
    const peer = await startPeer();
    await openIn(peer, queue.name);
    queue.close();
    await peer.run(({ state }) => state['queue'].putMany([1, 2, 3]) as Promise<void>);
    peer.kill();
    await peer.ended;
    const later = ZooQueue.open<number>(queue.name);
    try {
      expect(later.length).toBe(3);
      expect(await later.getMany(3)).toEqual([1, 2, 3]);
    } finally {
      later.close();
    }
  });
});

/** Channels between processes, some of which are killed. */
import { Channel, PeerDied } from 'zoosync';
import { expect, it } from 'vitest';
import {
  failureOf,
  isPending,
  startPeer,
  startPeers,
  until,
  within,
  type Peer,
} from '../support/index.js';
import { disposed, shared } from './channels.js';

/** Opens the channel in a peer as `state.channel`. */
function openIn(peer: Peer, channel: Channel<never>, prefetch = 1): Promise<void> {
  return peer.run(
    async ({ zoosync, state }, name, ahead) => {
      state['channel'] = await zoosync.Channel.open(name, { prefetch: ahead });
    },
    channel.name,
    prefetch,
  );
}

it('carries every value once from several producers to several consumers', async () => {
  const channel = shared.create<[number, number]>(50);
  const [one, two, three, four] = await startPeers(4);
  const producers = [one!, two!];
  const consumers = [three!, four!];
  for (const peer of [...producers, ...consumers]) await openIn(peer, channel as Channel<never>, 4);
  const received = consumers.map((peer) =>
    peer.run(async ({ state }) => {
      const values: [number, number][] = [];
      for await (const value of state['channel']) values.push(value);
      return values;
    }),
  );
  const sending = producers.map((peer, producer) =>
    peer.run(async ({ state }, me) => {
      for (let i = 0; i < 500; i += 1) await state['channel'].send([me, i]);
      await state['channel'].close();
    }, producer),
  );
  await within(Promise.all(sending), 'the producers');
  await channel.close();
  const values = (await within(Promise.all(received), 'the consumers')).flat();
  expect(values).toHaveLength(1000);
  for (const producer of [0, 1]) {
    const numbers = values.filter(([from]) => from === producer).map(([, number]) => number);
    expect(new Set(numbers).size).toBe(500);
  }
  // Order of each producer, as one consumer sees it.
  for (const seen of await Promise.all(received)) {
    for (const producer of [0, 1]) {
      const numbers = seen.filter(([from]) => from === producer).map(([, number]) => number);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  }
});

it('tells the readers of all processes of the end at once', async () => {
  const channel = shared.create<number>(10);
  const peers = await startPeers(2);
  const endings = [];
  for (const peer of peers) {
    await openIn(peer, channel as Channel<never>);
    endings.push(
      peer.run(async ({ state }) => {
        const waits = [state['channel'].receive(), state['channel'].receive()];
        const outcomes = await Promise.allSettled(waits);
        return outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason.code as string);
      }),
    );
  }
  await until(() => channel.stats().readers === 2, 'both processes to wait');
  await channel.close();
  expect((await within(Promise.all(endings), 'the ends')).flat()).toEqual(
    Array.from({ length: 4 }, () => 'ERR_ZOO_ENDED'),
  );
});

it('carries a failure with the stack and the pid of the process it came from', async () => {
  const channel = shared.create<number>(10);
  const peer = await startPeer();
  await openIn(peer, channel as Channel<never>);
  await peer.run(async ({ state }) => {
    await state['channel'].send(1);
    function deepInside(): never {
      throw Object.assign(new SyntaxError('line 7'), { code: 'E_LINE' });
    }
    try {
      deepInside();
    } catch (error) {
      await state['channel'].close(error);
    }
  });
  expect(await within(channel.receive(), 'what came before')).toBe(1);
  const late = disposed(await Channel.open<number>(channel.name));
  await peer.leave();
  for (const reader of [channel, late]) {
    const error = await failureOf(within(reader.receive(), 'the failure'));
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error).toMatchObject({ message: 'line 7', code: 'E_LINE', pid: peer.pid });
    expect(error.stack).toContain('deepInside');
  }
});

it('goes on when one of its writers is killed, and ends properly with the others', async () => {
  const channel = shared.create<string>(10);
  const peer = await startPeer();
  await openIn(peer, channel as Channel<never>);
  await peer.run(({ state }) => state['channel'].send('last words'));
  peer.kill();
  await peer.ended;
  await channel.send('alive');
  await until(() => channel.stats().died === 1, 'the death to be noticed');
  await channel.close();
  expect(await within(channel.toArray(), 'the end')).toEqual(['last words', 'alive']);
});

it('says PeerDied to all who wait when its last writer is killed', async () => {
  const channel = shared.create<string>(10);
  const peer = await startPeer();
  await openIn(peer, channel as Channel<never>);
  await peer.run(({ state }) => state['channel'].send('last words'));
  await channel.close();
  expect(await channel.receive()).toBe('last words');
  const waits = [failureOf(channel.receive()), failureOf(channel.toArray())];
  expect(await isPending(waits[0]!)).toBe(true);
  peer.kill();
  for (const error of await within(Promise.all(waits), 'PeerDied')) {
    expect(error).toBeInstanceOf(PeerDied);
    expect(error).toMatchObject({ code: 'ERR_ZOO_PEER_DIED', pid: peer.pid });
    expect(error.message).toContain('channel');
  }
});

it('offers again what a killed reader had taken ahead or looked at', async () => {
  const channel = shared.create<number>(10);
  await channel.sendMany([1, 2, 3, 4, 5, 6]);
  const [ahead, looking] = await startPeers(2);
  await openIn(ahead!, channel as Channel<never>, 3);
  await openIn(looking!, channel as Channel<never>);
  expect(await ahead!.run(({ state }) => state['channel'].receive())).toBe(1);
  await looking!.run(async ({ state }) => {
    state['views'] = state['channel'].views()[Symbol.asyncIterator]();
    await state['views'].next();
  });
  expect(await channel.receive()).toBe(5);
  ahead!.kill();
  looking!.kill();
  const rest: number[] = [];
  while (rest.length < 4) rest.push(await within(channel.receive(), 'what comes back'));
  expect(rest.sort()).toEqual([2, 3, 4, 6]);
});

it('waits for the next reader when the only one is killed', async () => {
  const channel = shared.create<number>(2);
  const peer = await startPeer();
  await openIn(peer, channel as Channel<never>);
  await channel.send(0);
  await peer.run(({ state }) => state['channel'].receive());
  peer.kill();
  await channel.sendMany([1, 2]);
  const waiting = channel.send(3);
  expect(await isPending(waiting)).toBe(true);
  const next = await startPeer();
  await openIn(next, channel as Channel<never>);
  expect(await next.run(({ state }) => state['channel'].receive())).toBe(1);
  await within(waiting, 'a send for which a new reader made room');
});

it('frees a send that waits for room which a killed writer had filled', async () => {
  const channel = shared.create<Uint8Array>(1000, { bytes: '64KiB', codec: 'bytes' });
  const peer = await startPeer();
  await openIn(peer, channel as Channel<never>);
  const filling = peer.run(async ({ state, say }) => {
    while (state['channel'].trySend(new Uint8Array(2000)));
    say('full');
    await state['channel'].send(new Uint8Array(2000));
  });
  filling.catch(() => undefined);
  await peer.heard('full');
  const waiting = channel.send(Uint8Array.of(9));
  peer.kill();
  await peer.ended;
  let last = await channel.receive();
  await within(waiting, 'a send');
  await channel.close();
  for await (const value of channel) last = value;
  expect([...last]).toEqual([9]);
});

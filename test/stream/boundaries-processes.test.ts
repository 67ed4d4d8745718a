/** The boundary rows about several processes, and about the death of one: `kill -9`, for real. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Channel, PeerDied, ZooPipe } from 'zoosync';
import {
  afterThisTest,
  codeOf,
  failureOf,
  isPending,
  pathOf,
  runPrefix,
  runProgram,
  leftovers,
  startPeer,
  startPeers,
  uniqueName,
  until,
  within,
  type CaughtError,
  type Peer,
} from '../support/index.js';
import { disposeAfter } from './conformance-sources.js';

/** Opens the channel `name` in `peer` as `state.channel`. */
async function openChannel(peer: Peer, name: string, prefetch = 1): Promise<void> {
  await peer.run(
    async ({ zoosync, state }, segment, claimed) => {
      state['channel'] = await zoosync.Channel.open(segment, { prefetch: claimed });
    },
    name,
    prefetch,
  );
}

/** Opens the free end of the pipe `name` in `peer` as `state.pipe`. */
async function openPipe(peer: Peer, name: string): Promise<void> {
  await peer.run(async ({ zoosync, state }, segment) => {
    state['pipe'] = await zoosync.ZooPipe.open(segment);
  }, name);
}

async function kill(peer: Peer): Promise<void> {
  peer.kill();
  await within(peer.ended, 'the death of a peer');
}

function createChannel<T>(capacity = 64): Channel<T> {
  return disposeAfter(Channel.create<T>(uniqueName('channel'), { bytes: '256KiB', capacity }));
}

/** A channel made by `peer`, which is then its only writer, and a reader of it here. */
async function channelOf<T>(peer: Peer, prefetch = 1): Promise<Channel<T>> {
  const name = uniqueName('channel');
  await peer.run(({ zoosync, state }, segment) => {
    state['channel'] = zoosync.Channel.create(segment, { bytes: '64KiB', capacity: 64 });
  }, name);
  // Who is killed unlinks nothing.
  afterThisTest(() => Channel.unlink(name));
  return disposeAfter(await Channel.open<T>(name, { prefetch }));
}

/** A pipe whose writer is `peer`, and its reader here. */
async function pipeOf(peer: Peer): Promise<ZooPipe> {
  const name = uniqueName('pipe');
  await peer.run(({ zoosync, state }, segment) => {
    state['pipe'] = zoosync.ZooPipe.create(segment, { memoryLimit: '64KiB', chunkSize: '4KiB' });
  }, name);
  afterThisTest(() => ZooPipe.unlink(name));
  return disposeAfter(await ZooPipe.open(name));
}

describe('last writer closed', () => {
  it('all waiting readers wake, in all processes', async () => {
    const channel = createChannel<number>();
    const readers = await startPeers(2);
    const endings: Promise<unknown>[] = [];
    for (const reader of readers) {
      await openChannel(reader, channel.name);
      endings.push(
        reader.run(async ({ state, say }) => {
          const code = (error: CaughtError): unknown => error.code;
          const waiting = [
            state['channel'].receive().then(() => 'a message', code),
            state['channel'].receive().then(() => 'a message', code),
            state['channel'].toArray(),
          ];
          say('waiting');
          return Promise.all(waiting);
        }),
      );
      await reader.heard('waiting');
    }
    await channel.close();
    for (const ending of endings) {
      expect(await within(ending, 'the readers to wake')).toEqual([
        'ERR_ZOO_ENDED',
        'ERR_ZOO_ENDED',
        [],
      ]);
    }
  });

  it('the writers may be processes that just end', async () => {
    const channel = createChannel<string>();
    const peers = await startPeers(2);
    for (const [index, peer] of peers.entries()) {
      await openChannel(peer, channel.name);
      await peer.run(({ state }, value) => state['channel'].send(value), `of ${index}`);
      await peer.leave();
    }
    await channel.close();
    const taken = await within(channel.toArray(), 'the end');
    expect(taken).toEqual(['of 0', 'of 1']);
  });
});

describe('close(error)', () => {
  it('of a remote writer arrives with its stack and its pid', async () => {
    const peer = await startPeer();
    const channel = await channelOf<number>(peer);
    const pid = await peer.run(async ({ state }) => {
      await state['channel'].send(1);
      function lensCap(): Error {
        return Object.assign(new RangeError('lens cap on', { cause: 'fog' }), { code: 'E_LENS' });
      }
      await state['channel'].close(lensCap());
      return process.pid;
    });
    expect(await within(channel.receive())).toBe(1);
    const failure = await failureOf(within(channel.receive(), 'the error'));
    expect(failure).toBeInstanceOf(RangeError);
    expect(failure).toMatchObject({ message: 'lens cap on', code: 'E_LENS', cause: 'fog', pid });
    expect(failure.stack).toContain('lensCap');
    // Still there once the process that failed has gone.
    await peer.run(({ state }) => {
      state['late'] = true;
    });
    const late = disposeAfter(await Channel.open<number>(channel.name));
    expect(await failureOf(within(late.receive()))).toMatchObject({ message: 'lens cap on', pid });
    await peer.leave();
    expect(await failureOf(within(late.receive()))).toMatchObject({ message: 'lens cap on', pid });
  });

  it('of a remote pipe arrives with its pid', async () => {
    const peer = await startPeer();
    const pipe = await pipeOf(peer);
    await peer.run(async ({ state }) => {
      await state['pipe'].write(Uint8Array.of(1, 2, 3));
      state['pipe'].fail(new RangeError('the disk is gone'));
    });
    expect([...(await within(pipe.read(3)))!]).toEqual([1, 2, 3]);
    expect(await failureOf(within(pipe.read(3)))).toMatchObject({
      name: 'RangeError',
      message: 'the disk is gone',
      pid: peer.pid,
    });
  });
});

describe('writer process dies, others alive', () => {
  it('the others go on, stats().died counts, and the end is a normal one', async () => {
    const channel = createChannel<string>();
    const peer = await startPeer();
    await openChannel(peer, channel.name);
    await peer.run(({ state }) => state['channel'].send('of the dead'));
    await kill(peer);
    await channel.send('of the living');
    expect([await within(channel.receive()), await within(channel.receive())]).toEqual([
      'of the dead',
      'of the living',
    ]);
    const next = channel.receive();
    await until(() => channel.stats().died === 1, 'the death to be counted');
    await channel.send('something');
    expect(await within(next)).toBe('something');
    await channel.send('and on');
    await channel.close();
    expect(await within(channel.toArray(), 'a normal end')).toEqual(['and on']);
  });

  it('no message of it arrives in part, and who waits for room goes on', async () => {
    const channel = createChannel<Uint8Array>(16);
    const taken = channel.map((bytes) => [bytes.length, new Set(bytes).size].join()).toArray();
    for (let round = 0; round < 4; round += 1) {
      const peer = await startPeer();
      await openChannel(peer, channel.name);
      void peer
        .run(async ({ state, say }) => {
          for (let value = 0; ; value += 1) {
            await state['channel'].send(new Uint8Array(9_000).fill(value));
            if (value === 20) say('sending');
          }
        })
        .catch(() => undefined);
      await peer.heard('sending');
      await kill(peer);
    }
    await within(channel.send(new Uint8Array(9_000).fill(1)), 'room after the deaths');
    await channel.close();
    const shapes = await within(taken, 'everything');
    expect(shapes.length).toBeGreaterThan(4 * 20);
    expect(new Set(shapes)).toEqual(new Set(['9000,1']));
  });
});

describe('last writer dies without close', () => {
  it('channel: drained, then PeerDied with the pid, never a normal end', async () => {
    const peer = await startPeer();
    const channel = await channelOf<number>(peer);
    await peer.run(async ({ state }) => {
      for (const value of [1, 2, 3]) await state['channel'].send(value);
    });
    const taken: number[] = [];
    const loop = (async () => {
      for await (const value of channel) taken.push(value);
    })();
    const failing = failureOf(loop);
    await until(() => taken.length === 3, 'what was sent');
    await kill(peer);
    const failure = await within(failing, 'the death to be noticed');
    expect(failure).toBeInstanceOf(PeerDied);
    expect(failure).toMatchObject({ code: 'ERR_ZOO_PEER_DIED', pid: peer.pid });
    expect(await codeOf(within(channel.receive()))).toBe('ERR_ZOO_PEER_DIED');
  });

  it('channel: what it had sent is still delivered after its death', async () => {
    const peer = await startPeer();
    const channel = await channelOf<number>(peer, 8);
    await peer.run(async ({ state }) => {
      for (let value = 0; value < 20; value += 1) await state['channel'].send(value);
    });
    await kill(peer);
    const taken: number[] = [];
    const failure = await failureOf(
      within(channel.map((value) => taken.push(value)).toArray(), 'PeerDied'),
    );
    expect(failure).toMatchObject({ code: 'ERR_ZOO_PEER_DIED', pid: peer.pid });
    expect(taken).toEqual(Array.from({ length: 20 }, (_, value) => value));
  });

  it.each([
    ['by exit code 1', () => process.exit(1)],
    [
      'by an error that nobody catches',
      () =>
        void setImmediate(() => {
          throw new Error('oh');
        }),
    ],
    ['by SIGTERM', () => void process.kill(process.pid, 'SIGTERM')],
  ] as [string, () => void][])('channel: %s counts as death', async (_how, die) => {
    const peer = await startPeer();
    const channel = await channelOf<number>(peer);
    await peer.run(({ state }) => state['channel'].send(1));
    void peer.run(die).catch(() => undefined);
    await within(peer.ended, 'the end of the peer');
    expect(await within(channel.receive())).toBe(1);
    expect(await failureOf(within(channel.receive()))).toMatchObject({
      code: 'ERR_ZOO_PEER_DIED',
      pid: peer.pid,
    });
  });

  it('who opens a channel or a pipe only after the death gets the same', async () => {
    const peer = await startPeer();
    const names = { channel: uniqueName('channel'), pipe: uniqueName('pipe') };
    afterThisTest(() => [Channel.unlink(names.channel), ZooPipe.unlink(names.pipe)]);
    await peer.run(async ({ zoosync, state }, { channel, pipe }) => {
      state['channel'] = zoosync.Channel.create(channel, { bytes: '16KiB' });
      await state['channel'].send('before');
      state['pipe'] = zoosync.ZooPipe.create(pipe, { memoryLimit: '16KiB' });
      await state['pipe'].write(Uint8Array.of(1, 2));
    }, names);
    await kill(peer);
    const died = { code: 'ERR_ZOO_PEER_DIED', pid: peer.pid };
    const channel = disposeAfter(await Channel.open<string>(names.channel));
    expect(await within(channel.receive())).toBe('before');
    expect(await failureOf(within(channel.receive()))).toMatchObject(died);
    const pipe = disposeAfter(await ZooPipe.open(names.pipe));
    expect([...(await within(pipe.read(2)))!]).toEqual([1, 2]);
    expect(await failureOf(within(pipe.read(2)))).toMatchObject(died);
  });

  it('pipe: read rejects with PeerDied, and a short read is never given', async () => {
    const peer = await startPeer();
    const pipe = await pipeOf(peer);
    await peer.run(({ state }) => state['pipe'].write(Uint8Array.of(1, 2, 3, 4, 5)));
    expect([...(await within(pipe.read(2)))!]).toEqual([1, 2]);
    const waiting = failureOf(pipe.read(100));
    await kill(peer);
    expect(await within(waiting, 'the death to be noticed')).toMatchObject({
      name: 'PeerDied',
      code: 'ERR_ZOO_PEER_DIED',
      pid: peer.pid,
    });
  });

  it('pipe: a transfer that was cut off fails at the far end of a pipeline', async () => {
    const peer = await startPeer();
    const pipe = await pipeOf(peer);
    const target = createChannel<Uint8Array>();
    const run = pipe.chunks(1000).to(target);
    const failing = failureOf(Promise.resolve(run));
    await peer.run(({ state }) => state['pipe'].write(new Uint8Array(2500)));
    await until(() => target.stats().depth === 2, 'two whole chunks');
    await kill(peer);
    expect(await within(failing)).toMatchObject({ code: 'ERR_ZOO_PEER_DIED', pid: peer.pid });
    expect((await target.receive()).length).toBe(1000);
    expect((await target.receive()).length).toBe(1000);
    expect(await failureOf(within(target.receive()))).toMatchObject({
      code: 'ERR_ZOO_PEER_DIED',
      pid: peer.pid,
    });
  });

  it('pipe: a writer process that just ends gives a normal end', async () => {
    const peer = await startPeer();
    const pipe = await pipeOf(peer);
    await peer.run(({ state }) => state['pipe'].write(Uint8Array.of(1, 2, 3)));
    expect(await peer.leave()).toEqual({ code: 0, signal: null });
    expect([...(await within(pipe.read(10)))!]).toEqual([1, 2, 3]);
    expect(await within(pipe.read(10))).toBeNull();
  });

  it('pipe: a writer that closed before it died gives a normal end', async () => {
    const peer = await startPeer();
    const pipe = await pipeOf(peer);
    await peer.run(async ({ state }) => {
      await state['pipe'].write(Uint8Array.of(1, 2, 3));
      await state['pipe'].end();
    });
    await kill(peer);
    expect([...(await within(pipe.read(10)))!]).toEqual([1, 2, 3]);
    expect(await within(pipe.read(10))).toBeNull();
  });
});

describe('reader process dies holding a message', () => {
  it('a view that is not committed is offered again with a delivery count', async () => {
    const channel = createChannel<string>();
    await channel.send('precious');
    await channel.send('the next');
    const peer = await startPeer();
    await openChannel(peer, channel.name);
    const first = await peer.run(async ({ state }) => {
      const views = state['channel'].views()[Symbol.asyncIterator]();
      return (await views.next()).value.deliveries as number;
    });
    expect(first).toBe(1);
    // Other readers are not held up by it.
    expect(await within(channel.receive(), 'the next message')).toBe('the next');
    await kill(peer);
    for await (const { deliveries } of channel.views()) {
      expect(deliveries).toBe(2);
      break;
    }
    expect(await within(channel.receive(), 'the message that was given back')).toBe('precious');
    expect(channel.tryReceive()).toBeUndefined();
  });

  it('what it had claimed and not handed over is offered again, what it handed over is not', async () => {
    const channel = createChannel<number>();
    for (let value = 0; value < 6; value += 1) await channel.send(value);
    const peer = await startPeer();
    await openChannel(peer, channel.name, 4);
    const handedOver = await peer.run(({ state }) => state['channel'].receive());
    expect(handedOver).toBe(0);
    await kill(peer);
    const rest: number[] = [];
    while (rest.length < 5) rest.push(await within(channel.receive(), 'the rest'));
    expect(rest.sort()).toEqual([1, 2, 3, 4, 5]);
    expect(channel.tryReceive()).toBeUndefined();
  });

  it('a loop that dies in its body has taken its item along, and only that', async () => {
    const channel = createChannel<number>();
    for (let value = 0; value < 4; value += 1) await channel.send(value);
    const peer = await startPeer();
    await openChannel(peer, channel.name);
    const looping = peer.run(async ({ state, say }) => {
      for await (const value of state['channel']) {
        say(`in the body of ${value}`);
        await new Promise(() => undefined);
      }
    });
    looping.catch(() => undefined);
    await peer.heard('in the body of 0');
    await kill(peer);
    const rest: number[] = [];
    while (rest.length < 3) rest.push(await within(channel.receive(), 'the rest'));
    expect(rest).toEqual([1, 2, 3]);
    expect(channel.tryReceive()).toBeUndefined();
  });
});

describe('all readers closed or dead', () => {
  it('pipe: the reader closes: waiting and later writes reject with ChannelClosed', async () => {
    const writer = disposeAfter(
      ZooPipe.create(uniqueName('pipe'), { memoryLimit: '16KiB', chunkSize: '4KiB' }),
    );
    const peer = await startPeer();
    await openPipe(peer, writer.name);
    const waiting = failureOf(writer.write(new Uint8Array(100_000)));
    expect(await isPending(waiting)).toBe(true);
    await peer.run(({ state }) => state['pipe'][Symbol.asyncDispose]());
    expect(await within(waiting, 'the writer to learn it')).toMatchObject({
      name: 'ChannelClosed',
      code: 'ERR_ZOO_ENDED',
    });
    expect(await codeOf(within(writer.write(Uint8Array.of(1))))).toBe('ERR_ZOO_ENDED');
    expect(writer.desiredSize).toBeNull();
  });

  it('pipe: the reader breaks its loop: the writer learns it', async () => {
    const writer = disposeAfter(
      ZooPipe.create(uniqueName('pipe'), { memoryLimit: '16KiB', chunkSize: '4KiB' }),
    );
    const peer = await startPeer();
    await openPipe(peer, writer.name);
    const looping = peer.run(async ({ state }) => {
      for await (const chunk of state['pipe']) return chunk.length as number;
      return 0;
    });
    const failing = failureOf(
      (async () => {
        for (;;) await writer.write(new Uint8Array(1000));
      })(),
    );
    expect(await within(looping)).toBeGreaterThan(0);
    expect((await within(failing, 'the writer to learn it')).code).toBe('ERR_ZOO_ENDED');
  });

  it('pipe: the reader dies: waiting and later writes reject with PeerDied', async () => {
    const writer = disposeAfter(
      ZooPipe.create(uniqueName('pipe'), { memoryLimit: '16KiB', chunkSize: '4KiB' }),
    );
    const peer = await startPeer();
    await openPipe(peer, writer.name);
    const waiting = failureOf(writer.write(new Uint8Array(100_000)));
    expect(await isPending(waiting)).toBe(true);
    await kill(peer);
    const expected = { name: 'PeerDied', code: 'ERR_ZOO_PEER_DIED', pid: peer.pid };
    expect(await within(waiting, 'the writer to learn it')).toMatchObject(expected);
    expect(await failureOf(within(writer.write(Uint8Array.of(1))))).toMatchObject(expected);
  });

  it('channel: send waits for the next reader', async () => {
    const channel = createChannel<number>(2);
    const peer = await startPeer();
    await openChannel(peer, channel.name);
    await channel.send(0);
    expect(await peer.run(({ state }) => state['channel'].receive())).toBe(0);
    await kill(peer);
    await channel.send(1);
    await channel.send(2);
    const waiting = channel.send(3);
    expect(await isPending(waiting)).toBe(true);
    const next = await startPeer();
    await openChannel(next, channel.name);
    expect(await within(next.run(({ state }) => state['channel'].receive()))).toBe(1);
    await within(waiting, 'room');
  });

  it('unread data is discarded at unlink', async () => {
    const name = uniqueName('channel');
    const first = Channel.create<number>(name, { bytes: '16KiB' });
    await first.send(1);
    await first[Symbol.asyncDispose]();
    expect(existsSync(pathOf(name))).toBe(false);
    const second = disposeAfter(Channel.create<number>(name, { bytes: '16KiB' }));
    expect(second.tryReceive()).toBeUndefined();
  });
});

describe('unlink while mapped', () => {
  it('the mapping stays valid, and a new open fails', async () => {
    const channel = createChannel<number>();
    const peer = await startPeer();
    await openChannel(peer, channel.name);
    await channel.send(1);
    await channel[Symbol.asyncDispose]();
    expect(leftovers()).toEqual([]);
    expect(await peer.run(({ state }) => state['channel'].receive())).toBe(1);
    expect(
      await within(
        peer.run(({ state }) => state['channel'].toArray()),
        'a normal end',
      ),
    ).toEqual([]);
    expect(await codeOf(Channel.open(channel.name, { timeout: 10 }))).toMatch(
      /^ERR_ZOO_(TIMEOUT|NOT_FOUND)$/,
    );
  });

  it('a full /dev/shm is found at create', async () => {
    const name = uniqueName('huge');
    const failure = await failureOf(() => Channel.create(name, { bytes: '64GiB' }));
    expect(failure.code).toMatch(/^ERR_(ZOO_NO_SPACE|OUT_OF_RANGE)$/);
    const piped = await failureOf(() => ZooPipe.create(name, { memoryLimit: '64GiB' }));
    expect(piped.code).toMatch(/^ERR_(ZOO_NO_SPACE|OUT_OF_RANGE)$/);
    expect(leftovers()).toEqual([]);
  });
});

describe('a process of a pipeline', () => {
  it('lives until its run has ended, and then ends by itself', async () => {
    const input = createChannel<number>(4);
    const output = createChannel<number>(4);
    const worker = runProgram(
      `const { Channel } = zoosync;
      const input = await Channel.open(args[0]);
      const output = await Channel.open(args[1]);
      console.log(await input.stage(async (value) => value * 2, { workers: 2 }).to(output));`,
      { args: [input.name, output.name] },
    );
    const results: number[] = [];
    const reading = (async () => {
      while (results.length < 50) results.push(await output.receive());
    })();
    for (let value = 0; value < 50; value += 1) await input.send(value);
    await input.close();
    await within(reading, 'the results');
    expect(results).toEqual(Array.from({ length: 50 }, (_, value) => value * 2));
    expect(await worker).toMatchObject({ code: 0, stdout: '50\n', stderr: '' });
    await output.close();
    expect(await within(output.toArray(), 'the end')).toEqual([]);
  });
});

describe('process exits without dispose', () => {
  const makeBoth = `
    zoosync.Channel.create(args[0] + 'c', { bytes: '16KiB' });
    zoosync.ZooPipe.create(args[0] + 'p', { memoryLimit: '16KiB' });`;

  it.each([
    ['with nothing left to do', '', 0],
    ['by process.exit()', 'process.exit(0);', 0],
    ['by SIGTERM', `process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000);`, null],
  ])('%s: what it made is unlinked', async (_how, leave, code) => {
    const ending = await runProgram(`${makeBoth}${leave}`, { args: [`${runPrefix}exit`] });
    expect(ending).toMatchObject({ code, stderr: '' });
    expect(leftovers()).toEqual([]);
  });

  it('killed: a later create finds the owner dead and replaces it', async () => {
    const peer = await startPeer();
    const name = uniqueName('channel');
    const pipeName = uniqueName('pipe');
    await peer.run(
      async ({ zoosync, state }, channel, pipe) => {
        state['channel'] = zoosync.Channel.create(channel, { bytes: '16KiB' });
        await state['channel'].send('old');
        state['pipe'] = zoosync.ZooPipe.create(pipe, { memoryLimit: '16KiB' });
      },
      name,
      pipeName,
    );
    expect(await codeOf(() => Channel.create(name, { bytes: '16KiB' }))).toBe('ERR_ZOO_EXISTS');
    expect(await codeOf(() => ZooPipe.create(pipeName))).toBe('ERR_ZOO_EXISTS');
    await kill(peer);
    const channel = disposeAfter(Channel.create<string>(name, { bytes: '16KiB' }));
    expect(channel.tryReceive()).toBeUndefined();
    await channel.send('new');
    expect(await channel.receive()).toBe('new');
    const pipe = disposeAfter(ZooPipe.create(pipeName, { memoryLimit: '16KiB' }));
    expect(pipe.writeSync(Uint8Array.of(1))).toBe(true);
  });

  it('open waits for a creator that comes later', async () => {
    const name = uniqueName('channel');
    const pipeName = uniqueName('pipe');
    afterThisTest(() => [Channel.unlink(name), ZooPipe.unlink(pipeName)]);
    const opening = Channel.open<number>(name);
    const openingPipe = ZooPipe.open(pipeName);
    expect(await isPending(opening)).toBe(true);
    const peer = await startPeer();
    await peer.run(
      async ({ zoosync, state }, channel, pipe) => {
        state['channel'] = zoosync.Channel.create(channel, { bytes: '16KiB' });
        await state['channel'].send(1);
        state['pipe'] = zoosync.ZooPipe.create(pipe, { memoryLimit: '16KiB' });
        await state['pipe'].write(Uint8Array.of(7));
      },
      name,
      pipeName,
    );
    expect(await disposeAfter(await within(opening, 'the channel')).receive()).toBe(1);
    const pipe = disposeAfter(await within(openingPipe, 'the pipe'));
    expect([...(await pipe.read(1))!]).toEqual([7]);
    expect(await codeOf(Channel.open(uniqueName('never'), { timeout: 10 }))).toMatch(
      /^ERR_ZOO_(TIMEOUT|NOT_FOUND)$/,
    );
    expect(
      await failureOf(Channel.open(uniqueName('never'), { signal: AbortSignal.abort('no') })),
    ).toMatchObject({ name: 'AbortError', cause: 'no' });
  });
});

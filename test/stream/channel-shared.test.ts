import { existsSync } from 'node:fs';
import { Channel, ZooQueue } from 'zoosync';
import { expect, it } from 'vitest';
import { failureOf, pathOf, thrownBy, track, uniqueName, within } from '../support/index.js';
import { disposed, local, shared } from './channels.js';

async function opened<T>(channel: Channel<T>): Promise<Channel<T>> {
  return disposed(await Channel.open<T>(channel.name, { timeout: 10_000 }));
}

it('waits for the creator, and says so when nobody makes the channel', async () => {
  const name = uniqueName('late');
  const opening = Channel.open<number>(name);
  const creator = disposed(Channel.create<number>(name));
  const other = disposed(await within(opening, 'a channel that was just made'));
  await other.send(1);
  expect(await creator.receive()).toBe(1);
  const error = await failureOf(Channel.open(uniqueName('never'), { timeout: 20 }));
  expect(error).toMatchObject({ code: 'ERR_ZOO_TIMEOUT' });
  expect(error.message).toContain('channel');
  const signal = AbortSignal.abort('no');
  expect(await failureOf(Channel.open(name, { signal }))).toMatchObject({ code: 'ABORT_ERR' });
});

it('removes the name when its creator disposes of it, and others go on', async () => {
  const channel = shared.create<number>(10);
  const other = await opened(channel);
  await channel.send(1);
  await channel[Symbol.asyncDispose]();
  expect(existsSync(pathOf(channel.name))).toBe(false);
  expect(await other.toArray()).toEqual([1]);
});

it('ends when its creator and everybody who has sent have closed', async () => {
  const channel = shared.create<number>(10);
  const [sender, reader] = [await opened(channel), await opened(channel)];
  await sender.send(1);
  await channel.close();
  await channel.close();
  const all = reader.toArray();
  await sender.send(2);
  expect(reader.stats().writers).toBe(1);
  await sender.close();
  expect(await within(all, 'the end')).toEqual([1, 2]);
  expect(await failureOf(channel.receive())).toMatchObject({ code: 'ERR_ZOO_ENDED' });
  const late = await opened(channel);
  expect(await failureOf(late.send(3))).toMatchObject({ code: 'ERR_ZOO_ENDED' });
  expect(await failureOf(late.receive())).toMatchObject({ code: 'ERR_ZOO_ENDED' });
});

it('ends for all of its writers when one closes it with an error', async () => {
  const channel = shared.create<number>(1);
  const [failing, other] = [await opened(channel), await opened(channel)];
  await channel.send(1);
  const waiting = failureOf(other.send(2));
  await failing.close(new TypeError('cannot go on'));
  const refused = await within(waiting, 'a send into a failed channel');
  expect(refused).toMatchObject({
    name: 'ChannelClosed',
    code: 'ERR_ZOO_ENDED',
    cause: { message: 'cannot go on' },
  });
  await other.close(new Error('a later failure changes nothing'));
  const late = await opened(channel);
  expect(await late.receive()).toBe(1);
  for (const reader of [late, channel]) {
    const error = await failureOf(reader.receive());
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ message: 'cannot go on', pid: process.pid });
  }
  expect(late.tryReceive()).toBeUndefined();
});

it('fails with values that are no errors, and with errors of any size', async () => {
  const one = shared.create<number>(1);
  await one.close('just a text');
  await expect(one.receive()).rejects.toBe('just a text');
  const two = shared.create<number>(1);
  const huge = Object.assign(new RangeError('x'.repeat(100_000)), { code: 'E_HUGE' });
  await two.close(huge);
  const error = await failureOf(two.receive());
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({ name: 'RangeError', code: 'E_HUGE', pid: process.pid });
  expect(error.message.startsWith('xxx')).toBe(true);
});

it('agrees on the codec of its creator', async () => {
  const channel = shared.create<unknown>(10, { codec: 'json' });
  const other = await opened(channel);
  await other.send({ a: [1, 2] });
  expect(await channel.receive()).toEqual({ a: [1, 2] });
  const error = await failureOf(Channel.open(channel.name, { codec: 'v8' }));
  expect(error).toMatchObject({ code: 'ERR_ZOO_INCOMPATIBLE' });
  expect(error.message).toContain("'json'");
  const own = {
    name: 'reversed',
    encode: (value: unknown) => Buffer.from(String(value)).reverse(),
    decode: (bytes: Uint8Array) => Buffer.from(bytes).reverse().toString(),
  };
  const custom = shared.create<string>(10, { codec: own });
  expect(await failureOf(Channel.open(custom.name))).toMatchObject({
    code: 'ERR_ZOO_INCOMPATIBLE',
  });
  const knowing = disposed(await Channel.open<string>(custom.name, { codec: own }));
  await custom.send('abc');
  expect(await knowing.receive()).toBe('abc');
});

it('refuses what cannot be sent or can never fit', async () => {
  const channel = disposed(Channel.create<unknown>(uniqueName('small'), { bytes: 4096 }));
  expect(await failureOf(channel.send({ a: { f: () => 1 } }))).toMatchObject({
    code: 'ERR_ZOO_UNSENDABLE',
    path: 'value.a.f',
  });
  const error = await failureOf(channel.send('x'.repeat(5000)));
  expect(error).toMatchObject({ code: 'ERR_ZOO_TOO_LARGE', limit: 4096 - 64 });
  expect(error.message).toContain('channel');
  await channel.send('fits');
  expect(await channel.receive()).toBe('fits');
});

it('hands out what it can decode, and says what it cannot', async () => {
  const picky = {
    name: 'picky',
    encode: (value: unknown) => Buffer.from([Number(value)]),
    decode: (bytes: Uint8Array) => {
      if (bytes[0] === 2) throw new Error('not two');
      return bytes[0];
    },
  };
  const channel = shared.create<number>(10, { codec: picky, prefetch: 8 });
  await channel.sendMany([1, 2, 3]);
  const batches = channel.map((value) => value);
  const loop = batches[Symbol.asyncIterator]();
  expect(await loop.next()).toEqual({ done: false, value: 1 });
  expect(await failureOf(loop.next())).toMatchObject({ code: 'ERR_ZOO_DECODE' });
  expect(await channel.receive()).toBe(3);
});

it('holds what it has taken ahead for others until it is handed over', async () => {
  const channel = disposed(
    Channel.create<number>(uniqueName('ahead'), { bytes: '64KiB', prefetch: 3 }),
  );
  await channel.sendMany([1, 2, 3, 4]);
  const other = await opened(channel);
  const taker = disposed(await Channel.open<number>(channel.name, { prefetch: 3 }));
  expect(await taker.receive()).toBe(1);
  expect(await other.receive()).toBe(4);
  await taker[Symbol.asyncDispose]();
  expect([await other.receive(), await other.receive()]).toEqual([2, 3]);
});

it('is a kind of its own', async () => {
  const channel = shared.create<number>(1);
  expect(thrownBy(() => ZooQueue.open(channel.name)).code).toBe('ERR_ZOO_KIND');
  expect(thrownBy(() => ZooQueue.unlink(channel.name)).code).toBe('ERR_ZOO_KIND');
  const queue = track(ZooQueue.create(uniqueName('queue')));
  expect(await failureOf(Channel.open(queue.name))).toMatchObject({ code: 'ERR_ZOO_KIND' });
  expect(thrownBy(() => Channel.create(channel.name)).code).toBe('ERR_ZOO_EXISTS');
  expect(Channel.unlink(uniqueName('nothing'))).toBe(false);
  expect(Channel.unlink(channel.name)).toBe(true);
});

it('refuses options that make no sense', () => {
  const name = uniqueName('options');
  for (const bad of [0, -1, 1.5, Number.NaN, Infinity]) {
    expect(thrownBy(() => Channel.local(bad))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => Channel.create(name, { capacity: bad }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => Channel.create(name, { prefetch: bad }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => Channel.create(name, { bytes: bad })).code).toBe('ERR_OUT_OF_RANGE');
  }
  const unknown = { size: 1 } as unknown as object;
  expect(thrownBy(() => Channel.create(name, unknown)).code).toBe('ERR_INVALID_ARG_VALUE');
  expect(thrownBy(() => Channel.local(1, { whenFull: 'grow' as 'wait' })).code).toBe(
    'ERR_INVALID_ARG_VALUE',
  );
  expect(existsSync(pathOf(name))).toBe(false);
});

it('drops the newest when a channel of this process is asked to', async () => {
  const channel = disposed(Channel.local<number>(2, { whenFull: 'drop-newest' }));
  for (const value of [1, 2, 3]) await channel.send(value);
  expect(channel.trySend(4)).toBe(false);
  expect(channel.stats()).toMatchObject({ depth: 2, dropped: 1 });
  await channel.close();
  expect(await channel.toArray()).toEqual([1, 2]);
});

it('passes values of this process on as they are', async () => {
  const channel = local.create<() => number>(1);
  const value = (): number => 7;
  await channel.send(value);
  expect(await channel.receive()).toBe(value);
});

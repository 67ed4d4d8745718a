import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { finished, pipeline } from 'node:stream/promises';
import { ChannelClosed, Stream, ZooError, type Channel } from 'zoosync';
import { expect, it } from 'vitest';
import { failureOf, isPending, thrownBy, within } from '../support/index.js';
import { describeEachChannel } from './channels.js';

/** Sends the whole numbers from 1 to `last`. */
async function sendUpTo(channel: Channel<number>, last: number): Promise<void> {
  for (let i = 1; i <= last; i += 1) await channel.send(i);
}

describeEachChannel('a channel', (channels) => {
  it('delivers in order, each value once', async () => {
    const channel = channels.create<number>(100);
    await sendUpTo(channel, 50);
    expect(await channel.receive()).toBe(1);
    expect(channel.tryReceive()).toBe(2);
    await channel.close();
    expect(await channel.toArray()).toEqual(Array.from({ length: 48 }, (_, i) => i + 3));
  });

  it('waits in send while it is full: the capacity counts messages', async () => {
    const channel = channels.create<number>(2);
    await sendUpTo(channel, 2);
    expect(channel.trySend(3)).toBe(false);
    const waiting = channel.send(3);
    expect(await isPending(waiting)).toBe(true);
    expect(await channel.receive()).toBe(1);
    await within(waiting, 'a send for which there is room now');
    expect(channel.trySend(4)).toBe(false);
    expect([channel.tryReceive(), channel.tryReceive(), channel.tryReceive()]).toEqual([
      2,
      3,
      undefined,
    ]);
    expect(channel.trySend(5)).toBe(true);
  });

  it('counts the messages of a batch as well', async () => {
    const channel = channels.create<number>(3);
    const sending = channel.sendMany([1, 2, 3, 4, 5, 6, 7]);
    const taken: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      expect(channel.stats().depth).toBeLessThanOrEqual(3);
      taken.push(await within(channel.receive(), 'the next of a batch'));
    }
    await within(sending, 'the end of a batch');
    expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('says how many of a batch were sent when it is given up', async () => {
    const channel = channels.create<number>(3);
    const error = await failureOf(channel.sendMany([1, 2, 3, 4, 5], { timeout: 20 }));
    expect(error).toMatchObject({ code: 'ERR_ZOO_TIMEOUT', sent: 3 });
    expect(channel.stats().depth).toBe(3);
  });

  it('lets receivers wait, first come, first served', async () => {
    const channel = channels.create<string>(10);
    const first = channel.receive();
    const second = channel.receive();
    expect(await isPending(first)).toBe(true);
    await channel.send('a');
    await channel.send('b');
    expect(await within(Promise.all([first, second]), 'two receives')).toEqual(['a', 'b']);
  });

  it('gives up a receive by timeout and signal, and has taken nothing', async () => {
    const channel = channels.create<string>(10);
    expect(await failureOf(channel.receive({ timeout: 5 }))).toMatchObject({
      code: 'ERR_ZOO_TIMEOUT',
    });
    const controller = new AbortController();
    const waiting = failureOf(channel.receive({ signal: controller.signal }));
    controller.abort('enough');
    expect(await waiting).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    await channel.send('kept');
    expect(await channel.receive()).toBe('kept');
  });

  it('gives up a send, and nothing was sent', async () => {
    const channel = channels.create<number>(1);
    await channel.send(1);
    expect(await failureOf(channel.send(2, { timeout: 5 }))).toMatchObject({
      code: 'ERR_ZOO_TIMEOUT',
    });
    const controller = new AbortController();
    const waiting = failureOf(channel.send(3, { signal: controller.signal }));
    controller.abort();
    expect(await waiting).toMatchObject({ code: 'ABORT_ERR' });
    expect(await channel.receive()).toBe(1);
    expect(channel.tryReceive()).toBeUndefined();
    expect(channel.stats()).toMatchObject({ depth: 0, sent: 1, received: 1 });
  });

  it('ends after what was sent: loops finish, receive says ChannelClosed', async () => {
    const channel = channels.create<number>(10);
    await sendUpTo(channel, 2);
    expect(channel.closed).toBe(false);
    await channel.close();
    await channel.close();
    expect(channel.closed).toBe(true);
    const seen: number[] = [];
    for await (const value of channel) seen.push(value);
    expect(seen).toEqual([1, 2]);
    const error = await failureOf(channel.receive());
    expect(error).toBeInstanceOf(ChannelClosed);
    expect(error).toBeInstanceOf(ZooError);
    expect(error).toMatchObject({ name: 'ChannelClosed', code: 'ERR_ZOO_ENDED' });
    expect(channel.tryReceive()).toBeUndefined();
  });

  it('refuses to send after the end', async () => {
    const channel = channels.create<number>(10);
    await channel.close();
    expect(await failureOf(channel.send(1))).toMatchObject({ code: 'ERR_ZOO_ENDED' });
    expect(await failureOf(channel.sendMany([1]))).toMatchObject({ code: 'ERR_ZOO_ENDED' });
    expect(thrownBy(() => channel.trySend(1))).toBeInstanceOf(ChannelClosed);
  });

  it('wakes all who wait when it ends', async () => {
    const channel = channels.create<number>(10);
    const receives = [1, 2, 3].map(() => failureOf(channel.receive()));
    const loop = channel.toArray();
    await nextTurn();
    await channel.close();
    for (const error of await within(Promise.all(receives), 'the receives to reject')) {
      expect(error.code).toBe('ERR_ZOO_ENDED');
    }
    expect(await within(loop, 'the loop to end')).toEqual([]);
  });

  it('fails with the error it was closed with, after what was sent', async () => {
    const channel = channels.create<number>(10);
    await sendUpTo(channel, 2);
    await channel.close(new RangeError('the source broke', { cause: 7 }));
    expect([await channel.receive(), await channel.receive()]).toEqual([1, 2]);
    for (let i = 0; i < 2; i += 1) {
      const error = await failureOf(channel.receive());
      expect(error).toBeInstanceOf(RangeError);
      expect(error).toMatchObject({ message: 'the source broke', cause: 7 });
      expect(error.stack).toContain('channel.test');
    }
    expect(await failureOf(channel.toArray())).toMatchObject({ message: 'the source broke' });
    const sending = await failureOf(channel.send(3));
    expect(sending).toMatchObject({ code: 'ERR_ZOO_ENDED' });
    expect(sending.cause).toMatchObject({ message: 'the source broke' });
  });

  it('rejects its own pending sends when it is closed', async () => {
    const channel = channels.create<number>(1);
    await channel.send(1);
    const waiting = failureOf(channel.send(2));
    await nextTurn();
    await channel.close(new Error('no more'));
    expect(await within(waiting, 'a pending send')).toMatchObject({
      code: 'ERR_ZOO_ENDED',
      cause: { message: 'no more' },
    });
    expect(await channel.receive()).toBe(1);
    expect((await failureOf(channel.receive())).message).toBe('no more');
  });

  it('goes on with the next loop after a break', async () => {
    const channel = channels.create<number>(10, { prefetch: 8 });
    await sendUpTo(channel, 6);
    for await (const value of channel) if (value === 3) break;
    await channel.close();
    const rest: number[] = [];
    for await (const value of channel) rest.push(value);
    expect(rest).toEqual([4, 5, 6]);
  });

  it('loses nothing when a loop over an operator is left', async () => {
    const channel = channels.create<number>(10);
    await sendUpTo(channel, 4);
    for await (const value of channel.map((number) => number * 10)) {
      expect(value).toBe(10);
      break;
    }
    expect(await channel.receive()).toBe(2);
  });

  it('frees a loop that waits, by return() and by a signal', async () => {
    const channel = channels.create<number>(10);
    const loop = channel[Symbol.asyncIterator]();
    const waiting = loop.next();
    expect(await isPending(waiting)).toBe(true);
    await within(loop.return!(), 'return()');
    expect(await within(waiting, 'the next() that waited')).toEqual({
      done: true,
      value: undefined,
    });
    await channel.send(1);
    expect(await channel.receive()).toBe(1);
  });

  it('shares the work between two loops', async () => {
    const channel = channels.create<number>(100);
    const both = [channel.toArray(), channel.toArray()];
    await sendUpTo(channel, 40);
    await channel.close();
    const [one = [], two = []] = await within(Promise.all(both), 'two loops');
    expect([...one, ...two].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
  });

  it('lets the event loop turn while a loop always finds a message', async () => {
    const channel = channels.create<number>(3000, { bytes: '1MiB' });
    await channel.sendMany(Array.from({ length: 2500 }, (_, i) => i));
    await channel.close();
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    for await (const value of channel) void value;
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it('drops the oldest when it is asked to', async () => {
    const channel = channels.create<number>(3, { whenFull: 'drop-oldest' });
    await within(sendUpTo(channel, 10), 'sends that never wait');
    expect(channel.trySend(11)).toBe(true);
    expect(channel.stats()).toMatchObject({ depth: 3, dropped: 8 });
    await channel.close();
    expect(await channel.toArray()).toEqual([9, 10, 11]);
  });

  it('shows messages in place, commits them step by step, and gives back the current one', async () => {
    const channel = channels.create<Uint8Array>(10, { codec: 'bytes', prefetch: 4 });
    for (const byte of [1, 2, 3]) await channel.send(Uint8Array.of(byte));
    for await (const { view, deliveries } of channel.views()) {
      expect(deliveries).toBe(1);
      if (view[0] === 2) break;
    }
    await channel.close();
    const seen: [number | undefined, number][] = [];
    for await (const { view, deliveries } of channel.views()) seen.push([view[0], deliveries]);
    expect(seen.sort()).toEqual([
      [2, 2],
      [3, 1],
    ]);
    expect(channel.stats()).toMatchObject({ depth: 0, received: 3 });
  });

  it('frees a wait for a view by a signal', async () => {
    const channel = channels.create<Uint8Array>(10, { codec: 'bytes' });
    const controller = new AbortController();
    const views = channel.views({ signal: controller.signal })[Symbol.asyncIterator]();
    const waiting = failureOf(views.next());
    await nextTurn();
    controller.abort('enough');
    expect(await within(waiting, 'the view')).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
  });

  it('does not begin a loop over views whose signal has fired', async () => {
    const channel = channels.create<Uint8Array>(10, { codec: 'bytes' });
    await channel.send(Buffer.of(1));
    const loop = channel.views({ signal: AbortSignal.abort('enough') })[Symbol.asyncIterator]();
    expect(await failureOf(within(loop.next(), 'the abort'))).toMatchObject({
      code: 'ABORT_ERR',
      cause: 'enough',
    });
    expect(channel.stats()).toMatchObject({ depth: 1, received: 0 });
  });

  it('is a destination and a source for Node', async () => {
    const channel = channels.create<number>(2);
    const sending = pipeline(Readable.from([1, 2, 3, 4, 5]), channel.writable());
    expect(await within(Readable.from(channel).toArray(), 'five items')).toEqual([1, 2, 3, 4, 5]);
    await sending;
  });

  it('fails with what its Writable was destroyed with', async () => {
    const channel = channels.create<number>(2);
    const writable = channel.writable();
    writable.write(1);
    const ended = failureOf(finished(writable));
    expect(await within(channel.receive(), 'an item')).toBe(1);
    writable.destroy(new Error('cut off'));
    expect((await ended).message).toBe('cut off');
    expect((await failureOf(channel.receive())).message).toBe('cut off');
  });

  it('is where a stream goes, and is closed with it', async () => {
    const channel = channels.create<number>(2);
    const run = Stream.range(1, 100).to(channel);
    expect(
      await within(
        channel.reduce((sum, value) => sum + value, 0),
        'the sum',
      ),
    ).toBe(4950);
    expect(await run).toBe(99);
    expect(channel.closed).toBe(true);
  });

  it('lets go of everything when it is disposed of', async () => {
    const channel = channels.create<number>(1);
    const waiting = failureOf(channel.receive());
    await channel[Symbol.asyncDispose]();
    await channel[Symbol.asyncDispose]();
    expect(await within(waiting, 'a pending receive')).toMatchObject({ code: 'ERR_ZOO_CLOSED' });
    expect(await failureOf(channel.send(1))).toMatchObject({ code: 'ERR_ZOO_CLOSED' });
    expect(await failureOf(channel.receive())).toMatchObject({ code: 'ERR_ZOO_CLOSED' });
    expect(await failureOf(channel.toArray())).toMatchObject({ code: 'ERR_ZOO_CLOSED' });
    expect(thrownBy(() => channel.tryReceive()).code).toBe('ERR_ZOO_CLOSED');
    expect(thrownBy(() => channel.trySend(1)).code).toBe('ERR_ZOO_CLOSED');
    expect(thrownBy(() => channel.stats()).code).toBe('ERR_ZOO_CLOSED');
    expect(channel.closed).toBe(true);
  });

  it('counts what went through it', async () => {
    const channel = channels.create<number>(5);
    await sendUpTo(channel, 3);
    await channel.receive();
    expect(channel.stats()).toMatchObject({
      depth: 2,
      sent: 3,
      received: 1,
      dropped: 0,
      writers: 1,
      readers: 1,
      died: 0,
    });
  });
});

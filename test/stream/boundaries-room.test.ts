/** The boundary rows about room and about ends: what a reader and a writer of one process see. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Channel, ChannelClosed, ZooPipe, type Stream } from 'zoosync';
import {
  codeOf,
  failureOf,
  isPending,
  runProgram,
  turns,
  uniqueName,
  until,
  within,
} from '../support/index.js';
import { disposeAfter } from './conformance-sources.js';

interface Pair {
  writer: Channel<number>;
  reader: Channel<number>;
}

/** Both kinds of channel: a local one is its own other end. */
const channels: { kind: string; open(capacity: number): Promise<Pair> }[] = [
  {
    kind: 'local channel',
    async open(capacity) {
      const channel = disposeAfter(Channel.local<number>(capacity));
      return { writer: channel, reader: channel };
    },
  },
  {
    kind: 'shared channel',
    async open(capacity) {
      const writer = disposeAfter(
        Channel.create<number>(uniqueName('channel'), { bytes: '16KiB', capacity }),
      );
      return { writer, reader: disposeAfter(await Channel.open<number>(writer.name)) };
    },
  },
];

const kibibyte = 1024;

async function openPipe(): Promise<{ writer: ZooPipe; reader: ZooPipe }> {
  const writer = disposeAfter(
    ZooPipe.create(uniqueName('pipe'), { memoryLimit: '16KiB', chunkSize: '1KiB' }),
  );
  return { writer, reader: disposeAfter(await ZooPipe.open(writer.name)) };
}

/** Fills `pipe` until nothing more goes in, and answers how many bytes did. */
function fill(pipe: ZooPipe): number {
  let bytes = 0;
  while (pipe.writeSync(new Uint8Array(kibibyte).fill(bytes / kibibyte))) bytes += kibibyte;
  return bytes;
}

async function everything(stream: Stream<number>): Promise<number[]> {
  return within(stream.toArray(), 'everything up to the end');
}

describe('ring full', () => {
  describe.each(channels)('$kind', ({ open }) => {
    it('send waits and goes on when a message is taken', async () => {
      const { writer, reader } = await open(2);
      await writer.send(1);
      await writer.send(2);
      const third = writer.send(3);
      expect(await isPending(third)).toBe(true);
      expect(await reader.receive()).toBe(1);
      await within(third, 'room');
      expect([await reader.receive(), await reader.receive()]).toEqual([2, 3]);
    });

    it('trySend answers false, and true again when there is room', async () => {
      const { writer, reader } = await open(2);
      expect([writer.trySend(1), writer.trySend(2), writer.trySend(3)]).toEqual([
        true,
        true,
        false,
      ]);
      expect(await reader.receive()).toBe(1);
      await until(() => writer.trySend(4), 'room');
      expect([await reader.receive(), await reader.receive()]).toEqual([2, 4]);
    });

    it('a Writable withholds its callback', async () => {
      const { writer, reader } = await open(1);
      const writable = writer.writable();
      const written: number[] = [];
      for (const value of [1, 2, 3]) writable.write(value, () => written.push(value));
      await until(() => written.length > 0, 'the first callback');
      await turns(10);
      expect(written).toEqual([1]);
      expect(writable.writableNeedDrain).toBe(true);
      const drained = once(writable, 'drain');
      for (const value of [1, 2, 3]) expect(await within(reader.receive())).toBe(value);
      await within(drained, 'drain');
      expect(written).toEqual([1, 2, 3]);
    });

    it('waiting senders go in in their order, each once', async () => {
      const { writer, reader } = await open(1);
      const sending = [1, 2, 3, 4, 5].map((value) => writer.send(value));
      await turns(3);
      const taken: number[] = [];
      while (taken.length < 5) taken.push(await within(reader.receive(), 'a message'));
      await Promise.all(sending);
      expect(taken).toEqual([1, 2, 3, 4, 5]);
      expect(reader.tryReceive()).toBeUndefined();
    });

    it('a send that times out has sent nothing', async () => {
      const { writer, reader } = await open(1);
      await writer.send(1);
      expect(await codeOf(writer.send(2, { timeout: 5 }))).toBe('ERR_ZOO_TIMEOUT');
      expect(await reader.receive()).toBe(1);
      expect(reader.tryReceive()).toBeUndefined();
    });
  });

  it('pipe: write waits, writeSync answers false, desiredSize is 0', async () => {
    const { writer, reader } = await openPipe();
    expect(writer.desiredSize).toBeGreaterThan(0);
    const held = fill(writer);
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThanOrEqual(16 * kibibyte);
    expect(writer.desiredSize).toBe(0);
    expect(writer.trySend(new Uint8Array(kibibyte))).toBe(false);
    const waiting = writer.write(new Uint8Array(kibibyte).fill(99));
    expect(await isPending(waiting)).toBe(true);
    const first = await reader.read(kibibyte);
    expect(first?.length).toBe(kibibyte);
    await within(waiting, 'room');
    const rest = await within(reader.read(held), 'the rest');
    expect(rest?.length).toBe(held);
    expect(rest?.at(-1)).toBe(99);
    await until(() => (writer.desiredSize ?? 0) > 0, 'room again');
  });

  it('pipe: a Writable withholds its callback', async () => {
    const { writer, reader } = await openPipe();
    const held = fill(writer);
    let written = 0;
    const writable = writer.writable();
    writable.write(Buffer.alloc(kibibyte), () => (written += 1));
    await turns(10);
    expect(written).toBe(0);
    expect((await reader.read(held))?.length).toBe(held);
    await until(() => written === 1, 'the callback');
  });

  it('pipe: a write larger than the whole ring passes through it', async () => {
    const { writer, reader } = await openPipe();
    const bytes = Buffer.alloc(100_001, 7);
    bytes[100_000] = 8;
    const writing = writer.write(bytes);
    const received = await within(reader.read(100_001), 'all of it');
    await within(writing, 'the write');
    expect(Buffer.from(received!).equals(bytes)).toBe(true);
  });
});

describe('ring empty', () => {
  describe.each(channels)('$kind', ({ open }) => {
    it('a receive that is aborted or times out has taken no message', async () => {
      const { writer, reader } = await open(8);
      const controller = new AbortController();
      const aborted = reader.receive({ signal: controller.signal });
      const timed = codeOf(reader.receive({ timeout: 5 }));
      expect(await isPending(aborted)).toBe(true);
      controller.abort('enough');
      expect(await failureOf(aborted)).toMatchObject({ name: 'AbortError', cause: 'enough' });
      expect(await timed).toBe('ERR_ZOO_TIMEOUT');
      await writer.send(1);
      expect(await within(reader.receive(), 'the message')).toBe(1);
    });

    it('a message that comes together with the abort is either handed over or stays', async () => {
      const { writer, reader } = await open(200);
      const taken: number[] = [];
      for (let value = 0; value < 100; value += 1) {
        const controller = new AbortController();
        const receiving = reader.receive({ signal: controller.signal });
        if (value % 2 === 0) controller.abort();
        const sending = writer.send(value);
        controller.abort();
        await Promise.all([
          sending,
          receiving.then(
            (got) => taken.push(got),
            () => undefined,
          ),
        ]);
      }
      for (let rest = reader.tryReceive(); rest !== undefined; rest = reader.tryReceive()) {
        taken.push(rest);
      }
      expect(taken).toEqual(Array.from({ length: 100 }, (_, value) => value));
    });

    it('a loop that is left while it waits has taken no message', async () => {
      const { writer, reader } = await open(8);
      const iterator = reader[Symbol.asyncIterator]();
      const waiting = iterator.next();
      await turns(3);
      await within(iterator.return!(), 'return()');
      expect((await waiting).done).toBe(true);
      await writer.send(1);
      expect(await within(reader.receive(), 'the message')).toBe(1);
    });
  });

  it('pipe: a read that is aborted or times out has taken no byte', async () => {
    const { writer, reader } = await openPipe();
    await writer.write(Uint8Array.of(1, 2, 3));
    const controller = new AbortController();
    const aborted = reader.read(4, { signal: controller.signal });
    expect(await isPending(aborted)).toBe(true);
    controller.abort('enough');
    expect(await failureOf(aborted)).toMatchObject({ name: 'AbortError', cause: 'enough' });
    expect(await codeOf(reader.read(4, { timeout: 5 }))).toBe('ERR_ZOO_TIMEOUT');
    await writer.write(Uint8Array.of(4));
    expect([...(await within(reader.read(4), 'four bytes'))!]).toEqual([1, 2, 3, 4]);
  });

  it('idle handles let the process end, and waiting calls keep it', async () => {
    const name = uniqueName('channel');
    const { code, stdout, stderr } = await runProgram(
      `const { Channel, ZooPipe } = zoosync;
      const writer = Channel.create(args[0], { bytes: '16KiB' });
      const reader = await Channel.open(args[0]);
      const pipe = ZooPipe.create(args[0] + '.pipe', { memoryLimit: '16KiB' });
      const other = await ZooPipe.open(args[0] + '.pipe');
      setTimeout(() => writer.trySend('late'), 50).unref();
      setTimeout(() => pipe.writeSync(Buffer.from('later')), 100).unref();
      console.log(await reader.receive());
      console.log(String(await other.read(5)));`,
      { args: [name] },
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'late\nlater\n', stderr: '' });
  });
});

describe('writer close(), others open', () => {
  it('shared channel: that handle gets ChannelClosed, the others go on', async () => {
    const creator = disposeAfter(
      Channel.create<string>(uniqueName('channel'), { bytes: '16KiB', capacity: 8 }),
    );
    const second = disposeAfter(await Channel.open<string>(creator.name));
    const reader = disposeAfter(await Channel.open<string>(creator.name));
    await creator.send('of the creator');
    await second.send('of the second');
    await second.close();
    const failure = await failureOf(second.send('too late'));
    expect(failure).toBeInstanceOf(ChannelClosed);
    expect(failure.code).toBe('ERR_ZOO_ENDED');
    expect(await codeOf(() => second.trySend('too late'))).toBe('ERR_ZOO_ENDED');
    await creator.send('and on');
    expect([await reader.receive(), await reader.receive(), await reader.receive()]).toEqual([
      'of the creator',
      'of the second',
      'and on',
    ]);
    expect(await isPending(reader.receive({ timeout: 50 }).catch(() => undefined))).toBe(true);
    // Closing is about sending: the handle can still receive.
    await creator.send('for the one that closed');
    expect(await within(second.receive(), 'a message')).toBe('for the one that closed');
  });

  it('local channel: the one handle gets ChannelClosed', async () => {
    const channel = disposeAfter(Channel.local<number>(2));
    await channel.close();
    expect(await failureOf(channel.send(1))).toBeInstanceOf(ChannelClosed);
    expect(await codeOf(() => channel.trySend(1))).toBe('ERR_ZOO_ENDED');
    await channel.close();
  });

  it('pipe: write, writeSync and send get ChannelClosed', async () => {
    const { writer } = await openPipe();
    await writer.end();
    expect(await failureOf(writer.write(Uint8Array.of(1)))).toBeInstanceOf(ChannelClosed);
    expect(await codeOf(writer.send(Uint8Array.of(1)))).toBe('ERR_ZOO_ENDED');
    expect(await codeOf(() => writer.trySend(Uint8Array.of(1)))).toBe('ERR_ZOO_ENDED');
    await writer.close();
  });
});

describe('last writer closed', () => {
  describe.each(channels)('$kind', ({ open }) => {
    it('drained, then the loop ends and receive rejects with ChannelClosed', async () => {
      const { writer, reader } = await open(8);
      for (const value of [1, 2, 3]) await writer.send(value);
      await writer.close();
      expect(await within(reader.receive(), 'what was sent before the end')).toBe(1);
      expect(await everything(reader)).toEqual([2, 3]);
      expect(await everything(reader)).toEqual([]);
      const failure = await failureOf(within(reader.receive(), 'receive() after the end'));
      expect(failure).toBeInstanceOf(ChannelClosed);
      expect(failure.code).toBe('ERR_ZOO_ENDED');
    });

    it('every waiting reader wakes', async () => {
      const { writer, reader } = await open(8);
      const receiving = [1, 2, 3].map(() => codeOf(reader.receive()));
      const looping = [1, 2].map(() => reader.toArray());
      await turns(5);
      await writer.close();
      expect(await within(Promise.all(receiving), 'all receives')).toEqual(
        Array.from({ length: 3 }, () => 'ERR_ZOO_ENDED'),
      );
      expect(await within(Promise.all(looping), 'all loops')).toEqual([[], []]);
    });
  });

  it('shared channel: the creator counts although it never sent', async () => {
    const creator = disposeAfter(Channel.create<number>(uniqueName('channel'), { bytes: '16KiB' }));
    const second = disposeAfter(await Channel.open<number>(creator.name));
    await second.send(1);
    await second.close();
    expect(await creator.receive()).toBe(1);
    const waiting = codeOf(second.receive());
    expect(await isPending(waiting)).toBe(true);
    await creator.close();
    expect(await within(waiting, 'the end')).toBe('ERR_ZOO_ENDED');
  });

  it('pipe: drained, then read answers null, and the last read is short', async () => {
    const { writer, reader } = await openPipe();
    await writer.write(Uint8Array.of(1, 2, 3, 4, 5));
    await writer.end();
    expect([...(await reader.read(3))!]).toEqual([1, 2, 3]);
    expect([...(await within(reader.read(3), 'a short read'))!]).toEqual([4, 5]);
    expect(await within(reader.read(3), 'the end')).toBeNull();
    expect(await within(reader.read(), 'the end')).toBeNull();
  });

  it('pipe: a read that waits for more than comes gets what there is', async () => {
    const { writer, reader } = await openPipe();
    const reading = reader.read(100);
    await writer.write(Uint8Array.of(1, 2));
    expect(await isPending(reading)).toBe(true);
    await writer.end();
    expect([...(await within(reading, 'a short read'))!]).toEqual([1, 2]);
    expect(await reader.read()).toBeNull();
  });

  it('pipe: chunks are all of the size but the last', async () => {
    const { writer, reader } = await openPipe();
    const writing = (async () => {
      for (const size of [700, 1, 3000, 299]) await writer.write(new Uint8Array(size));
      await writer.end();
    })();
    const sizes = await within(
      reader
        .chunks(900)
        .map(({ length }) => length)
        .toArray(),
    );
    await writing;
    expect(sizes).toEqual([900, 900, 900, 900, 400]);
  });
});

describe('close(error)', () => {
  describe.each(channels)('$kind', ({ open }) => {
    it('drained, then the readers get the error', async () => {
      const { writer, reader } = await open(8);
      for (const value of [1, 2, 3]) await writer.send(value);
      await writer.close(Object.assign(new TypeError('lens cap on'), { code: 'E_LENS' }));
      const taken: number[] = [];
      const loop = async (): Promise<void> => {
        for await (const value of reader) taken.push(value);
      };
      const failure = await failureOf(within(loop(), 'the error'));
      expect(failure).toBeInstanceOf(TypeError);
      expect(failure).toMatchObject({ message: 'lens cap on', code: 'E_LENS' });
      expect(taken).toEqual([1, 2, 3]);
      expect((await failureOf(reader.receive())).message).toBe('lens cap on');
    });

    it('rejects the sends of its own that wait', async () => {
      const { writer } = await open(1);
      await writer.send(1);
      const waiting = failureOf(writer.send(2));
      await turns(3);
      await writer.close(new Error('given up'));
      expect(await within(waiting, 'a pending send')).toBeInstanceOf(Error);
    });

    it('wakes every reader that waits', async () => {
      const { writer, reader } = await open(1);
      const waiting = [1, 2, 3].map(() => failureOf(reader.receive()));
      await turns(5);
      await writer.close(new Error('given up'));
      for (const failure of await within(Promise.all(waiting))) {
        expect(failure.message).toBe('given up');
      }
    });
  });

  it('shared channel: who opens it later gets the same error, with the pid', async () => {
    const writer = disposeAfter(Channel.create<number>(uniqueName('channel'), { bytes: '16KiB' }));
    await writer.send(1);
    await writer.close(new RangeError('out of film'));
    const first = disposeAfter(await Channel.open<number>(writer.name));
    expect(await first.receive()).toBe(1);
    expect((await failureOf(first.receive())).message).toBe('out of film');
    const late = disposeAfter(await Channel.open<number>(writer.name));
    const failure = await failureOf(within(late.receive(), 'the error'));
    expect(failure).toMatchObject({
      name: 'RangeError',
      message: 'out of film',
      pid: process.pid,
    });
  });

  it('shared channel: the first error stays', async () => {
    const writer = disposeAfter(Channel.create<number>(uniqueName('channel'), { bytes: '16KiB' }));
    const second = disposeAfter(await Channel.open<number>(writer.name));
    await second.send(1);
    await second.close(new Error('the first'));
    await writer.close(new Error('the second'));
    expect(await writer.receive()).toBe(1);
    expect((await failureOf(writer.receive())).message).toBe('the first');
  });

  it('pipe: fail() reaches the reader after the bytes before it', async () => {
    const { writer, reader } = await openPipe();
    await writer.write(Uint8Array.of(1, 2, 3));
    writer.fail(new RangeError('the disk is gone'));
    expect([...(await within(reader.read(2), 'what was written'))!]).toEqual([1, 2]);
    const failure = await failureOf(within(reader.read(2), 'the error, never a short read'));
    expect(failure).toMatchObject({ name: 'RangeError', message: 'the disk is gone' });
  });

  it('pipe: chunks never give a short chunk before an error', async () => {
    const { writer, reader } = await openPipe();
    await writer.write(new Uint8Array(1500));
    await writer.close(new Error('the disk is gone'));
    const sizes: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const chunk of reader.chunks(1000)) sizes.push(chunk.length);
    };
    expect((await failureOf(within(loop()))).message).toBe('the disk is gone');
    expect(sizes).toEqual([1000]);
  });

  it('of the failure of a stage reaches the next channel', async () => {
    const first = disposeAfter(Channel.local<number>(8));
    const second = disposeAfter(
      Channel.create<number>(uniqueName('channel'), { bytes: '16KiB', capacity: 8 }),
    );
    for (const value of [1, 2, 3]) await first.send(value);
    const run = first
      .stage((value) => {
        if (value === 3) throw new Error('no threes');
        return value * 10;
      })
      .to(second);
    expect((await failureOf(Promise.resolve(run))).message).toBe('no threes');
    const reader = disposeAfter(await Channel.open<number>(second.name));
    expect([await reader.receive(), await reader.receive()]).toEqual([10, 20]);
    expect((await failureOf(within(reader.receive()))).message).toBe('no threes');
  });
});

/** The streams of Node and of the Web, in both directions, as they are. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Duplex, PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  CompressionStream,
  DecompressionStream,
  ReadableStream,
  type TransformStream,
  type WritableStream,
} from 'node:stream/web';
import { createBrotliCompress, createBrotliDecompress, createGunzip, createGzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Channel, Stream, ZooPipe, hash } from 'zoosync';
import {
  afterThisTest,
  codeOf,
  failureOf,
  turns,
  uniqueName,
  until,
  within,
} from '../support/index.js';
import { disposeAfter } from './conformance-sources.js';

const kibibyte = 1024;

/** Bytes that do not compress to nothing, and differ from place to place. */
function sample(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at += 1) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    bytes[at] = (state >> 16) % 64;
  }
  return bytes;
}

const content = sample(200_003);

function digestOf(bytes: Uint8Array, algorithm = 'sha256'): string {
  return createHash(algorithm).update(bytes).digest('hex');
}

function* pieces(bytes: Uint8Array, size = 10_000): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function openPipe(
  memoryLimit = '64KiB',
  chunkSize = '8KiB',
): Promise<{ writer: ZooPipe; reader: ZooPipe }> {
  const writer = disposeAfter(ZooPipe.create(uniqueName('pipe'), { memoryLimit, chunkSize }));
  return { writer, reader: disposeAfter(await ZooPipe.open(writer.name)) };
}

function createChannel<T>(capacity = 4): Channel<T> {
  return disposeAfter(Channel.create<T>(uniqueName('channel'), { bytes: '64KiB', capacity }));
}

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('Readable.from', () => {
  it('reads a stream to its end', async () => {
    const readable = Readable.from(Stream.range(0, 100).map((value) => value * 2));
    expect(await within(readable.toArray())).toEqual(
      Array.from({ length: 100 }, (_, value) => value * 2),
    );
  });

  it('gives the error of the stream', async () => {
    const thrown = new Error('broken');
    const readable = Readable.from(
      Stream.range(0, 5).map((value) => {
        if (value === 3) throw thrown;
        return value;
      }),
    );
    expect(await failureOf(within(readable.toArray()))).toBe(thrown);
  });

  it('destroy() lets go of a source that waits', async () => {
    const channel = createChannel<number>();
    const readable = Readable.from(channel.map((value) => value));
    readable.resume();
    await turns(5);
    const closed = once(readable, 'close');
    readable.destroy();
    await within(closed, 'the Readable to be closed');
    await channel.send(1);
    expect(await within(channel.receive(), 'what the Readable must not take')).toBe(1);
  });

  it('pauses the source when nobody reads', async () => {
    let given = 0;
    const stream = Stream.from(
      (async function* () {
        for (; given < 1000; given += 1) yield given;
      })(),
    );
    const readable = Readable.from(stream, { highWaterMark: 4 });
    await once(readable, 'readable');
    await turns(10);
    expect(given).toBeLessThanOrEqual(8);
    readable.destroy();
  });
});

describe('ReadableStream.from', () => {
  /** In Node since 20.6; the types of the Web know it later. */
  const from = (
    ReadableStream as unknown as { from<T>(source: AsyncIterable<T>): ReadableStream<T> }
  ).from.bind(ReadableStream);

  it('reads a stream to its end', async () => {
    const taken: number[] = [];
    for await (const value of from(Stream.range(0, 20))) taken.push(value);
    expect(taken).toEqual(Array.from({ length: 20 }, (_, value) => value));
  });

  it('cancel() lets go of a source that waits', async () => {
    const channel = createChannel<number>();
    const reader = from(channel).getReader();
    const waiting = reader.read();
    await turns(3);
    await within(reader.cancel('enough'), 'cancel()');
    expect((await waiting).done).toBe(true);
    await channel.send(1);
    expect(await within(channel.receive())).toBe(1);
  });

  it('gives the error of the stream', async () => {
    const thrown = new Error('broken');
    const web = from(
      Stream.range(0, 2).map((value) => {
        if (value === 1) throw thrown;
        return value;
      }),
    );
    const reader = web.getReader();
    expect(await reader.read()).toEqual({ done: false, value: 0 });
    expect(await failureOf(within(reader.read()))).toBe(thrown);
  });
});

describe('Stream.from', () => {
  it('bytes of a Readable and of a Web stream', async () => {
    const node = Readable.from(pieces(content), { objectMode: false });
    expect((await within(bytesOf(Stream.from<Uint8Array>(node)))).equals(content)).toBe(true);
    const blob = new Blob([content]).stream() as unknown as ReadableStream<Uint8Array>;
    expect((await within(bytesOf(Stream.from<Uint8Array>(blob)))).equals(content)).toBe(true);
  });

  it('a Readable that is destroyed in the middle is never a normal end', async () => {
    const readable = new Readable({ objectMode: true, read() {} });
    readable.push(1);
    const taken: number[] = [];
    const run = Stream.from<number>(readable).subscribe((value) => {
      taken.push(value);
      readable.destroy();
    });
    expect(await codeOf(within(Promise.resolve(run)))).toBe('ERR_STREAM_PREMATURE_CLOSE');
    expect(taken).toEqual([1]);
  });

  it('a Readable that has already failed, ended or been destroyed', async () => {
    const ended = Readable.from([1]);
    await ended.toArray();
    const failed = new Readable({ read() {} });
    failed.on('error', () => undefined);
    failed.destroy(new Error('earlier'));
    await turns(2);
    expect((await failureOf(within(Stream.from(failed).toArray()))).message).toBe('earlier');
    const destroyed = new Readable({ read() {} });
    destroyed.destroy();
    await turns(2);
    expect(await failureOf(within(Stream.from(destroyed).toArray()))).toBeInstanceOf(Error);
    expect(ended.readableEnded).toBe(true);
  });

  it('a Web stream that somebody else reads is refused', async () => {
    const web = new ReadableStream<number>();
    web.getReader();
    expect(await failureOf(() => Stream.from<number>(web).toArray())).toBeInstanceOf(TypeError);
  });

  it('a break of an idle Readable destroys it at once', async () => {
    const readable = new Readable({ objectMode: true, read() {} });
    const iterator = Stream.from<number>(readable)[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await turns(3);
    await within(iterator.return!(), 'return()');
    expect((await waiting).done).toBe(true);
    expect(readable.destroyed).toBe(true);
  });

  it('an iterable whose return() rejects or never settles holds nobody up', async () => {
    for (const result of [Promise.reject(new Error('no')), new Promise<never>(() => undefined)]) {
      result.catch(() => undefined);
      let asked = 0;
      const source: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise<never>(() => undefined),
          return: () => {
            asked += 1;
            return result;
          },
        }),
      };
      const iterator = Stream.from(source)[Symbol.asyncIterator]();
      const waiting = iterator.next();
      await turns(2);
      await within(iterator.return!(), 'return()').catch(() => undefined);
      expect((await within(waiting, 'next()')).done).toBe(true);
      expect(asked).toBe(1);
    }
  });
});

describe('pipeline', () => {
  it('from a stream through gzip and back to a Writable', async () => {
    const chunks: Buffer[] = [];
    await within(
      pipeline(
        Readable.from(Stream.from(pieces(content))),
        createGzip(),
        createGunzip(),
        new Writable({
          write(chunk: Buffer, _encoding, done) {
            chunks.push(chunk);
            done();
          },
        }),
      ),
    );
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
  });

  it('to the writable of a pipe, and from its reader', async () => {
    const { writer, reader } = await openPipe();
    const writing = pipeline(Readable.from(pieces(content)), createGzip(), writer.writable());
    const received = await within(bytesOf(Readable.from(reader).pipe(createGunzip())));
    await within(writing);
    expect(received.equals(content)).toBe(true);
  });

  it('settles when its signal fires while a stream of ours waits', async () => {
    const channel = createChannel<number>();
    const controller = new AbortController();
    const running = failureOf(
      pipeline(
        Readable.from(channel.map((value) => value)),
        new PassThrough({ objectMode: true }).resume(),
        {
          signal: controller.signal,
        },
      ),
    );
    await turns(5);
    controller.abort();
    expect(await within(running)).toMatchObject({ name: 'AbortError' });
    await channel.send(1);
    expect(await within(channel.receive())).toBe(1);
  });

  it('a failure reaches the reader of a channel as an error', async () => {
    const channel = createChannel<number>(8);
    const source = Readable.from(
      (function* () {
        yield 1;
        yield 2;
        throw new RangeError('half-way');
      })(),
    );
    expect(await failureOf(within(pipeline(source, channel.writable())))).toMatchObject({
      message: 'half-way',
    });
    const taken: number[] = [];
    const failure = await failureOf(
      within(Promise.resolve(channel.subscribe((value) => void taken.push(value)))),
    );
    expect(failure).toMatchObject({ name: 'RangeError', message: 'half-way' });
    expect([1, 2].slice(0, taken.length)).toEqual(taken);
  });

  it('destroy() of a writable without an error is no normal end either', async () => {
    const channel = createChannel<number>(8);
    const writable = channel.writable();
    writable.write(1);
    await turns(5);
    const closed = once(writable, 'close');
    writable.destroy();
    await within(closed);
    expect(await within(channel.receive())).toBe(1);
    expect(await failureOf(within(channel.receive({ timeout: 20_000 })))).toBeInstanceOf(Error);
  });
});

describe('writable()', () => {
  it('has room for one item, and end() is close()', async () => {
    const channel = createChannel<{ n: number }>();
    const writable = channel.writable();
    expect(writable.writableHighWaterMark).toBe(1);
    expect(writable.writableObjectMode).toBe(true);
    writable.write({ n: 1 });
    writable.end({ n: 2 });
    expect(await within(channel.toArray())).toEqual([{ n: 1 }, { n: 2 }]);
    await until(() => writable.closed, 'the Writable to be closed');
  });

  it('never holds more than the ring and one item', async () => {
    const channel = disposeAfter(Channel.local<number>(2));
    const writable = channel.writable();
    let accepted = 0;
    const fill = async (): Promise<void> => {
      for (;;) {
        accepted += 1;
        if (!writable.write(accepted)) await once(writable, 'drain');
      }
    };
    const filling = failureOf(fill());
    await until(() => channel.stats().depth === 2, 'a full channel');
    await turns(10);
    expect(accepted).toBe(3);
    expect(await channel.receive()).toBe(1);
    await until(() => accepted === 4, 'drain');
    writable.destroy(new Error('enough'));
    expect((await within(filling)).message).toBe('enough');
  });

  it('a channel that has ended fails the Writable', async () => {
    const channel = createChannel<number>();
    const writable = channel.writable();
    const failing = once(writable, 'error');
    await channel.close();
    writable.write(1);
    const [error] = (await within(failing)) as [{ code: string }];
    expect(error.code).toBe('ERR_ZOO_ENDED');
  });

  it('Writable.toWeb and pipeTo', async () => {
    const channel = createChannel<number>(2);
    const web = Writable.toWeb(channel.writable()) as WritableStream<number>;
    let next = 0;
    const source = new ReadableStream<number>({
      pull(controller) {
        if (next === 50) controller.close();
        else controller.enqueue(next);
        next += 1;
      },
    });
    const piping = source.pipeTo(web);
    expect(await within(channel.toArray())).toEqual(Array.from({ length: 50 }, (_, n) => n));
    await within(piping, 'pipeTo');
  });

  it('Writable.toWeb of a pipe, and the abort of a Web stream', async () => {
    const { writer, reader } = await openPipe();
    const web = Writable.toWeb(writer.writable()) as WritableStream<Uint8Array>;
    const output = web.getWriter();
    await output.write(Uint8Array.of(1, 2, 3));
    await within(output.abort(new RangeError('half-way')), 'abort').catch(() => undefined);
    expect([...(await within(reader.read(3)))!]).toEqual([1, 2, 3]);
    expect((await failureOf(within(reader.read()))).message).toMatch(/half-way|aborted/);
  });

  it('Duplex.from makes one of two channels', async () => {
    const [input, output] = [createChannel<number>(), createChannel<number>()];
    const duplex = Duplex.from({
      readable: Readable.from(output),
      writable: input.writable(),
    }) as Duplex;
    const answering = input.map((value) => value * 10).to(output);
    for (const value of [1, 2, 3]) duplex.write(value);
    duplex.end();
    expect(await within(duplex.toArray())).toEqual([10, 20, 30]);
    expect(await answering).toBe(3);
  });

  it('Transforms of Node between two channels', async () => {
    const [input, output] = [createChannel<string>(), createChannel<string>()];
    const upper = new Transform({
      objectMode: true,
      transform(value: string, _encoding, done) {
        done(null, value.toUpperCase());
      },
    });
    const running = pipeline(Readable.from(input), upper, output.writable());
    await Promise.all([Stream.from(['a', 'b', 'c']).to(input), running]);
    expect(await within(output.toArray())).toEqual(['A', 'B', 'C']);
  });
});

describe('through', () => {
  it.each([
    ['gzip', createGzip, createGunzip],
    ['brotli', () => createBrotliCompress({ params: { 1: 4 } }), createBrotliDecompress],
  ] as const)('%s there and back over a pipe', async (_name, compress, decompress) => {
    const { writer, reader } = await openPipe();
    const before = hash('sha256');
    const after = hash('sha256');
    const sending = Stream.from<Uint8Array>(pieces(content))
      .through(before)
      .through<Uint8Array>(compress())
      .to(writer);
    const received = await within(
      bytesOf(reader.through<Uint8Array>(decompress()).through(after)),
      'the transfer',
    );
    await within(Promise.resolve(sending), 'the run');
    expect(received.equals(content)).toBe(true);
    expect(before.digest('hex')).toBe(digestOf(content));
    expect(after.digest('hex')).toBe(digestOf(content));
    expect([before.bytes, after.bytes]).toEqual([content.length, content.length]);
  });

  it('CompressionStream there and back', async () => {
    const stream = Stream.from<Uint8Array>(pieces(content))
      .through<Uint8Array>(
        new CompressionStream('gzip') as unknown as TransformStream<Uint8Array, Uint8Array>,
      )
      .through<Uint8Array>(
        new DecompressionStream('gzip') as unknown as TransformStream<Uint8Array, Uint8Array>,
      );
    expect((await within(bytesOf(stream))).equals(content)).toBe(true);
  });

  it('damaged compressed data is an error, and so is a cut off one', async () => {
    const packed = await within(
      bytesOf(Stream.from<Uint8Array>(pieces(content)).through<Uint8Array>(createGzip())),
    );
    const cut = Stream.from([packed.subarray(0, packed.length - 20)]);
    expect(await codeOf(within(bytesOf(cut.through<Uint8Array>(createGunzip()))))).toBe(
      'Z_BUF_ERROR',
    );
    const damaged = Stream.from([Buffer.from('this was never compressed')]);
    expect(await codeOf(within(bytesOf(damaged.through<Uint8Array>(createGunzip()))))).toBe(
      'Z_DATA_ERROR',
    );
  });

  it('hash: digest at any time, as Buffer or text', async () => {
    const sha = hash('sha256');
    expect(sha.bytes).toBe(0);
    expect(sha.digest('hex')).toBe(digestOf(Buffer.alloc(0)));
    const stream = Stream.from([Buffer.from('ab'), Buffer.from('c')]).through(sha);
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    expect(sha.digest('hex')).toBe(digestOf(Buffer.from('ab')));
    await iterator.next();
    expect((await iterator.next()).done).toBe(true);
    expect(Buffer.isBuffer(sha.digest())).toBe(true);
    expect(sha.digest('base64')).toBe(
      Buffer.from(digestOf(Buffer.from('abc')), 'hex').toString('base64'),
    );
    expect(sha.bytes).toBe(3);
  });

  it('hash: in the middle of a pipeline of Node', async () => {
    const md5 = hash('md5');
    const filtered = Stream.from<Uint8Array>(pieces(content)).through(md5);
    await within(pipeline(Readable.from(filtered), createGzip(), new PassThrough().resume()));
    expect(md5.digest('hex')).toBe(digestOf(content, 'md5'));
  });

  it('a Transform that destroys itself is an error', async () => {
    const transform = new Transform({
      objectMode: true,
      transform(_value, _encoding, done) {
        this.destroy();
        done();
      },
    });
    expect(
      await failureOf(within(Stream.range(0, 5).through<number>(transform).toArray())),
    ).toBeInstanceOf(Error);
  });

  it('a break destroys the Transform and lets go of the source', async () => {
    const channel = disposeAfter(Channel.local<number>(4));
    const transform = new PassThrough({ objectMode: true });
    const iterator = channel.through<number>(transform)[Symbol.asyncIterator]();
    await channel.send(1);
    expect((await within(iterator.next())).value).toBe(1);
    const waiting = iterator.next();
    await turns(3);
    await within(iterator.return!(), 'return()');
    expect((await within(waiting)).done).toBe(true);
    await until(() => transform.destroyed, 'the Transform to be destroyed');
    await channel.send(2);
    expect(await within(channel.receive())).toBe(2);
  });
});

describe('the Writer of node:stream/iter', () => {
  it('write, writeSync, end and desiredSize', async () => {
    const { writer, reader } = await openPipe('16KiB', '1KiB');
    expect(writer.desiredSize).toBeGreaterThan(0);
    expect(writer.writeSync(Buffer.from('ab'))).toBe(true);
    await writer.write(Buffer.from('cd'));
    expect(await writer.end()).toBe(4);
    expect(String(await within(reader.read(10)))).toBe('abcd');
    expect(await within(reader.read())).toBeNull();
    expect(writer.desiredSize).toBeNull();
  });

  it('writeSync answers false when full and has written nothing then', async () => {
    const { writer, reader } = await openPipe('16KiB', '1KiB');
    const chunk = new Uint8Array(kibibyte);
    let count = 0;
    while (writer.writeSync(chunk.fill(count))) count += 1;
    const all = (await reader.read(count * kibibyte))!;
    expect([all[0], all.at(-1)]).toEqual([0, count - 1]);
    await until(() => writer.writeSync(Uint8Array.of(99)), 'room');
    expect([...(await reader.read(1))!]).toEqual([99]);
  });

  it('fail is synchronous, and takes effect once', async () => {
    const { writer, reader } = await openPipe();
    expect(writer.fail(new Error('the first'))).toBeUndefined();
    expect(writer.fail(new Error('the second'))).toBeUndefined();
    expect((await failureOf(within(reader.read()))).message).toBe('the first');
    expect(writer.desiredSize).toBeNull();
  });

  it('desiredSize is null once the reader has left', async () => {
    const { writer, reader } = await openPipe();
    await reader[Symbol.asyncDispose]();
    await until(() => writer.desiredSize === null, 'the writer to learn it');
  });

  it('is a destination of pipeTo and a source of pull, where Node has them', async ({ skip }) => {
    // Behind --experimental-stream-iter; the types do not know it yet.
    const iter = (await import('node:stream/iter' as string).catch(() => undefined)) as
      | Record<'pipeTo' | 'bytes' | 'pull', (...parts: unknown[]) => Promise<unknown>>
      | undefined;
    if (iter === undefined) return skip();
    const { writer, reader } = await openPipe();
    const writing = iter.pipeTo(Readable.from(pieces(content), { objectMode: false }), writer);
    const received = await within(iter.bytes(iter.pull(reader)));
    await within(writing);
    expect(Buffer.from(received as Uint8Array).equals(content)).toBe(true);

    const failed = await openPipe();
    const breaking = (async function* () {
      yield Buffer.from('ab');
      throw new Error('half-way');
    })();
    expect((await failureOf(within(iter.pipeTo(breaking, failed.writer)))).message).toBe(
      'half-way',
    );
    expect(String(await within(failed.reader.read(2)))).toBe('ab');
    expect((await failureOf(within(failed.reader.read()))).message).toBe('half-way');
  });
});

describe('to', () => {
  it('the writable side of a child of ours: Writable and channel at once', async () => {
    const channel = createChannel<number>(64);
    const through = new PassThrough({ objectMode: true });
    const run = Stream.range(0, 30).to(channel, through);
    const both = await within(Promise.all([channel.toArray(), through.toArray()]));
    expect(both[0]).toEqual(both[1]);
    expect(await run).toBe(30);
  });

  it('a Writable that somebody destroys ends the run with an error', async () => {
    const writable = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(_value, _encoding, done) {
        setImmediate(done);
      },
    });
    const run = Stream.range(0, 1_000_000).to(writable);
    const failing = failureOf(Promise.resolve(run));
    await turns(5);
    writable.destroy();
    expect(await within(failing)).toBeInstanceOf(Error);
  });

  it('bytes to a Writable of bytes', async () => {
    const { writer, reader } = await openPipe();
    const target = new PassThrough();
    const sending = Stream.from<Uint8Array>(pieces(content)).to(writer);
    const writing = reader.to(target);
    const received = await within(bytesOf(target));
    expect(received.equals(content)).toBe(true);
    await within(Promise.all([sending, writing]));
  });

  it('no listener stays behind on what was read or written', async () => {
    const readable = Readable.from([1, 2, 3]);
    const writable = new PassThrough({ objectMode: true }).resume();
    const before = ['close', 'error', 'drain', 'finish', 'end'].map((event) =>
      writable.listenerCount(event),
    );
    await within(Promise.resolve(Stream.from<number>(readable).to(writable)));
    await until(() => writable.closed, 'the Writable to be closed');
    const after = ['close', 'error', 'drain', 'finish', 'end'].map((event) =>
      writable.listenerCount(event),
    );
    for (const [index, count] of after.entries()) {
      expect(count).toBeLessThanOrEqual(before[index]! + 1);
    }
    afterThisTest(() => readable.destroy());
  });
});

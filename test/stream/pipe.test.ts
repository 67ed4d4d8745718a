import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { Channel, ChannelClosed, Stream, ZooPipe, type PipeOptions } from 'zoosync';
import { expect, it } from 'vitest';
import { failureOf, isPending, pathOf, thrownBy, uniqueName, within } from '../support/index.js';
import { disposed } from './channels.js';

interface Ends {
  writer: ZooPipe;
  reader: ZooPipe;
}

/** Both ends of a new pipe, disposed of after the test. */
async function pipeWith(options: PipeOptions = {}): Promise<Ends> {
  const name = uniqueName('pipe');
  const made = disposed(ZooPipe.create(name, { memoryLimit: '64KiB', ...options }));
  const opened = disposed(await ZooPipe.open(name, { timeout: 10_000 }));
  return made.as === 'writer' ? { writer: made, reader: opened } : { writer: opened, reader: made };
}

async function readAll(reader: ZooPipe): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of reader) chunks.push(chunk);
  return Buffer.concat(chunks);
}

it('carries bytes in order, in any portions', async () => {
  const { writer, reader } = await pipeWith();
  await writer.write('hello ');
  await writer.write(Buffer.from('world'));
  expect(String(await reader.read(3))).toBe('hel');
  expect(String(await reader.read())).toBe('lo ');
  expect(String(await reader.read(5))).toBe('world');
  expect(await writer.end()).toBe(11);
  expect(await writer.end()).toBe(11);
  expect(await reader.read(5)).toBeNull();
  expect(await reader.read()).toBeNull();
});

it('takes either end, and the other is what open gives', async () => {
  const { writer, reader } = await pipeWith({ as: 'reader' });
  expect([writer.as, reader.as]).toEqual(['writer', 'reader']);
  await writer.write('x');
  await writer.close();
  expect(String(await readAll(reader))).toBe('x');
});

it('has one writer and one reader, then and later', async () => {
  const { writer, reader } = await pipeWith();
  const second = await failureOf(ZooPipe.open(writer.name));
  expect(second).toMatchObject({ code: 'ERR_ZOO_FULL' });
  expect(second.message).toContain('reader');
  await reader.close();
  expect(await failureOf(ZooPipe.open(writer.name))).toMatchObject({ code: 'ERR_ZOO_FULL' });
  const other = await pipeWith({ as: 'reader' });
  expect((await failureOf(ZooPipe.open(other.writer.name))).message).toContain('writer');
  expect(thrownBy(() => ZooPipe.create(writer.name)).code).toBe('ERR_ZOO_EXISTS');
});

it('gives exact portions, and a shorter one only at the end', async () => {
  const { writer, reader } = await pipeWith();
  const source = randomBytes(300_000);
  const sending = (async () => {
    for (let at = 0; at < source.length; at += 7001) {
      await writer.write(source.subarray(at, at + 7001));
    }
    await writer.end();
  })();
  const parts: Uint8Array[] = [];
  for await (const part of reader.chunks(100_001)) parts.push(part);
  await sending;
  expect(parts.map((part) => part.length)).toEqual([100_001, 100_001, 99_998]);
  expect(Buffer.concat(parts).equals(source)).toBe(true);
  expect(await reader.read(1)).toBeNull();
});

it('divides what is larger than its memory, and holds no more than that', async () => {
  const { writer, reader } = await pipeWith();
  const source = randomBytes(1_000_000);
  const writing = writer.write(source);
  expect(await isPending(writing)).toBe(true);
  expect(reader.stats().bytes).toBeLessThanOrEqual(64 * 1024);
  const first = await reader.read(10);
  expect(first).toEqual(source.subarray(0, 10));
  const rest = await within(reader.read(999_990), 'the rest');
  expect(rest?.equals(source.subarray(10))).toBe(true);
  await within(writing, 'the write');
});

it('waits for room, and says what it has', async () => {
  const { writer, reader } = await pipeWith();
  const size = writer.desiredSize ?? 0;
  expect(size).toBeGreaterThan(60_000);
  expect(reader.desiredSize).toBeNull();
  expect(writer.writeSync(new Uint8Array(size + 1))).toBe(false);
  expect(writer.writeSync(new Uint8Array(size))).toBe(true);
  expect(writer.desiredSize).toBe(0);
  expect(writer.writeSync('x')).toBe(false);
  expect(writer.trySend(Uint8Array.of(1))).toBe(false);
  const waiting = writer.write('x');
  expect(await isPending(waiting)).toBe(true);
  expect((await reader.read())?.length).toBe(size);
  await within(waiting, 'a write for which there is room');
  expect(writer.desiredSize).toBeGreaterThan(60_000);
  await writer.end();
  expect(writer.desiredSize).toBeNull();
});

it('gives up a write, and nothing of a chunk was written', async () => {
  const { writer, reader } = await pipeWith({ chunkSize: '32KiB' });
  await writer.write(new Uint8Array(60_000));
  expect(await failureOf(writer.write(new Uint8Array(30_000), { timeout: 5 }))).toMatchObject({
    code: 'ERR_ZOO_TIMEOUT',
    sent: 0,
  });
  const controller = new AbortController();
  const waiting = failureOf(writer.write(new Uint8Array(30_000), { signal: controller.signal }));
  controller.abort('enough');
  expect(await waiting).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
  await writer.end();
  expect((await readAll(reader)).length).toBe(60_000);
});

it('gives up a read, and loses nothing', async () => {
  const { writer, reader } = await pipeWith();
  expect(await failureOf(reader.read(5, { timeout: 5 }))).toMatchObject({
    code: 'ERR_ZOO_TIMEOUT',
  });
  await writer.write('abc');
  const controller = new AbortController();
  const waiting = failureOf(reader.read(5, { signal: controller.signal }));
  await nextTurn();
  controller.abort();
  expect(await waiting).toMatchObject({ code: 'ABORT_ERR' });
  expect(String(await reader.read(2))).toBe('ab');
  await writer.write('def');
  expect(String(await reader.read(3))).toBe('cde');
  expect(String(await reader.read())).toBe('f');
});

it('lets what waits for the end wake', async () => {
  const { writer, reader } = await pipeWith();
  const waits = [reader.read(), reader.read(10)];
  await nextTurn();
  await writer.end();
  expect(await within(Promise.all(waits), 'two reads')).toEqual([null, null]);
});

it('fails with what its writer gave up with, after what was written', async () => {
  const { writer, reader } = await pipeWith();
  await writer.write('abc');
  writer.fail(new RangeError('disk full'));
  writer.fail(new Error('only the first counts'));
  expect(String(await reader.read(2))).toBe('ab');
  const short = await failureOf(reader.read(2));
  expect(short).toBeInstanceOf(RangeError);
  expect(short).toMatchObject({ message: 'disk full', pid: process.pid });
  // What was too short for the portion is not lost, but never taken for a whole one.
  expect(String(await reader.read())).toBe('c');
  expect((await failureOf(reader.read())).message).toBe('disk full');
  expect((await failureOf(readAll(reader))).message).toBe('disk full');
  const refused = await failureOf(writer.write('x'));
  expect(refused).toBeInstanceOf(ChannelClosed);
});

it('shows chunks in place, and gives their room back as the loop goes on', async () => {
  const { writer, reader } = await pipeWith({ chunkSize: '4KiB' });
  const source = randomBytes(1_000_000);
  const sending = (async () => {
    await writer.write(source);
    await writer.end();
  })();
  const sha = createHash('sha256');
  let bytes = 0;
  for await (const { view } of reader.views()) {
    sha.update(view);
    bytes += view.length;
    expect(reader.stats().bytes).toBeLessThanOrEqual(64 * 1024);
  }
  await sending;
  expect(bytes).toBe(source.length);
  expect(sha.digest('hex')).toBe(createHash('sha256').update(source).digest('hex'));
  expect(await reader.read()).toBeNull();
});

it('shows a chunk that is as large as its memory', async () => {
  const { writer, reader } = await pipeWith();
  const size = writer.desiredSize ?? 0;
  expect(writer.writeSync(Buffer.alloc(size, 7))).toBe(true);
  const waiting = writer.write('after it');
  const loop = reader.views()[Symbol.asyncIterator]();
  const first = (await loop.next()).value?.view;
  expect(Buffer.alloc(size, 7).equals(first)).toBe(true);
  expect(await isPending(waiting)).toBe(true);
  expect(String((await within(loop.next(), 'the next chunk')).value?.view)).toBe('after it');
  await within(waiting, 'a write for which there is room');
});

it('shows what is left of a chunk, and what a read that was given up had gathered', async () => {
  const { writer, reader } = await pipeWith();
  await writer.write('abcdef');
  await writer.write('ghi');
  expect(String(await reader.read(4))).toBe('abcd');
  const loop = reader.views()[Symbol.asyncIterator]();
  expect(String((await loop.next()).value?.view)).toBe('ef');
  expect(String((await loop.next()).value?.view)).toBe('ghi');
  expect(await failureOf(reader.read(5, { timeout: 5 }))).toMatchObject({
    code: 'ERR_ZOO_TIMEOUT',
  });
  await writer.write('jkl');
  expect(await failureOf(reader.read(5, { timeout: 5 }))).toMatchObject({
    code: 'ERR_ZOO_TIMEOUT',
  });
  expect(String((await loop.next()).value?.view)).toBe('jkl');
  const waiting = loop.next();
  expect(await isPending(waiting)).toBe(true);
  writer.fail(new RangeError('disk full'));
  expect((await failureOf(within(waiting, 'the failure'))).message).toBe('disk full');
});

it('gives up a loop over views when its signal fires, and closes the reader', async () => {
  const { writer, reader } = await pipeWith();
  await writer.write('abc');
  const controller = new AbortController();
  const loop = reader.views({ signal: controller.signal })[Symbol.asyncIterator]();
  expect(String((await loop.next()).value?.view)).toBe('abc');
  const waiting = failureOf(loop.next());
  controller.abort('enough');
  expect(await waiting).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
  expect(await failureOf(writer.write('x'))).toMatchObject({ code: 'ERR_ZOO_ENDED' });
  expect(thrownBy(() => reader.views({ signal: 1 as unknown as AbortSignal })).code).toBe(
    'ERR_INVALID_ARG_TYPE',
  );
});

it('does not begin a loop over views whose signal has fired', async () => {
  const { writer, reader } = await pipeWith();
  await writer.write('abc');
  const loop = reader.views({ signal: AbortSignal.abort('enough') })[Symbol.asyncIterator]();
  expect(await failureOf(within(loop.next(), 'the abort'))).toMatchObject({
    code: 'ABORT_ERR',
    cause: 'enough',
  });
  expect(await loop.next()).toEqual({ done: true, value: undefined });
  expect(reader.closed).toBe(true);
});

it('tells its writer that the reader has closed, however it did', async () => {
  const ways: ((reader: ZooPipe) => Promise<unknown>)[] = [
    (reader) => reader.close(),
    (reader) => reader[Symbol.asyncDispose](),
    async (reader) => {
      for await (const chunk of reader) if (chunk.length > 0) break;
    },
    async (reader) => {
      for await (const { view } of reader.views()) if (view.length > 0) break;
    },
    async (reader) => {
      await reader.chunks(10).take(1).toArray();
    },
  ];
  for (const leave of ways) {
    const { writer, reader } = await pipeWith();
    const waiting = failureOf(writer.write(new Uint8Array(500_000)));
    await within(leave(reader), 'the reader to leave');
    const error = await within(waiting, 'a write that nobody reads');
    expect(error).toBeInstanceOf(ChannelClosed);
    expect(await failureOf(writer.write('x'))).toMatchObject({ code: 'ERR_ZOO_ENDED' });
    expect(thrownBy(() => writer.writeSync('x')).code).toBe('ERR_ZOO_ENDED');
    expect(writer.desiredSize).toBeNull();
    expect(await failureOf(reader.read())).toMatchObject({ code: 'ERR_ZOO_CLOSED' });
  }
});

it('frees a loop that waits', async () => {
  const { writer, reader } = await pipeWith();
  const loop = reader[Symbol.asyncIterator]();
  const waiting = loop.next();
  expect(await isPending(waiting)).toBe(true);
  await within(loop.return!(), 'return()');
  expect(await within(waiting, 'the next() that waited')).toEqual({ done: true, value: undefined });
  expect(await failureOf(writer.write('x'))).toMatchObject({ code: 'ERR_ZOO_ENDED' });
});

it('writes and reads at its own end only', async () => {
  const { writer, reader } = await pipeWith();
  expect(await failureOf(reader.write('x'))).toMatchObject({ code: 'ERR_ZOO_CLOSED' });
  expect(await failureOf(writer.read())).toMatchObject({ code: 'ERR_ZOO_CLOSED' });
  expect(await failureOf(writer.toArray())).toMatchObject({ code: 'ERR_ZOO_CLOSED' });
  expect(thrownBy(() => writer.chunks(1)).code).toBe('ERR_ZOO_CLOSED');
  expect(thrownBy(() => writer.views()).code).toBe('ERR_ZOO_CLOSED');
  await reader[Symbol.asyncDispose]();
  await writer[Symbol.asyncDispose]();
  expect(await failureOf(writer.write('x'))).toMatchObject({ code: 'ERR_ZOO_CLOSED' });
  expect(await failureOf(reader.read())).toMatchObject({ code: 'ERR_ZOO_CLOSED' });
  expect(thrownBy(() => writer.stats()).code).toBe('ERR_ZOO_CLOSED');
  expect(existsSync(pathOf(writer.name))).toBe(false);
});

it('is a source and a destination for streams and for Node', async () => {
  const { writer, reader } = await pipeWith({ chunkSize: '8KiB' });
  const source = randomBytes(400_000);
  const sending = Stream.from<Uint8Array>(Readable.from(source, { objectMode: false }))
    .through<Uint8Array>(createGzip())
    .to(writer);
  const hash = createHash('sha256');
  await within(pipeline(Readable.from(reader), createGunzip(), hash), 'the other side');
  await sending;
  expect(hash.digest('hex')).toBe(createHash('sha256').update(source).digest('hex'));
  const other = await pipeWith();
  const writing = pipeline(
    Readable.from([Buffer.from('a'), Buffer.from('b')]),
    other.writer.writable(),
  );
  expect(String(await within(readAll(other.reader), 'two chunks'))).toBe('ab');
  await writing;
});

it('has the methods of the Writer of node:stream/iter', async () => {
  const { writer, reader } = await pipeWith();
  await writer.writev(['a', Buffer.from('b')]);
  expect(writer.writevSync(['c', 'd'])).toBe(true);
  expect(writer.endSync()).toBe(4);
  expect(String(await readAll(reader))).toBe('abcd');
});

it('refuses options and arguments that make no sense', async () => {
  const name = uniqueName('options');
  for (const bad of [0, -1, 1.5, Number.NaN, Infinity]) {
    expect(thrownBy(() => ZooPipe.create(name, { memoryLimit: bad }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => ZooPipe.create(name, { chunkSize: bad }))).toBeInstanceOf(RangeError);
  }
  expect(thrownBy(() => ZooPipe.create(name, { as: 'both' as 'writer' })).code).toBe(
    'ERR_INVALID_ARG_VALUE',
  );
  expect(thrownBy(() => ZooPipe.create(name, { size: 1 } as PipeOptions)).code).toBe(
    'ERR_INVALID_ARG_VALUE',
  );
  expect(existsSync(pathOf(name))).toBe(false);
  const { writer, reader } = await pipeWith();
  for (const bad of [0, -1, 1.5, Number.NaN]) {
    expect(await failureOf(reader.read(bad))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => reader.chunks(bad))).toBeInstanceOf(RangeError);
  }
  expect(await failureOf(writer.write(7 as unknown as string))).toMatchObject({
    code: 'ERR_INVALID_ARG_TYPE',
  });
  const channel = disposed(Channel.create(uniqueName('channel'), { bytes: 4096 }));
  expect(await failureOf(ZooPipe.open(channel.name))).toMatchObject({ code: 'ERR_ZOO_KIND' });
  expect(await failureOf(ZooPipe.open(uniqueName('never'), { timeout: 10 }))).toMatchObject({
    code: 'ERR_ZOO_TIMEOUT',
  });
});

/** The examples of QueuePipeIO's guide: pipes, filters, and a transfer in exact parts. */
import { createHash, randomBytes } from 'node:crypto';
import { createDeflate, inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { ChannelClosed, Stream, ZooPipe, hash } from 'zoosync';
import {
  afterThisTest,
  failureOf,
  isPending,
  turns,
  uniqueName,
  within,
} from '../support/index.js';

const MiB = 2 ** 20;

interface Pair {
  writer: ZooPipe;
  reader: ZooPipe;
}

/** Both ends of a pipe, given up after the test. */
async function makePipe(options: { memoryLimit?: number; chunkSize?: number } = {}): Promise<Pair> {
  const name = uniqueName('pipe');
  const writer = ZooPipe.create(name, options);
  afterThisTest(() => writer[Symbol.asyncDispose]());
  const reader = await ZooPipe.open(name);
  afterThisTest(() => reader[Symbol.asyncDispose]());
  return { writer, reader };
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

it('basic usage: a producer, a consumer, an end', async () => {
  const { writer, reader } = await makePipe({ memoryLimit: MiB });
  const producing = (async () => {
    await writer.write(Buffer.from('Hello, World!'));
    await writer.end();
  })();

  expect(Buffer.from((await reader.read()) ?? []).toString()).toBe('Hello, World!');
  expect(await reader.read()).toBeNull();
  await producing;
});

it('a pipeline with a hashing filter: digest and count without holding the data', async () => {
  const { writer, reader } = await makePipe({ memoryLimit: 4 * MiB });
  const data = randomBytes(10 * MiB);
  const hasher = hash('sha256');
  const chunks = Array.from({ length: 160 }, (_, index) =>
    data.subarray(index * 65_536, (index + 1) * 65_536),
  );

  const [, received] = await Promise.all([
    Stream.from(chunks).through(hasher).to(writer),
    readAll(reader),
  ]);

  expect(received.equals(data)).toBe(true);
  expect(hasher.bytes).toBe(data.length);
  expect(hasher.digest('hex')).toBe(sha256(data));
});

interface Upload {
  parts: number[];
  state: 'open' | 'completed' | 'aborted';
}

/** What the guide's `upload()` does, and the abort that it forgets. */
async function uploadInParts(reader: ZooPipe, partBytes: number): Promise<Upload> {
  const upload: Upload = { parts: [], state: 'open' };
  try {
    for (;;) {
      const part = await reader.read(partBytes);
      if (part === null) break;
      upload.parts.push(part.length);
    }
    upload.state = 'completed';
  } catch {
    upload.state = 'aborted';
  }
  return upload;
}

it('a transfer in parts: each has exactly the size asked for, only the last is shorter', async () => {
  const { writer, reader } = await makePipe({ memoryLimit: 4 * MiB });
  const download = Array.from({ length: 12 }, () => randomBytes(MiB));
  download.push(randomBytes(12_345));

  const [, upload] = await Promise.all([
    Stream.from(download).to(writer),
    uploadInParts(reader, 5 * MiB),
  ]);

  expect(upload).toEqual({ parts: [5 * MiB, 5 * MiB, 2 * MiB + 12_345], state: 'completed' });
});

it('a download that fails half-way: the upload is aborted, not completed', async () => {
  const { writer, reader } = await makePipe({ memoryLimit: 4 * MiB });
  const failing = Stream.range(0, 10).map((index) => {
    if (index === 7) throw new Error('connection reset');
    return Buffer.alloc(MiB, index);
  });

  const run = failing.to(writer);
  const [upload, failure] = await Promise.all([
    uploadInParts(reader, 5 * MiB),
    failureOf(Promise.resolve(run)),
  ]);

  expect(failure.message).toBe('connection reset');
  expect(upload.state).toBe('aborted');
  expect(upload.parts[0]).toBe(5 * MiB);
});

it('memory management: at the limit the writer waits, and nothing of it is lost', async () => {
  const { writer, reader } = await makePipe({ memoryLimit: MiB, chunkSize: 65_536 });
  const chunk = Buffer.alloc(65_536, 7);
  let accepted = 0;
  while (writer.writeSync(chunk)) accepted += 1;
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThanOrEqual(16);

  const waiting = writer.write(chunk);
  expect(await isPending(waiting)).toBe(true);
  const late = await failureOf(writer.write(chunk, { timeout: 20 }));
  expect(late.code).toBe('ERR_ZOO_TIMEOUT');

  const reading = readAll(reader);
  await within(waiting, 'the waiting write');
  await writer.end();
  expect((await reading).length).toBe((accepted + 1) * chunk.length);
});

it('the limit holds for the whole pipeline: filters add a chunk each, not a queue', async () => {
  const { writer } = await makePipe({ memoryLimit: MiB });
  let made = 0;
  async function* passOn(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* source;
  }
  const run = Stream.range(0, 1_000)
    .map(() => {
      made += 65_536;
      return Buffer.alloc(65_536);
    })
    .through(passOn)
    .through(passOn)
    .to(writer);
  // Nobody reads: the ring fills, then the source rests.
  let before = -1;
  await within(
    (async () => {
      while (before !== made) {
        before = made;
        await turns(200);
      }
    })(),
    'a source that rests',
  );

  expect(made).toBeLessThan(65_536_000 / 4);
  await run.cancel();
  await failureOf(Promise.resolve(run));
});

it('custom filters: compression that flushes its end, by function and by Transform', async () => {
  /** Byte and length; a run may go on in the next chunk, so the last one comes at the end. */
  async function* runLengths(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let byte = -1;
    let length = 0;
    for await (const chunk of source) {
      for (const next of chunk) {
        if (next === byte && length < 255) {
          length += 1;
          continue;
        }
        if (length > 0) yield Uint8Array.of(byte, length);
        byte = next;
        length = 1;
      }
    }
    if (length > 0) yield Uint8Array.of(byte, length);
  }
  const first = await makePipe();
  const [, packed] = await Promise.all([
    Stream.from([Buffer.from('aaab'), Buffer.from('bbbc')])
      .through(runLengths)
      .to(first.writer),
    readAll(first.reader),
  ]);
  expect([...packed]).toEqual([97, 3, 98, 4, 99, 1]);

  const second = await makePipe();
  const text = Buffer.alloc(3 * MiB, 'compress me, there is a lot of the same. ');
  const [, deflated] = await Promise.all([
    Stream.from([text.subarray(0, MiB), text.subarray(MiB)])
      .through(createDeflate({ level: 9 }))
      .to(second.writer),
    readAll(second.reader),
  ]);
  expect(deflated.length).toBeLessThan(text.length / 10);
  expect(inflateSync(deflated).equals(text)).toBe(true);
});

it('a filter that fails: what came before it, then the error, and never a clean end', async () => {
  const { writer, reader } = await makePipe();
  async function* failing(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let passed = 0;
    for await (const chunk of source) {
      if (passed === 2) throw new TypeError('broken filter');
      passed += 1;
      yield chunk;
    }
  }
  const chunks = Array.from({ length: 10 }, () => Buffer.alloc(1_000));
  const running = failureOf(Promise.resolve(Stream.from(chunks).through(failing).to(writer)));

  let bytes = 0;
  const failure = await failureOf(
    (async () => {
      for await (const chunk of reader) bytes += chunk.length;
    })(),
  );
  expect(bytes).toBe(2_000);
  expect(failure).toMatchObject({ name: 'TypeError', message: 'broken filter' });
  expect((await running).message).toBe('broken filter');
});

it('a reader that stops early: the writer learns of it instead of waiting for ever', async () => {
  const { writer, reader } = await makePipe({ memoryLimit: MiB });
  const writing = failureOf(
    (async () => {
      for (;;) await writer.write(Buffer.alloc(65_536));
    })(),
  );
  for await (const chunk of reader) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  expect(await within(writing, 'the writer to learn of it')).toBeInstanceOf(ChannelClosed);
});

it('migration from the bidirectional pipe: one for each direction', async () => {
  const there = await makePipe();
  const back = await makePipe();
  const echo = there.reader.map((chunk) => Buffer.from(chunk).reverse()).to(back.writer);
  await there.writer.write(Buffer.from('drawer'));
  await there.writer.end();

  expect((await readAll(back.reader)).toString()).toBe('reward');
  expect(await echo).toBe(1);
});

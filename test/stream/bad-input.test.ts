/** Wrong arguments and wrong moments: documented codes, at once, and the other end hears of it. */
import { describe, expect, it } from 'vitest';
import {
  Broadcast,
  Channel,
  ChannelClosed,
  Err,
  Ok,
  Stream,
  ZooLock,
  ZooMemory,
  ZooPipe,
  ZooQueue,
  assemble,
  hash,
  segments,
  type Segment,
  type Sink,
} from 'zoosync';
import {
  codeOf,
  failureOf,
  leftovers,
  startPeer,
  thrownBy,
  track,
  turns,
  uniqueName,
  until,
  within,
} from '../support/index.js';
import { disposeAfter } from './conformance-sources.js';
import { RecordingSink } from './recording-sinks.js';

/** Lets a test hand over what the types forbid. */
function anything<T>(value: unknown): T {
  return value as T;
}

const badCounts: [string, unknown][] = [
  ['0', 0],
  ['-1', -1],
  ['NaN', Number.NaN],
  ['1.5', 1.5],
];
const numberCodes = /^ERR_(OUT_OF_RANGE|INVALID_ARG_VALUE)$/;
const argumentCodes = /^ERR_(OUT_OF_RANGE|INVALID_ARG_VALUE|INVALID_ARG_TYPE)$/;

function createChannel<T>(options: Parameters<typeof Channel.create>[1] = {}): Channel<T> {
  return disposeAfter(Channel.create<T>(uniqueName('channel'), { bytes: '32KiB', ...options }));
}

async function openPipe(): Promise<{ writer: ZooPipe; reader: ZooPipe }> {
  const writer = disposeAfter(
    ZooPipe.create(uniqueName('pipe'), { memoryLimit: '16KiB', chunkSize: '1KiB' }),
  );
  return { writer, reader: disposeAfter(await ZooPipe.open(writer.name)) };
}

describe('numbers that make no sense', () => {
  const stream = Stream.range(0, 3);
  const uses: [string, (count: number) => unknown][] = [
    ['Channel.local(count)', (count) => Channel.local(count)],
    ['Channel.create capacity', (capacity) => Channel.create(uniqueName(), { capacity })],
    ['Channel.create bytes', (bytes) => Channel.create(uniqueName(), { bytes })],
    ['Channel.create prefetch', (prefetch) => Channel.create(uniqueName(), { prefetch })],
    ['ZooPipe.create memoryLimit', (memoryLimit) => ZooPipe.create(uniqueName(), { memoryLimit })],
    ['ZooPipe.create chunkSize', (chunkSize) => ZooPipe.create(uniqueName(), { chunkSize })],
    ['stage workers', (workers) => stage(workers)],
    ['attempt workers', (workers) => stream.attempt((value) => value, { workers })],
    ['batch(size)', (size) => stream.batch(size)],
    ['window({ size })', (size) => stream.window({ size, step: 1 })],
    ['window({ step })', (step) => stream.window({ size: 2, step })],
    ['segments(size)', (size) => segments(size)],
    ['assemble({ maxBytes })', (maxBytes) => assemble({ maxBytes })],
    ['Broadcast buffer', (buffer) => new Broadcast(stream).stream({ buffer })],
  ];

  function stage(workers: number): Stream<number> {
    return stream.stage((value) => value, { workers });
  }

  describe.each(uses)('%s', (_name, use) => {
    it.each(badCounts)('%s is refused at once', (_text, count) => {
      const failure = thrownBy(() => use(count as number));
      expect(failure).toBeInstanceOf(count === 1.5 ? Error : RangeError);
      expect(failure.code).toMatch(numberCodes);
      expect(leftovers()).toEqual([]);
    });

    it('something that is no number is refused at once', () => {
      expect(thrownBy(() => use(anything<number>({}))).code).toMatch(argumentCodes);
      expect(leftovers()).toEqual([]);
    });
  });

  it.each([
    ['-1', -1],
    ['NaN', Number.NaN],
    ['1.5', 1.5],
  ])('take(%s)', (_text, count) => {
    expect(thrownBy(() => stream.take(count)).code).toMatch(numberCodes);
  });

  it.each([
    ['-1', -1],
    ['NaN', Number.NaN],
  ])('times of %s', (_text, ms) => {
    expect(thrownBy(() => stream.batch(2, { ms })).code).toMatch(numberCodes);
    expect(thrownBy(() => stream.window({ ms, at: (value) => value })).code).toMatch(numberCodes);
  });

  it('Stream.range with a step of 0, or with no numbers', async () => {
    expect(thrownBy(() => Stream.range(0, 5, 0))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(thrownBy(() => Stream.range(Number.NaN, 5)).code).toMatch(argumentCodes);
    expect(thrownBy(() => Stream.range(0, anything<number>('5'))).code).toMatch(argumentCodes);
    expect(await Stream.range(5, 0, -2).toArray()).toEqual([5, 3, 1]);
    expect(await Stream.range(0, 5, 2).toArray()).toEqual([0, 2, 4]);
    expect(await Stream.range(5, 0).toArray()).toEqual([]);
  });

  it('pipe: read and chunks of no bytes', async () => {
    const { reader } = await openPipe();
    for (const [, count] of badCounts) {
      expect(await codeOf(() => reader.chunks(count as number))).toMatch(numberCodes);
      if (count === 0) continue;
      expect(await codeOf(() => reader.read(count as number))).toMatch(numberCodes);
    }
  });

  it('timeouts that make no sense', async () => {
    const channel = disposeAfter(Channel.local<number>(1));
    const shared = createChannel<number>();
    const { reader } = await openPipe();
    for (const timeout of [-1, Number.NaN]) {
      expect(await codeOf(() => channel.receive({ timeout }))).toMatch(numberCodes);
      expect(await codeOf(() => shared.receive({ timeout }))).toMatch(numberCodes);
      expect(await codeOf(() => reader.read(1, { timeout }))).toMatch(numberCodes);
    }
  });
});

describe('things that are something else', () => {
  const stream = Stream.range(0, 3);

  it.each([
    ['undefined', undefined],
    ['a number', 5],
    ['a plain object', {}],
    ['null', null],
  ])('Stream.from(%s)', (_text, source) => {
    expect(thrownBy(() => Stream.from(anything<number[]>(source))).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
    expect(thrownBy(() => Stream.merge(stream, anything<number[]>(source))).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
    expect(thrownBy(() => new Broadcast(anything<Stream<number>>(source))).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
  });

  it.each([
    'map',
    'filter',
    'flatMap',
    'stage',
    'attempt',
    'errorsTo',
    'subscribe',
    'reduce',
  ] as const)('%s without a function', async (operator) => {
    const use = stream as unknown as Record<string, (argument: unknown) => unknown>;
    expect(await codeOf(() => use[operator]?.(undefined))).toBe('ERR_INVALID_ARG_TYPE');
    expect(await codeOf(() => use[operator]?.({}))).toBe('ERR_INVALID_ARG_TYPE');
  });

  it('through and to with what is neither filter nor sink', async () => {
    expect(thrownBy(() => stream.through(anything<() => AsyncIterable<number>>({}))).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
    expect(await codeOf(() => stream.to(anything<Sink<number>>({ send: 1 })))).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
    expect(await codeOf(() => stream.to(anything<Sink<number>>(undefined)))).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
    expect(await codeOf(() => stream.to())).toMatch(argumentCodes);
  });

  it('a filter that gives back no iterable', async () => {
    const filter = anything<(source: AsyncIterable<number>) => AsyncIterable<number>>(() => 5);
    expect(await codeOf(within(stream.through(filter).toArray()))).toBe('ERR_INVALID_ARG_TYPE');
  });

  it('an unknown digest', () => {
    expect(() => hash('no such digest')).toThrow(Error);
  });

  it('a signal that is none', async () => {
    const signal = anything<AbortSignal>({});
    expect(await codeOf(() => stream.with({ signal }))).toBe('ERR_INVALID_ARG_TYPE');
    expect(await codeOf(() => stream.toArray({ signal }))).toBe('ERR_INVALID_ARG_TYPE');
    const channel = disposeAfter(Channel.local<number>(1));
    expect(await codeOf(() => channel.receive({ signal }))).toBe('ERR_INVALID_ARG_TYPE');
  });

  it('unknown options are named', async () => {
    const uses: [string, () => unknown][] = [
      ['capcity', () => Channel.create(uniqueName(), anything({ capcity: 1 }))],
      ['whenful', () => Channel.local(1, anything({ whenful: 'wait' }))],
      ['memorylimit', () => ZooPipe.create(uniqueName(), anything({ memorylimit: 1 }))],
      ['wrokers', () => stream.stage((value) => value, anything({ wrokers: 1 }))],
      ['Ms', () => stream.batch(2, anything({ Ms: 1 }))],
      ['Step', () => stream.window(anything({ size: 2, Step: 1 }))],
      ['bufer', () => new Broadcast(stream).stream(anything({ bufer: 1 }))],
      ['maxbytes', () => assemble(anything({ maxbytes: 1 }))],
      ['Signal', () => stream.toArray(anything({ Signal: undefined }))],
      ['timeOut', () => Channel.open(uniqueName(), anything({ timeOut: 1 }))],
    ];
    for (const [option, use] of uses) {
      const failure = await failureOf(use);
      expect(failure.code, option).toBe('ERR_INVALID_ARG_VALUE');
      expect(failure.message).toContain(option);
    }
  });

  it('unknown values of options', () => {
    expect(thrownBy(() => Channel.local(1, anything({ whenFull: 'explode' }))).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    expect(
      thrownBy(() => new Broadcast(stream).stream(anything({ whenFull: 'explode' }))).code,
    ).toBe('ERR_INVALID_ARG_VALUE');
    expect(thrownBy(() => ZooPipe.create(uniqueName(), anything({ as: 'both' }))).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
  });

  it('names that are none', async () => {
    for (const name of ['', '.', '..', 'a/b', 'ä', 'x'.repeat(201)]) {
      expect(thrownBy(() => Channel.create(name)).code).toBe('ERR_INVALID_ARG_VALUE');
      expect(thrownBy(() => ZooPipe.create(name)).code).toBe('ERR_INVALID_ARG_VALUE');
      expect(await codeOf(() => Channel.open(name))).toBe('ERR_INVALID_ARG_VALUE');
      expect(await codeOf(() => ZooPipe.open(name))).toBe('ERR_INVALID_ARG_VALUE');
    }
  });

  it('a name and the same with a slash are one', async () => {
    const channel = createChannel<number>();
    const other = disposeAfter(await Channel.open<number>(`/${channel.name.replace(/^\//, '')}`));
    await channel.send(1);
    expect(await other.receive()).toBe(1);
  });
});

describe('the name is something else', () => {
  it('a channel, a pipe and the primitives are told apart', async () => {
    const channel = createChannel<number>();
    const { writer } = await openPipe();
    const memory = track(ZooMemory.create(uniqueName('memory'), 64));
    const lock = track(new ZooLock(uniqueName('lock')));
    expect(await codeOf(ZooPipe.open(channel.name, { timeout: 50 }))).toBe('ERR_ZOO_KIND');
    expect(await codeOf(Channel.open(writer.name, { timeout: 50 }))).toBe('ERR_ZOO_KIND');
    for (const other of [memory, lock]) {
      expect(await codeOf(Channel.open(other.name, { timeout: 50 }))).toBe('ERR_ZOO_KIND');
      expect(await codeOf(ZooPipe.open(other.name, { timeout: 50 }))).toBe('ERR_ZOO_KIND');
    }
  });

  it('a plain queue is no channel', async () => {
    const queue = track(ZooQueue.create(uniqueName('queue'), { size: '16KiB' }));
    expect(await codeOf(Channel.open(queue.name, { timeout: 50 }))).toMatch(
      /^ERR_ZOO_(KIND|TIMEOUT|NOT_FOUND)$/,
    );
  });

  it('create where one is alive', async () => {
    const channel = createChannel<number>();
    const { writer } = await openPipe();
    expect(await codeOf(() => Channel.create(channel.name))).toBe('ERR_ZOO_EXISTS');
    expect(await codeOf(() => ZooPipe.create(writer.name))).toBe('ERR_ZOO_EXISTS');
    await channel.send(1);
    expect(await channel.receive()).toBe(1);
  });

  it('open with another codec', async () => {
    const channel = createChannel<unknown>({ codec: 'json' });
    expect(await codeOf(Channel.open(channel.name, { codec: 'v8' }))).toBe('ERR_ZOO_INCOMPATIBLE');
    const own = { name: 'own', encode: () => new Uint8Array(1), decode: () => 1 };
    expect(await codeOf(Channel.open(channel.name, { codec: own }))).toBe('ERR_ZOO_INCOMPATIBLE');
    // An option left out agrees with what is there.
    const reader = disposeAfter(await Channel.open<unknown>(channel.name));
    await channel.send({ a: [1, null] });
    expect(await reader.receive()).toEqual({ a: [1, null] });
    const same = disposeAfter(await Channel.open<unknown>(channel.name, { codec: 'json' }));
    await channel.send('again');
    expect(await same.receive()).toBe('again');
  });
});

describe('values that cannot travel', () => {
  it('are refused by path, and nothing was sent', async () => {
    const channel = createChannel<unknown>();
    for (const use of [
      () => channel.send({ a: { list: [1, () => 1] } }),
      () => channel.trySend({ a: { list: [1, () => 1] } }),
    ]) {
      const failure = await failureOf(use);
      expect(failure.code).toBe('ERR_ZOO_UNSENDABLE');
      expect(failure.message).toContain('a.list[1]');
    }
    await channel.send('fine');
    expect(await channel.receive()).toBe('fine');
  });

  it('end a run, and the reader gets the failure', async () => {
    const channel = createChannel<unknown>({ capacity: 8 });
    const run = Stream.from<unknown>([1, () => 1, 2]).to(channel);
    expect(await codeOf(within(Promise.resolve(run)))).toBe('ERR_ZOO_UNSENDABLE');
    expect(await channel.receive()).toBe(1);
    expect(await codeOf(within(channel.receive()))).toBe('ERR_ZOO_UNSENDABLE');
  });

  it('messages larger than the ring', async () => {
    const channel = createChannel<Uint8Array>();
    for (const use of [
      () => channel.send(new Uint8Array(1_000_000)),
      () => channel.trySend(new Uint8Array(1_000_000)),
    ]) {
      expect(await failureOf(use)).toMatchObject({ code: 'ERR_ZOO_TOO_LARGE' });
    }
    await channel.send(Uint8Array.of(1));
    expect([...(await channel.receive())]).toEqual([1]);
  });

  it('what is no bytes in a pipe', async () => {
    const { writer } = await openPipe();
    for (const value of [5, [1], {}, undefined]) {
      const bytes = anything<Uint8Array>(value);
      expect(await codeOf(() => writer.send(bytes))).toBe('ERR_INVALID_ARG_TYPE');
      expect(await codeOf(() => writer.trySend(bytes))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  it('undefined and null are told apart from nothing', async () => {
    const channel = disposeAfter(Channel.local<unknown>(4));
    await channel.send(null);
    await channel.send(0);
    await channel.close();
    expect(await channel.toArray()).toEqual([null, 0]);
  });
});

describe('closing with something unusual', () => {
  const reasons: [string, unknown][] = [
    ['text', 'the lens cap is on'],
    ['null', null],
    ['a plain object', { why: ['no', 'light'] }],
    ['an AggregateError', new AggregateError([new Error('one'), new Error('two')], 'both')],
    ['an error that is its own cause', circular()],
    ['an error that is frozen', Object.freeze(new RangeError('frozen'))],
  ];

  function circular(): Error {
    const error = new Error('round and round');
    error.cause = error;
    return error;
  }

  it.each(reasons)('%s', async (_text, reason) => {
    for (const channel of [Channel.local<number>(1), createChannel<number>()]) {
      disposeAfter(channel);
      await channel.close(reason);
      let caught: unknown = 'nothing was thrown';
      await within(channel.receive()).catch((error: unknown) => {
        caught = error;
      });
      if (!(reason instanceof Error)) {
        expect(caught).toEqual(reason);
        continue;
      }
      expect(caught).toBeInstanceOf(reason.constructor);
      expect((caught as Error).message).toBe(reason.message);
      if (reason instanceof AggregateError) {
        expect((caught as AggregateError).errors).toHaveLength(2);
      }
    }
  });

  it('an error too large for the channel arrives shortened', async () => {
    const channel = createChannel<number>();
    await channel.close(new RangeError('too much to say '.repeat(100_000)));
    const failure = await failureOf(within(channel.receive()));
    expect(failure).toBeInstanceOf(RangeError);
    expect(failure.message).toContain('too much to say');
  });
});

describe('the wrong moment', () => {
  it('sending after close', async () => {
    for (const channel of [disposeAfter(Channel.local<number>(2)), createChannel<number>()]) {
      await channel.close();
      await channel.close();
      const failure = await failureOf(channel.send(1));
      expect(failure).toBeInstanceOf(ChannelClosed);
      expect(failure).toMatchObject({ name: 'ChannelClosed', code: 'ERR_ZOO_ENDED' });
      expect(await codeOf(() => channel.trySend(1))).toBe('ERR_ZOO_ENDED');
    }
  });

  it('anything after dispose', async () => {
    for (const channel of [Channel.local<number>(2), createChannel<number>()]) {
      const receiving = codeOf(channel.receive());
      await turns(2);
      await channel[Symbol.asyncDispose]();
      await channel[Symbol.asyncDispose]();
      expect(await within(receiving, 'a receive that waited')).toBe('ERR_ZOO_CLOSED');
      expect(channel.closed).toBe(true);
      expect(await codeOf(() => channel.receive())).toBe('ERR_ZOO_CLOSED');
      expect(await codeOf(() => channel.send(1))).toBe('ERR_ZOO_CLOSED');
      expect(await codeOf(() => channel.trySend(1))).toBe('ERR_ZOO_CLOSED');
      expect(await codeOf(() => channel.tryReceive())).toBe('ERR_ZOO_CLOSED');
      expect(await codeOf(() => channel.toArray())).toBe('ERR_ZOO_CLOSED');
    }
    const { writer, reader } = await openPipe();
    const reading = codeOf(reader.read());
    await reader[Symbol.asyncDispose]();
    expect(await within(reading, 'a read that waited')).toBe('ERR_ZOO_CLOSED');
    expect(await codeOf(() => reader.read())).toBe('ERR_ZOO_CLOSED');
    await writer[Symbol.asyncDispose]();
    expect(await codeOf(() => writer.write(Uint8Array.of(1)))).toBe('ERR_ZOO_CLOSED');
  });

  it('a write that gave up says how much of it went in', async () => {
    const { writer, reader } = await openPipe();
    const first = failureOf(writer.write(new Uint8Array(40_000)));
    const controller = new AbortController();
    const second = failureOf(writer.write(new Uint8Array(40_000), { signal: controller.signal }));
    await turns(3);
    expect((await within(reader.read(8000)))?.length).toBe(8000);
    const { sent: before } = writer.stats();
    controller.abort();
    expect(await within(second)).toMatchObject({ name: 'AbortError', sent: 0 });
    expect(before).toBeGreaterThan(0);
    await reader[Symbol.asyncDispose]();
    expect((await within(first)).sent).toBeGreaterThanOrEqual(8000);
  });

  it('two readers on a pipe, two writers on a pipe', async () => {
    const { writer, reader } = await openPipe();
    expect(await codeOf(ZooPipe.open(writer.name))).toBe('ERR_ZOO_FULL');
    const peer = await startPeer();
    expect(
      await codeOf(
        peer.run(async ({ zoosync }, name) => void (await zoosync.ZooPipe.open(name)), writer.name),
      ),
    ).toBe('ERR_ZOO_FULL');
    // The one that is there is not disturbed.
    await writer.write(Uint8Array.of(1));
    expect([...(await reader.read(1))!]).toEqual([1]);

    const end = disposeAfter(
      ZooPipe.create(uniqueName('pipe'), { memoryLimit: '16KiB', as: 'reader' }),
    );
    const other = disposeAfter(await ZooPipe.open(end.name));
    expect(await codeOf(ZooPipe.open(end.name))).toBe('ERR_ZOO_FULL');
    await other.write(Uint8Array.of(2));
    expect([...(await end.read(1))!]).toEqual([2]);
  });

  it('reading from the end that writes, writing to the end that reads', async () => {
    const { writer, reader } = await openPipe();
    expect(await failureOf(() => writer.read())).toBeInstanceOf(Error);
    expect(await failureOf(() => writer.toArray())).toBeInstanceOf(Error);
    expect(await failureOf(() => reader.write(Uint8Array.of(1)))).toBeInstanceOf(Error);
    expect(await failureOf(() => reader.writeSync(Uint8Array.of(1)))).toBeInstanceOf(Error);
  });

  it('a stream of a Broadcast read a second time, or asked for too late', async () => {
    const broadcast = new Broadcast(Stream.range(0, 3));
    const stream = broadcast.stream({ buffer: 5 });
    await broadcast.run();
    expect(await within(stream.toArray())).toEqual([0, 1, 2]);
    expect(await codeOf(within(stream.toArray()))).toBe('ERR_ZOO_CLOSED');
    expect(await within(broadcast.stream().toArray())).toEqual([]);
  });

  it('a Broadcast run twice runs once', async () => {
    const broadcast = new Broadcast(Stream.range(0, 3));
    const taken: number[] = [];
    const subscription = broadcast.subscribe((value) => void taken.push(value));
    const run = broadcast.run();
    expect(await broadcast.run()).toBe(3);
    expect(await run).toBe(3);
    await subscription;
    expect(taken).toEqual([0, 1, 2]);
  });
});

describe('a filter that misbehaves', () => {
  /** Numbers without end, and whether somebody has let go of them. */
  function endless(): { stream: Stream<number>; left: () => boolean } {
    let left = false;
    async function* source(): AsyncGenerator<number> {
      try {
        for (let value = 0; ; value += 1) yield value;
      } finally {
        left = true;
      }
    }
    return { stream: Stream.from(source()), left: () => left };
  }

  it('throws at once, or in the middle: the sink gets the error', async () => {
    for (const after of [0, 2]) {
      const { stream, left } = endless();
      const thrown = new Error('bad filter');
      const sink = new RecordingSink<number>();
      const run = stream
        .through(async function* (source: AsyncIterable<number>) {
          let count = 0;
          for await (const value of source) {
            if (count === after) throw thrown;
            count += 1;
            yield value;
          }
        })
        .to(sink);
      expect(await failureOf(within(Promise.resolve(run)))).toBe(thrown);
      expect(sink.items).toHaveLength(after);
      expect(sink.closings).toEqual([thrown]);
      await until(left, 'the source to be let go of');
    }
  });

  it('throws before it gives back an iterable', async () => {
    const thrown = new Error('bad filter');
    const stream = Stream.range(0, 3).through((): AsyncIterable<number> => {
      throw thrown;
    });
    expect(await failureOf(within(stream.toArray()))).toBe(thrown);
  });

  it('never reads: the source is let go of, and what it gives is the result', async () => {
    const { stream } = endless();
    const filtered = stream.through(async function* () {
      yield 'a constant';
    });
    expect(await within(filtered.toArray())).toEqual(['a constant']);
  });

  it('stops reading before the end: so does the source', async () => {
    const { stream, left } = endless();
    const filtered = stream.through(async function* (source: AsyncIterable<number>) {
      for await (const value of source) {
        yield value;
        if (value === 2) return;
      }
    });
    expect(await within(filtered.toArray())).toEqual([0, 1, 2]);
    await until(left, 'the source to be let go of');
  });

  it('never ends: a signal stops it', async () => {
    const { stream, left } = endless();
    const controller = new AbortController();
    let heard: AbortSignal | undefined;
    const taking = failureOf(
      stream
        .through(async function* (source: AsyncIterable<number>, { signal }) {
          heard = signal;
          for await (const value of source) yield value;
          await new Promise(() => undefined);
        })
        .toArray({ signal: controller.signal }),
    );
    await until(() => heard, 'the filter to start');
    controller.abort('enough');
    expect(await within(taking)).toMatchObject({ name: 'AbortError', cause: 'enough' });
    expect(heard?.aborted).toBe(true);
    await until(left, 'the source to be let go of');
  });

  it('reads to the end and then waits for ever: a break gets away from it', async () => {
    const stream = Stream.range(0, 2).through(async function* (source: AsyncIterable<number>) {
      for await (const value of source) yield value;
      await new Promise(() => undefined);
    });
    const iterator = stream[Symbol.asyncIterator]();
    expect((await within(iterator.next())).value).toBe(0);
    expect((await within(iterator.next())).value).toBe(1);
    const waiting = iterator.next();
    await turns(3);
    await within(iterator.return!(), 'return()');
    expect((await within(waiting)).done).toBe(true);
  });

  it('catches the error of its source: then it decides how the stream ends', async () => {
    const thrown = new Error('the source broke');
    const source = Stream.range(0, 5).map((value) => {
      if (value === 2) throw thrown;
      return value;
    });
    const stream = source.through(async function* (values: AsyncIterable<number>) {
      try {
        for await (const value of values) yield value;
      } catch (error) {
        yield (error as Error).message;
      }
    });
    expect(await within(stream.toArray())).toEqual([0, 1, 'the source broke']);
  });
});

describe('segments and assemble', () => {
  const bytes = Uint8Array.from({ length: 10 }, (_, index) => index);

  async function cut(id: string, size = 3): Promise<Segment[]> {
    return await Stream.from([{ id, bytes }]).through(segments(size)).toArray();
  }

  async function put(list: readonly unknown[], options = {}): Promise<[unknown, number[]][]> {
    const assembled = await within(
      Stream.from(anything<Segment[]>(list)).through(assemble(options)).toArray(),
      'assembled files',
    );
    return assembled.map(({ id, bytes }) => [id, [...bytes]]);
  }

  it('cut with index, count and checksum, and put together again', async () => {
    const list = await cut('a');
    expect(list.map(({ id, index, count, bytes }) => [id, index, count, bytes.length])).toEqual([
      ['a', 0, 4, 3],
      ['a', 1, 4, 3],
      ['a', 2, 4, 3],
      ['a', 3, 4, 1],
    ]);
    expect(new Set(list.map(({ crc32 }) => typeof crc32))).toEqual(new Set(['number']));
    expect(await put(list)).toEqual([['a', [...bytes]]]);
  });

  it('an empty file', async () => {
    const list = await Stream.from([{ id: 'none', bytes: new Uint8Array(0) }])
      .through(segments(3))
      .toArray();
    expect(list).toHaveLength(1);
    expect(await put(list)).toEqual([['none', []]]);
  });

  it('interleaved, out of order, and twice', async () => {
    const [a, b] = [await cut('a'), await cut('b', 4)];
    const mixed = [b[1], a[3], a[0], a[0], b[0], a[2], b[0], a[1], b[2]];
    expect(await put(mixed)).toEqual([
      ['a', [...bytes]],
      ['b', [...bytes]],
    ]);
  });

  it('gaps are reported at the end', async () => {
    const list = await cut('a');
    const failure = await failureOf(put([list[0], list[1], list[3]]));
    expect(failure.code).toBe('ERR_ZOO_CORRUPT');
    expect(failure.message).toContain('a');
  });

  it('damage is reported', async () => {
    const list = await cut('a');
    const damaged = { ...list[1], bytes: Uint8Array.of(9, 9, 9) };
    expect(await codeOf(put([list[0], damaged, list[2], list[3]]))).toBe('ERR_ZOO_CORRUPT');
  });

  it('segments that contradict each other are reported', async () => {
    const list = await cut('a');
    for (const wrong of [{ count: 5 }, { index: 4 }, { index: -1 }, { index: 0.5 }, { count: 0 }]) {
      expect(await codeOf(put([list[0], { ...list[1], ...wrong }])), JSON.stringify(wrong)).toBe(
        'ERR_ZOO_CORRUPT',
      );
    }
  });

  it('what is no segment is reported', async () => {
    for (const wrong of [{}, { id: 'a' }, 5, null]) {
      expect(await codeOf(put([wrong]))).toMatch(
        /^ERR_(ZOO_CORRUPT|INVALID_ARG_TYPE|INVALID_ARG_VALUE)$/,
      );
    }
  });

  it('too large', async () => {
    expect(await put(await cut('a'), { maxBytes: 10 })).toHaveLength(1);
    expect(await codeOf(put(await cut('a'), { maxBytes: 9 }))).toBe('ERR_ZOO_TOO_LARGE');
  });

  it('what is no file cannot be cut', async () => {
    const cutting = Stream.from([anything<{ id: string; bytes: Uint8Array }>({ id: 'a' })])
      .through(segments(3))
      .toArray();
    expect(await codeOf(within(cutting))).toMatch(argumentCodes);
  });
});

describe('results', () => {
  it('are plain objects', async () => {
    expect(Ok(5)).toEqual({ ok: true, value: 5 });
    const error = new Error('no');
    expect(Err(error)).toEqual({ ok: false, error });
    expect(
      await Stream.from([Ok(1), Err('x')])
        .recover((text) => text.length + 1)
        .toArray(),
    ).toEqual([1, 2]);
  });

  it('a failing callback of theirs fails the stream', async () => {
    const thrown = new Error('in mapOk');
    const stream = Stream.from([Ok(1)]).mapOk(() => {
      throw thrown;
    });
    expect(await failureOf(within(stream.toArray()))).toBe(thrown);
  });
});

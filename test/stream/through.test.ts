import { createHash } from 'node:crypto';
import { Duplex, PassThrough, Transform } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { assemble, hash, segments, Stream, type Filter, type Segment } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { codeOf, failureOf, isPending, thrownBy, turns, until, within } from '../support/index.js';
import { iterate, collect, probe } from './probes.js';

const text = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString();

describe('a filter that is a function', () => {
  it('gives what it makes of the items', async () => {
    const everySecond = async function* (source: AsyncIterable<number>): AsyncGenerator<number> {
      let index = 0;
      for await (const item of source) if (index++ % 2 === 0) yield item;
    };
    expect(await Stream.range(0, 7).through(everySecond).toArray()).toEqual([0, 2, 4, 6]);
    const doubled = (source: AsyncIterable<number>): AsyncIterable<number> =>
      Stream.from(source).flatMap((n) => [n, n]);
    expect(await Stream.from([1, 2]).through(doubled).toArray()).toEqual([1, 1, 2, 2]);
  });

  it('may end early, or never read: its source is let go of', async () => {
    const source = probe([1, 2, 3]);
    const firstOnly = async function* (items: AsyncIterable<number>): AsyncGenerator<number> {
      const { value } = await items[Symbol.asyncIterator]().next();
      yield value as number;
    };
    expect(await Stream.from(source).through(firstOnly).toArray()).toEqual([1]);
    expect(source).toMatchObject({ pulled: 1, returned: 1 });
    expect(
      await Stream.from(probe([1]))
        .through(() => Stream.from(['other']))
        .toArray(),
    ).toEqual(['other']);
  });

  it('fails with what it throws, and with what its source throws', async () => {
    const source = probe([1, 2, 3]);
    const throwing = async function* (items: AsyncIterable<number>): AsyncGenerator<number> {
      for await (const item of items) {
        if (item === 2) throw new Error('two');
        yield item;
      }
    };
    expect(await collect(Stream.from(source).through(throwing))).toMatchObject({
      items: [1],
      failure: { message: 'two' },
    });
    expect(source.returned).toBe(1);
    const broken = Stream.from(probe([1], new Error('broken'))).through(throwing);
    expect(await collect(broken)).toMatchObject({ items: [1], failure: { message: 'broken' } });
  });

  it('is told when nobody wants what it makes, and runs its finally', async () => {
    const source = probe([1], 'never');
    let told: AbortSignal | undefined;
    let over = false;
    const filter = async function* (
      items: AsyncIterable<number>,
      { signal }: { signal: AbortSignal },
    ): AsyncGenerator<number> {
      told = signal;
      try {
        yield* items;
      } finally {
        over = true;
      }
    };
    const iterator = iterate(Stream.from(source).through(filter));
    await iterator.next();
    const waiting = iterator.next();
    expect(await isPending(waiting)).toBe(true);
    await within(iterator.return!());
    expect((await waiting).done).toBe(true);
    expect(told!.aborted).toBe(true);
    expect(source.returned).toBe(1);
    await until(() => over);
  });

  it('has to answer an iterable', async () => {
    const nothing = (() => {}) as unknown as Filter<number>;
    expect(await codeOf(Stream.from([1]).through(nothing).toArray())).toBe('ERR_INVALID_ARG_TYPE');
    for (const filter of [undefined, 'gzip', new WritableStream(), {}]) {
      expect(thrownBy(() => Stream.from([1]).through(filter as never)).code).toBe(
        'ERR_INVALID_ARG_TYPE',
      );
    }
  });
});

describe('a filter of Node or the Web', () => {
  it('compresses and expands', async () => {
    const chunks = Array.from({ length: 200 }, (_, i) => Buffer.from(`line ${i}\n`.repeat(100)));
    const node = Stream.from(chunks).through<Uint8Array>(createGzip());
    expect(text(await node.through<Uint8Array>(createGunzip()).toArray())).toBe(text(chunks));
    const web = Stream.from<Uint8Array>(chunks).through<Uint8Array>(new CompressionStream('gzip'));
    const back = web.through<Uint8Array>(new DecompressionStream('gzip'));
    expect(text(await back.toArray())).toBe(text(chunks));
  });

  it('gives what came before a failure of its source, then that', async () => {
    for (const filter of [new PassThrough({ objectMode: true }), new TransformStream()]) {
      const source = probe([1, 2], new Error('broken'));
      expect(await collect(Stream.from(source).through<number>(filter))).toMatchObject({
        items: [1, 2],
        failure: { message: 'broken' },
      });
    }
  });

  it('fails when the filter does, and lets go of its source', async () => {
    const transform = new Transform({
      objectMode: true,
      transform: (_item, _encoding, finish) => finish(new Error('cannot')),
    });
    const web = new TransformStream<number, number>({
      transform: () => {
        throw new Error('cannot');
      },
    });
    for (const filter of [transform, web]) {
      const source = probe([1, 2, 3], 'never');
      const { failure } = await collect(Stream.from(source).through<number>(filter));
      expect(failure).toMatchObject({ message: 'cannot' });
      await until(() => source.returned === 1);
    }
    const notZipped = Stream.from([Buffer.from('plain')]).through(createGunzip());
    expect(await codeOf(notZipped.toArray())).toBe('Z_DATA_ERROR');
  });

  it('is destroyed when it is left, also while it waits', async () => {
    const duplex = new PassThrough({ objectMode: true });
    const source = probe([1], 'never');
    for await (const item of Stream.from(source).through<number>(duplex)) if (item === 1) break;
    expect(duplex.destroyed).toBe(true);
    expect(source.returned).toBe(1);

    const silent = new Transform({ transform: (_chunk, _encoding, finish) => finish() });
    const iterator = iterate(Stream.from(['x']).through(silent));
    const source2 = probe(['x'], 'never');
    const waiting = iterate(
      Stream.from(source2).through(
        new Transform({ transform: (_chunk, _encoding, finish) => finish() }),
      ),
    );
    const next = waiting.next();
    await until(() => source2.pulled === 2);
    await within(waiting.return!());
    expect((await next).done).toBe(true);
    expect(source2.returned).toBe(1);
    expect((await within(iterator.next())).done).toBe(true);
  });

  it('takes no more from its source than it has room for', async () => {
    const duplex = new PassThrough({ objectMode: true, highWaterMark: 2 });
    const source = probe(Array.from({ length: 100 }, (_, i) => i));
    const iterator = iterate(Stream.from(source).through<number>(duplex));
    await iterator.next();
    await turns(10);
    expect(source.pulled).toBeLessThan(15);
    await iterator.return!();
  });

  it('may be a Duplex whose ends are apart', async () => {
    const upper = Duplex.from(async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) yield chunk.toString().toUpperCase();
    });
    const out = await Stream.from(['a', 'b']).through<string>(upper).toArray();
    expect(out.join('')).toBe('AB');
  });
});

describe('hash', () => {
  const chunks = [Buffer.from('a'), Buffer.from('bc'), new Uint8Array([100])];

  it('lets bytes through and knows their digest at any time', async () => {
    const sha = hash('sha256');
    expect(sha.digest('hex')).toBe(createHash('sha256').digest('hex'));
    const out = await Stream.from<Uint8Array>(chunks).through(sha).toArray();
    expect(text(out)).toBe('abcd');
    expect(sha.bytes).toBe(4);
    expect(sha.digest()).toEqual(createHash('sha256').update('abcd').digest());
    expect(sha.digest('base64')).toBe(createHash('sha256').update('abcd').digest('base64'));
  });

  it('refuses an algorithm that is none, and items that are no bytes', async () => {
    expect(thrownBy(() => hash('md6')).code).toBe('ERR_INVALID_ARG_VALUE');
    expect(thrownBy(() => hash(5 as never)).code).toBe('ERR_INVALID_ARG_TYPE');
    const numbers = Stream.from<Uint8Array>([5 as never]).through(hash('md5'));
    expect(await codeOf(numbers.toArray())).toBe('ERR_INVALID_ARG_TYPE');
  });
});

describe('segments', () => {
  const files = [
    { id: 'a', bytes: Buffer.from('hello world') },
    { id: 'empty', bytes: new Uint8Array() },
    { id: 'b', bytes: Buffer.from('1234') },
  ];
  const cut = (): Promise<Segment[]> => Stream.from(files).through(segments(4)).toArray();

  it('cut bytes and put them together again, in any order, with copies among them', async () => {
    const parts = await cut();
    expect(parts.map(({ id, index, count }) => `${id} ${index}/${count}`)).toEqual([
      'a 0/3',
      'a 1/3',
      'a 2/3',
      'empty 0/1',
      'b 0/1',
    ]);
    const mixed = [...parts].reverse().flatMap((part) => [part, part]);
    const whole = await Stream.from([...mixed, ...parts])
      .through(assemble())
      .toArray();
    expect(whole.map(({ id, bytes }) => [id, Buffer.from(bytes).toString()])).toEqual([
      ['b', '1234'],
      ['empty', ''],
      ['a', 'hello world'],
    ]);
  });

  it('report what is missing, damaged or contradicts itself', async () => {
    const [first, second, third] = (await cut()) as [Segment, Segment, Segment];
    const damaged = { ...second, bytes: Buffer.from('xxxx') };
    for (const parts of [
      [first, third],
      [first, damaged, third],
      [first, { ...second, count: 4 }, third],
      [{ ...first, index: 3 }],
      [{ ...first, index: -1 }],
      [{ ...first, count: 0 }],
      [{ ...first, index: 0.5 }],
    ]) {
      expect(await codeOf(Stream.from(parts).through(assemble()).toArray())).toBe(
        'ERR_ZOO_CORRUPT',
      );
    }
    expect(
      await codeOf(
        Stream.from([5 as never])
          .through(assemble())
          .toArray(),
      ),
    ).toBe('ERR_INVALID_ARG_TYPE');
  });

  it('report what is too large', async () => {
    const parts = await cut();
    const failure = await failureOf(
      Stream.from(parts)
        .through(assemble({ maxBytes: 8 }))
        .toArray(),
    );
    expect(failure).toMatchObject({ code: 'ERR_ZOO_TOO_LARGE', size: 11, limit: 8 });
  });

  it('refuse sizes that are none', () => {
    for (const size of [0, -1, NaN, 1.5]) {
      expect(thrownBy(() => segments(size)).code).toBe('ERR_OUT_OF_RANGE');
      expect(thrownBy(() => assemble({ maxBytes: size })).code).toBe('ERR_OUT_OF_RANGE');
    }
    expect(thrownBy(() => assemble({ max: 5 } as never)).code).toBe('ERR_INVALID_ARG_VALUE');
  });
});

import { ZooError, ZooQueue, type QueueOptions } from 'zoosync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf, thrownBy, track, uniqueName } from './support/index.js';

function queueWith<T = unknown>(codec?: QueueOptions['codec']): ZooQueue<T> {
  return track(ZooQueue.create<T>(uniqueName(), codec === undefined ? {} : { codec }));
}

function through(queue: ZooQueue, value: unknown): unknown {
  queue.putSync(value);
  return queue.getSync();
}

describe('the default codec', () => {
  it('gives back what went in', () => {
    const queue = queueWith();
    for (const value of [
      null,
      undefined,
      true,
      false,
      0,
      1,
      -1,
      1.5,
      127,
      128,
      65_535,
      65_536,
      -32_769,
      2 ** 31,
      2 ** 32,
      2 ** 53 - 1,
      -(2 ** 53) + 1,
      Number.MAX_VALUE,
      Number.MIN_VALUE,
      -0,
      [-0, 0],
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
      0n,
      -1n,
      2n ** 63n,
      2n ** 64n,
      -(2n ** 80n),
      '',
      'text',
      'äöü 漢字 😀',
      'x'.repeat(100_000),
      'half a pair: \ud83d.',
      { '\ude00': '\ud83d' },
      { ['__proto__']: 1, toString: 2, constructor: 3, length: 4 },
      JSON.parse('{"__proto__":{"polluted":true}}') as unknown,
      // oxlint-disable-next-line no-sparse-arrays -- holes have to stay holes
      [1, , 3],
      Object.assign(Object.create(null) as object, { bare: true }),
      new Date(Number.NaN),
      [],
      [1, [2, [3]]],
      {},
      { a: { b: [{ c: null }] } },
      new Date(0),
      new Date(1_700_000_000_123),
      new Date(-1),
      new Map<unknown, unknown>([
        ['a', 1],
        [{ key: 1 }, new Map([[1, 2]])],
      ]),
      new Map(),
      new Set([1, 'a', null]),
      new Set(),
      new Uint8Array([1, 2, 3]),
      new Uint8Array(0),
      new Int8Array([-1]),
      new Uint8ClampedArray([300]),
      new Uint16Array([1, 65_535]),
      new Int16Array([-1]),
      new Int32Array([-1, 1]),
      new Uint32Array([4_000_000_000]),
      new Float32Array([1.5, -0.25]),
      new Float64Array([Math.PI]),
      new BigInt64Array([-1n]),
      new BigUint64Array([1n]),
      Uint8Array.from([1, 2, 3, 4]).buffer,
      /a+b/gi,
      { nested: { map: new Map([['when', new Date(5)]]), bytes: new Uint8Array([9]) } },
    ]) {
      expect(through(queue, value)).toStrictEqual(value);
    }
  });

  it('gives back a Buffer as bytes with the same contents', () => {
    const back = through(queueWith(), { bytes: Buffer.from('abc') }) as { bytes: Uint8Array };
    expect(back.bytes).toBeInstanceOf(Uint8Array);
    expect([...back.bytes]).toEqual([97, 98, 99]);
  });

  it('gives back errors with name, message, code and cause', () => {
    const queue = queueWith();
    const cause = new TypeError('behind');
    const error = Object.assign(new RangeError('in front', { cause }), { code: 'E_X' });
    const back = through(queue, error) as Error & { code?: string };
    expect(back).toBeInstanceOf(Error);
    expect(back).toBeInstanceOf(RangeError);
    expect([back.name, back.message, back.code]).toEqual(['RangeError', 'in front', 'E_X']);
    expect(back.cause).toBeInstanceOf(TypeError);
    expect((back.cause as Error).message).toBe('behind');
    const many = new AggregateError([new Error('a'), 5], 'many');
    const backAgain = through(queue, { many }) as { many: AggregateError };
    expect(backAgain.many).toBeInstanceOf(AggregateError);
    expect((backAgain.many.errors[0] as Error).message).toBe('a');
    expect(backAgain.many.errors[1]).toBe(5);
  });

  it('keeps what is the same the same, and circles round', () => {
    const shared = { n: 1 };
    const circle: { self?: unknown; both: unknown[] } = { both: [shared, shared] };
    circle.self = circle;
    const back = through(queueWith(), circle) as typeof circle;
    expect(back.self).toBe(back);
    expect(back.both[0]).toBe(back.both[1]);
    expect(back.both[0]).toEqual(shared);
  });

  it('makes copies: bytes that came out are not bytes of the queue', () => {
    const queue = queueWith<Uint8Array>();
    queue.putSync(new Uint8Array(1000).fill(1));
    const first = queue.getSync();
    queue.putSync(new Uint8Array(1000).fill(2));
    const second = queue.getSync();
    expect([first[0], second[0]]).toEqual([1, 2]);
    queue.close();
    expect([first.length, first[0], second[999]]).toEqual([1000, 1, 2]);
  });

  it('gives back any value, or refuses it', () => {
    const queue = queueWith();
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
          withSparseArray: true,
        }),
        (value) => {
          try {
            queue.putSync(value);
          } catch (error) {
            expect((error as ZooError).code).toBe('ERR_ZOO_UNSENDABLE');
            expect(queue.length).toBe(0);
            return;
          }
          expect(queue.getSync()).toStrictEqual(value);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('carries many values of the same shape, each by itself', () => {
    const queue = queueWith<{ id: number; name: string }>();
    const reader = track(ZooQueue.open<{ id: number; name: string }>(queue.name));
    for (let i = 0; i < 200; i += 1) queue.putSync({ id: i, name: `n${i}` });
    for (let i = 0; i < 100; i += 1) reader.getSync();
    // A reader that comes late has not seen the first records.
    const late = track(ZooQueue.open<{ id: number; name: string }>(queue.name));
    expect(late.getSync()).toEqual({ id: 100, name: 'n100' });
  });
});

describe('values that cannot be sent', () => {
  const shared = new SharedArrayBuffer(8);
  const cases: [string, unknown, string[]][] = [
    ['a function', () => 1, []],
    ['a symbol', Symbol('s'), []],
    ['shared memory', shared, []],
    ['shared memory deep inside', { deep: [shared] }, ['deep', '0']],
    ['a function in an object', { a: { b: () => 1 } }, ['a', 'b']],
    ['a function in an array', { list: [1, 2, () => 3] }, ['list', '2']],
    ['a symbol in a map', { map: new Map([['key', Symbol('s')]]) }, ['map']],
    ['a function in a set', new Set([() => 1]), []],
    ['a promise', { later: Promise.resolve(1) }, ['later']],
    ['a weak map', { weak: new WeakMap() }, ['weak']],
    ['a class itself', { type: Map }, ['type']],
  ];

  it.each(cases)('%s is refused, with its path', (_, value, words) => {
    const queue = queueWith();
    const failure = thrownBy(() => queue.putSync(value));
    expect(failure.code).toBe('ERR_ZOO_UNSENDABLE');
    expect(failure).toBeInstanceOf(ZooError);
    for (const word of words) {
      expect(failure.message).toContain(word);
      expect((failure as unknown as { path: string }).path).toContain(word);
    }
    expect(queue.length).toBe(0);
  });

  it('leave the queue as it was, in every form of put', async () => {
    const queue = queueWith();
    const bad = { ok: 1, bad: () => 1 };
    for (const action of [
      () => queue.put(bad),
      () => queue.putSync(bad),
      () => queue.tryPut(bad),
      () => queue.putMany([bad]),
      () => queue.putManySync([bad]),
      () => queue.tryPutMany([bad]),
    ]) {
      const failure = await failureOf(action);
      expect(failure.code).toBe('ERR_ZOO_UNSENDABLE');
      expect(failure.message).toContain('bad');
    }
    expect(queue.length).toBe(0);
    queue.putSync({ fine: true });
    expect(queue.getSync()).toEqual({ fine: true });
  });

  it('are those with a getter that throws', () => {
    const queue = queueWith();
    const value = {
      get trap(): never {
        throw new Error('do not touch');
      },
    };
    const failure = thrownBy(() => queue.putSync(value));
    expect(failure.code).toBe('ERR_ZOO_UNSENDABLE');
    expect(failure.message).toContain('trap');
    expect(queue.length).toBe(0);
  });

  it('are instances of classes, which would arrive as something else', () => {
    class Point {
      x = 1;
    }
    class Words extends Array<string> {}
    class Table extends Map {}
    const queue = queueWith();
    for (const value of [new Point(), new Words('a'), new Table(), new Proxy({}, {})]) {
      const failure = thrownBy(() => queue.putSync({ inside: [value] }));
      expect(failure.code).toBe('ERR_ZOO_UNSENDABLE');
      expect(failure.message).toContain('inside[0]');
    }
    expect(queue.length).toBe(0);
  });

  it('are not those nested deeper than the stack', () => {
    const queue = queueWith();
    let deep: unknown[] = [];
    for (let i = 1; i < 50_000; i += 1) deep = [deep];
    queue.putSync(deep);
    let levels = 0;
    for (let at: unknown = queue.getSync(); Array.isArray(at); at = at[0]) levels += 1;
    expect(levels).toBe(50_000);
  });
});

describe('the other codecs', () => {
  it('json gives back what JSON gives back', () => {
    const queue = queueWith('json');
    for (const value of [null, 1, 'a', [1, { b: true }], { a: { c: [null] } }]) {
      expect(through(queue, value)).toEqual(value);
    }
    const bytes = (queue.putSync({ a: 1 }), queue.getBytesSync());
    expect(bytes.toString()).toBe('{"a":1}');
  });

  it('json refuses what JSON cannot say', () => {
    const queue = queueWith('json');
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    for (const value of [
      10n,
      circle,
      undefined,
      () => 1,
      Symbol('s'),
      Number.NaN,
      new Date(0),
      new Map(),
      [undefined],
    ]) {
      const failure = thrownBy(() => queue.putSync([value]));
      expect(failure.code, typeof value).toBe('ERR_ZOO_UNSENDABLE');
      expect(failure.message).toContain('[0]');
    }
    expect(queue.length).toBe(0);
  });

  it('v8 gives back what structuredClone gives back', () => {
    const queue = queueWith('v8');
    const value = {
      map: new Map([[1, new Set(['a'])]]),
      when: new Date(5),
      big: 10n ** 30n,
      bytes: new Uint8Array([1, 2]),
      none: undefined,
      zero: -0,
    };
    expect(through(queue, value)).toStrictEqual(value);
    expect(thrownBy(() => queue.putSync({ a: () => 1 })).code).toBe('ERR_ZOO_UNSENDABLE');
  });

  it('bytes gives back bytes', () => {
    const queue = queueWith<Uint8Array>('bytes');
    const back = through(queue as ZooQueue, new Uint8Array([1, 2, 3]));
    expect(Buffer.isBuffer(back)).toBe(true);
    expect([...(back as Buffer)]).toEqual([1, 2, 3]);
    for (const wrong of ['text', 5, null, { a: 1 }]) {
      expect(['ERR_INVALID_ARG_TYPE', 'ERR_ZOO_UNSENDABLE']).toContain(
        thrownBy(() => queue.putSync(wrong as never)).code,
      );
    }
    expect(queue.length).toBe(0);
  });

  it('of one kind read what another handle of that kind wrote', () => {
    for (const codec of ['msgpack', 'json', 'v8'] as const) {
      const writer = queueWith(codec);
      const reader = track(ZooQueue.open(writer.name, { codec }));
      writer.putSync({ a: [1, 2] });
      expect(reader.getSync()).toEqual({ a: [1, 2] });
    }
  });

  it('may be ones own', async () => {
    const codec = {
      name: 'upper',
      encode: (value: unknown) => Buffer.from(String(value).toUpperCase()),
      decode: (bytes: Uint8Array) => `<${Buffer.from(bytes).toString()}>`,
    };
    const queue = queueWith<string>(codec);
    await queue.put('a');
    queue.putSync('b');
    queue.tryPut('c');
    await queue.putMany(['d', 'e']);
    expect([await queue.get(), queue.getSync(), queue.tryGet()]).toEqual(['<A>', '<B>', '<C>']);
    expect(await queue.getMany(2)).toEqual(['<D>', '<E>']);
  });

  it('of ones own may fail: nothing is sent', () => {
    const queue = queueWith({
      name: 'broken',
      encode: () => {
        throw new Error('cannot');
      },
      decode: () => 1,
    });
    expect(() => queue.putSync(1)).toThrow('cannot');
    expect(queue.length).toBe(0);
    const wrong = queueWith({ name: 'wrong', encode: () => 'text' as never, decode: () => 1 });
    expect(() => wrong.putSync(1)).toThrow();
    expect(wrong.length).toBe(0);
  });

  it('have to be known or complete', () => {
    const name = uniqueName();
    for (const [codec, code] of [
      ['msgpck', 'ERR_INVALID_ARG_VALUE'],
      ['', 'ERR_INVALID_ARG_VALUE'],
      [5, 'ERR_INVALID_ARG_TYPE'],
      [null, 'ERR_INVALID_ARG_TYPE'],
      [{ name: 'x' }, 'ERR_INVALID_ARG_TYPE'],
      [{ name: 'x', encode: () => Buffer.alloc(0) }, 'ERR_INVALID_ARG_TYPE'],
      [{ encode: () => Buffer.alloc(0), decode: () => 1 }, 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      const failure = thrownBy(() => ZooQueue.create(name, { codec: codec as never }));
      expect(failure.code, JSON.stringify(codec)).toBe(code);
    }
    expect(ZooQueue.unlink(name)).toBe(false);
  });
});

describe('bytes that cannot be decoded', () => {
  it('come with the error, and are no longer in the queue', async () => {
    for (const codec of ['msgpack', 'json', 'v8'] as const) {
      const queue = queueWith(codec);
      const garbage = Buffer.from([0xc1, 0xff, 0x00, 0xfe, 0x81, 0xa5]);
      for (const get of [() => queue.get(), () => queue.getSync(), () => queue.tryGet()]) {
        queue.putBytesSync(garbage);
        const failure = await failureOf(get);
        expect(failure, codec).toBeInstanceOf(ZooError);
        expect(Buffer.from(failure.bytes ?? []).equals(garbage), codec).toBe(true);
        expect(failure.segment).toBe(queue.name);
        expect(queue.length).toBe(0);
      }
    }
  });

  it('in the middle of a batch lose none of the others', async () => {
    const queue = queueWith<number>('json');
    queue.putSync(1);
    queue.putBytesSync(Buffer.from('{'));
    queue.putSync(2);
    const seen: number[] = [];
    let failures = 0;
    while (queue.length > 0) {
      try {
        seen.push(...queue.tryGetMany(10));
      } catch (error) {
        failures += 1;
        expect(Buffer.from((error as ZooError).bytes ?? []).toString()).toBe('{');
      }
    }
    expect(failures).toBe(1);
    expect(seen).toEqual([1, 2]);
  });

  it('never push the good ones around them into the dead letters', () => {
    for (const maxDeliveries of [1, 5]) {
      const queue = track(ZooQueue.create<number>(uniqueName(), { codec: 'json', maxDeliveries }));
      for (let i = 0; i < 20; i += 1) {
        queue.putBytesSync(Buffer.from('{'));
        queue.putSync(i);
      }
      const seen: number[] = [];
      let failures = 0;
      while (queue.length > 0) {
        try {
          seen.push(...queue.tryGetMany(100));
        } catch (error) {
          failures += 1;
          expect((error as ZooError).code).toBe('ERR_ZOO_DECODE');
        }
      }
      expect(queue.stats().dead, `of ${maxDeliveries} deliveries`).toBe(0);
      expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
      expect(failures).toBe(20);
    }
  });

  it('of any kind never bring the process down', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom('msgpack', 'json', 'v8') as fc.Arbitrary<'msgpack' | 'json' | 'v8'>,
        (bytes, codec) => {
          const queue = ZooQueue.create(uniqueName(), { codec, size: 4096 });
          try {
            queue.putBytesSync(bytes);
            try {
              queue.getSync();
            } catch (error) {
              expect(error).toBeInstanceOf(ZooError);
            }
            expect(queue.length).toBe(0);
          } finally {
            queue.close();
            queue.unlink();
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Values through every codec, and bytes that no codec made. */
import { ZooQueue, type QueueOptions } from 'zoosync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { track, uniqueName } from '../support/index.js';
import { effort, expectCleanPrototypes, expectDocumented } from './support.js';

function queueWith(codec: QueueOptions['codec']): ZooQueue {
  return track(ZooQueue.create(uniqueName(), { size: '4MiB', codec }));
}

/** Everything that the default codec promises to keep. */
function keepable(): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<unknown>(undefined, null, true, false, -0, 0, Number.NaN, Infinity),
      fc.double(),
      fc.integer(),
      fc.bigInt(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\ud800', 'a\udc00b', '__proto__', 'constructor', ''),
      fc.date({ noInvalidDate: false }),
      fc.uint8Array({ maxLength: 20 }),
      fc.float64Array({ maxLength: 4 }),
      fc.bigUint64Array({ maxLength: 4 }),
      fc.constantFrom(/a+b/giu, /\//s),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => {
        const sparse: unknown[] = [];
        items.forEach((item, i) => (sparse[i * 3] = item));
        return sparse;
      }),
      fc
        .array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 })
        .map((items) => new Map(items)),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
      fc
        .array(fc.tuple(fc.string({ unit: 'binary', maxLength: 8 }), tie('value')), {
          maxLength: 4,
        })
        .map((entries) => {
          const object: Record<string, unknown> = {};
          for (const [key, value] of entries) {
            Object.defineProperty(object, key, {
              value,
              enumerable: true,
              configurable: true,
              writable: true,
            });
          }
          return object;
        }),
      tie('value').map((value) => {
        const circle: Record<string, unknown> = { value };
        circle['self'] = circle;
        return circle;
      }),
    ),
  })).value;
}

describe('values', () => {
  it('come out of the default codec as they went in', () => {
    const queue = queueWith('msgpack');
    fc.assert(
      fc.property(keepable(), (value) => {
        queue.putSync(value);
        expect(queue.getSync()).toStrictEqual(value);
      }),
      effort(250),
    );
    expectCleanPrototypes();
  });

  it.each(['json', 'v8', 'msgpack'] as const)(
    'are kept by %s, or refused by path, and never changed in silence',
    (codec) => {
      const queue = queueWith(codec);
      const odd = fc.oneof(
        keepable(),
        fc.anything({
          withBigInt: true,
          withBoxedValues: true,
          withDate: true,
          withMap: true,
          withNullPrototype: true,
          withObjectString: true,
          withSet: true,
          withSparseArray: true,
          withTypedArray: true,
        }),
        fc
          .constantFrom<() => unknown>(
            () => ({ deep: [() => 1] }),
            () => ({ deep: { symbol: Symbol('s') } }),
            () =>
              new (class Point {
                x = 1;
              })(),
            () => [new WeakMap()],
            () => ({ standsFor: new Proxy({}, {}) }),
            () => new SharedArrayBuffer(4),
            () => ({
              get broken(): number {
                throw new TypeError('a getter');
              },
            }),
            () => Object.assign(Object.create({ inherited: 1 }) as object, { own: 1 }),
          )
          .map((make) => make()),
      );
      fc.assert(
        fc.property(odd, (value) => {
          try {
            queue.putSync(value, { timeout: 1000 });
          } catch (error) {
            const { code, path } = error as { code?: string; path?: string };
            if (error instanceof TypeError && error.message === 'a getter') return;
            expectDocumented(error, 'put');
            if (code === 'ERR_ZOO_UNSENDABLE') expect(String(path)).toContain('value');
            return;
          }
          const back = queue.getSync({ timeout: 1000 });
          if (codec === 'msgpack') expect(back).toEqual(value);
        }),
        effort(150),
      );
      expect(queue.length).toBe(0);
      expectCleanPrototypes();
    },
  );
});

describe('bytes that no codec made', () => {
  /** Encodings of values, for mutations of them. */
  function encoded(codec: 'msgpack' | 'json' | 'v8'): Buffer[] {
    const queue = queueWith(codec);
    const shared = { n: 1 };
    const values: unknown[] = [
      { a: [1, 'two', { b: null }], c: 'x'.repeat(40) },
      [1.5, -1, 2 ** 40, 'text', true],
    ];
    if (codec !== 'json') {
      values.push(
        new Map<unknown, unknown>([[{ k: 1 }, new Set([1, shared, shared])]]),
        [new Uint8Array(20), new Date(5), 10n, -0, /x/g, new Float64Array(3)],
        Object.assign(new RangeError('r', { cause: shared }), { code: 'E' }),
      );
    }
    return values.map((value) => {
      queue.putSync(value);
      return queue.getBytesSync();
    });
  }

  /** Small, and shown to have been dangerous elsewhere: lengths that are not there, deep nests, names. */
  const corpus = [
    'dd7fffffff',
    'ddffffffff00',
    'df7fffffff',
    'dbffffffff61',
    'c6ffffffff',
    'c9ffffffff01',
    'c1',
    'c1c1',
    'c1dd7fffffff',
    'c190',
    'c19191',
    'c1920000',
    '81a95f5f70726f746f5f5f81a8706f6c6c7574656401',
    '81ab636f6e7374727563746f7281a970726f746f7479706581a8706f6c6c7574656401',
    'd47200',
    'd57265',
    'c7ff74',
    `${'91'.repeat(5000)}00`,
    `${'81a161'.repeat(3000)}00`,
    'ff0f6f22',
    'ff0f41ffffffff0f',
    'ff0f5cffffffff07',
    'ff0f42ffffffff0f',
    `ff0f${'6f2201'.repeat(500)}`,
    '5b'.repeat(20_000),
    '7b225f5f70726f746f5f5f223a7b22706f6c6c75746564223a317d7d',
  ].map((hex) => Buffer.from(hex, 'hex'));

  it.each(['msgpack', 'json', 'v8'] as const)(
    '(%s) are refused or are some value, without a crash, a flood of memory or a new prototype',
    (codec) => {
      const bytes = queueWith('bytes');
      const reader = track(ZooQueue.open(bytes.name, { codec }));
      const samples = [...encoded(codec), ...corpus];
      const decode = (message: Uint8Array): void => {
        bytes.putBytesSync(message, { timeout: 1000 });
        const before = process.memoryUsage();
        try {
          reader.getSync({ timeout: 1000 });
        } catch (error) {
          expectDocumented(error, 'get');
          expect((error as { code?: string }).code).toBe('ERR_ZOO_DECODE');
        }
        const after = process.memoryUsage();
        const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
        expect(grown, message.toString().slice(0, 40)).toBeLessThan(300 * 2 ** 20);
        expect(reader.length).toBe(0);
      };
      for (const sample of samples) decode(sample);
      fc.assert(
        fc.property(
          fc.constantFrom(...samples),
          fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
          fc.nat(),
          fc.boolean(),
          (sample, changes, cut, shorten) => {
            const message = Buffer.from(sample);
            for (const [at, value] of changes) message[at % message.length] = value;
            decode(shorten ? message.subarray(0, cut % (message.length + 1)) : message);
          },
        ),
        effort(300),
      );
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), (message) => decode(message)),
        effort(200),
      );
      expectCleanPrototypes();
    },
  );
});

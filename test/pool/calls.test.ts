import { ZooPool } from 'zoosync';
import { describe, expect, it } from 'vitest';
import type * as values from '../fixtures/pool-values.js';
import { codeOf, failureOf, within } from '../support/index.js';
import { describeEachKind, fixture } from '../support/pools.js';

type Values = typeof values;

/** Compares bytes at once; `toEqual` looks at them one by one. */
function expectSameBytes(back: unknown, bytes: ArrayBufferView | undefined): void {
  const given = back as ArrayBufferView;
  expect(given.constructor.name).toBe(bytes?.constructor.name);
  const [one, other] = [given, bytes!].map((view) =>
    Buffer.from(view.buffer, view.byteOffset, view.byteLength),
  );
  expect(Buffer.compare(one!, other!)).toBe(0);
}

const nodeMajor = Number.parseInt(process.versions.node, 10);

describeEachKind('calls', (pools) => {
  const pool = pools.share<Values>('pool-values.js', { workers: 2 });

  it('run an export and answer what it answers', async () => {
    expect(await pool().run('greet', ['Ada'])).toBe('Hello, Ada');
    expect(await pool().run('greet', ['Ada', 'Good evening'])).toBe('Good evening, Ada');
    expect(await pool().run('nothing', [])).toBeUndefined();
    expect(await pool().run('countArguments', [])).toBe(0);
    expect(await pool().run('countArguments', [undefined, null, undefined])).toBe(3);
  });

  it('look like calls through `call`', async () => {
    const { greet, countArguments } = pool().call;
    expect(await greet('Ada')).toBe('Hello, Ada');
    expect(await countArguments(1, 2)).toBe(2);
    expect(await pool().call.nothing()).toBeUndefined();
  });

  it('through `call` are no promise themselves: the proxy can be awaited', async () => {
    const { call } = pool();
    expect(await within(Promise.resolve(call), 'the proxy')).toBe(call);
    expect((call as unknown as { then?: unknown }).then).toBeUndefined();
  });

  it('are typed from the module', () => {
    const check = (typed: ZooPool<Values>): Promise<unknown>[] => {
      const text: Promise<string> = typed.run('greet', ['Ada']);
      const number: Promise<number> = typed.call.countArguments(1);
      return [
        text,
        number,
        // @ts-expect-error -- there is no such export
        typed.run('missing', []),
        // @ts-expect-error -- the argument has another type
        typed.run('greet', [1]),
        // @ts-expect-error -- an argument is missing
        typed.call.greet(),
        // @ts-expect-error -- a constant is no task
        typed.run('constant', []),
      ];
    };
    expect(check).toBeTypeOf('function');
  });

  it('as one-argument functions take a signal each', async () => {
    const greet = pool().task('greet', { timeout: 30_000 });
    expect(await greet('Ada')).toBe('Hello, Ada');
    expect(await greet('Ada', { signal: new AbortController().signal })).toBe('Hello, Ada');
    const error = await failureOf(greet('Ada', { signal: AbortSignal.abort('no more') }));
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'no more' });
  });

  it('as one-argument functions do for `map` of an array', async () => {
    const names = ['a', 'b', 'c'];
    const greet = pool().task('greet');
    expect(await Promise.all(names.map((name) => greet(name)))).toEqual([
      'Hello, a',
      'Hello, b',
      'Hello, c',
    ]);
  });

  it('find their context', async () => {
    expect(await pool().run('context', [])).toEqual({
      id: 'number',
      attempt: 1,
      worker: 'number',
      signal: true,
      progress: 'function',
    });
  });

  it('keep their context across waits, many at a time', async () => {
    const busy = pools.open<Values>('pool-values.js', { concurrency: 8 });
    const found = await Promise.all(
      Array.from({ length: 24 }, (_, i) => busy.run('sameContext', [1 + (i % 5)])),
    );
    expect(found.every(({ same }) => same)).toBe(true);
    expect(new Set(found.map(({ id }) => id)).size).toBe(24);
  });

  it.each(['missing', 'constant', 'toString', '__proto__', 'constructor', ''])(
    'of %o, which is no exported function, are refused',
    async (name) => {
      const error = await failureOf(() => pool().run(name as 'greet', ['x']));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.code).toBe('ERR_INVALID_ARG_VALUE');
      expect(error.message).toContain('greet');
      expect(error.message).toContain('countArguments');
    },
  );

  it.each([
    ['no list of arguments', undefined],
    ['a string for a list', 'Ada'],
    ['an object for a list', { length: 1 }],
  ])('with %s are refused', async (_, args) => {
    expect(await codeOf(() => pool().run('greet', args as never))).toBe('ERR_INVALID_ARG_TYPE');
  });

  it('with a name that is no text are refused', async () => {
    expect(await codeOf(() => pool().run(1 as never as 'greet', ['Ada']))).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
  });

  it.each([
    [{ priority: 'high' }, 'ERR_INVALID_ARG_TYPE'],
    [{ timeout: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ timeout: '1s' }, 'ERR_INVALID_ARG_TYPE'],
    [{ queueTimeout: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ retries: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ retries: 0.5 }, 'ERR_OUT_OF_RANGE'],
    [{ key: 7 }, 'ERR_INVALID_ARG_TYPE'],
    [{ signal: {} }, 'ERR_INVALID_ARG_TYPE'],
    [{ onProgress: 'no' }, 'ERR_INVALID_ARG_TYPE'],
    [{ prio: 1 }, 'ERR_INVALID_ARG_VALUE'],
  ])('with the options %o are refused', async (options, code) => {
    expect(await codeOf(() => pool().run('greet', ['Ada'], options as never))).toBe(code);
  });

  it('report progress in order, before they answer', async () => {
    const reporting = pools.open();
    const seen: unknown[] = [];
    const all = ['start', 1, { half: true }, [2, 3], 'end'];
    const answer = await reporting.run('report', [all], {
      onProgress: (value) => seen.push(value),
    });
    expect(answer).toBe(5);
    expect(seen).toEqual(all);
    expect(await reporting.run('report', [all])).toBe(5);
  });

  it('of an export whose module was started with 10,000 in flight all answer', async () => {
    const calls = Array.from({ length: 10_000 }, (_, i) => pool().run('echo', [i]));
    expect(await Promise.all(calls)).toEqual(calls.map((_, i) => i));
  });

  it('work for a module of the older kind', async () => {
    const pool = pools.open<Record<string, (...args: unknown[]) => unknown>>('pool-common.cjs');
    expect(await pool.run('add', [1, 2])).toBe(3);
    expect(await pool.run('late', ['x'])).toBe('x');
  });

  it('work for a module named by its path', async () => {
    const { pathname } = fixture('pool-values.js');
    await using named = new ZooPool<Values>(pathname, { kind: pools.kind, workers: 1 });
    expect(await named.run('greet', ['path'])).toBe('Hello, path');
  });
});

describeEachKind('values', (pools) => {
  const pool = pools.share<Values>('pool-values.js', { workers: 2 });

  const cyclic: Record<string, unknown> = { name: 'self' };
  cyclic['self'] = cyclic;
  const shared = { twice: true };

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['booleans', [true, false]],
    ['numbers', [0, -0, 1.5, -1, 2 ** 53, Number.MAX_VALUE, Infinity, -Infinity, NaN]],
    ['bigints', [0n, -1n, 2n ** 64n, -(2n ** 200n)]],
    ['texts', ['', 'ä', '😀', 'a\0b', 'x'.repeat(5000)]],
    ['lists with holes', [1, undefined, , 4]], // oxlint-disable-line no-sparse-arrays
    ['objects', { a: { b: { c: [{}] } }, 'key with space': undefined }],
    ['a key __proto__', JSON.parse('{"__proto__": {"x": 1}}')],
    ['dates', [new Date(0), new Date(NaN)]],
    ['patterns', /a+b/giu],
    [
      'maps',
      new Map<unknown, unknown>([
        ['a', 1],
        [{ k: 1 }, new Map([[1, 2]])],
      ]),
    ],
    ['sets', new Set([1, 'a', { x: 1 }])],
    ['cycles', cyclic],
    ['one object twice', [shared, shared]],
    ['buffers', [new ArrayBuffer(3), Buffer.from('abc'), new Uint8Array(0)]],
  ])('go there and back: %s', async (_, value) => {
    const back = await pool().run('echo', [value]);
    expect(back).toStrictEqual(value);
  });

  it('keep identity inside one argument', async () => {
    expect(await pool().run('sameTwice', [{ first: shared, second: shared }])).toBe(true);
  });

  it('that are errors go there and back as values', async () => {
    const error = Object.assign(new TypeError('no'), { code: 'E_NO' });
    const back = (await pool().run('echo', [error])) as typeof error;
    expect(back).toBeInstanceOf(TypeError);
    expect(back).toMatchObject({ message: 'no', code: 'E_NO' });
  });

  const classes = [
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'Float32Array',
    'Float64Array',
    'BigInt64Array',
    'BigUint64Array',
    'Buffer',
  ];

  it.each(classes)('of class %s arrive as such, small and large', async (className) => {
    for (const length of [0, 5, 9000, 70_001]) {
      const made = (await pool().run('make', [className, length])) as Uint8Array;
      expect(made.constructor.name).toBe(className);
      expect(made.length).toBe(length);
      expect(Number(made.at(-1) ?? 0)).toBe(length === 0 ? 0 : (length - 1) % 100);
      const look = await pool().run('look', [made]);
      const bytes = new Uint8Array(made.buffer, made.byteOffset, made.byteLength);
      expect(look).toEqual({
        className,
        length,
        byteLength: made.byteLength,
        aligned: true,
        sum: bytes.reduce((sum, byte) => (sum + byte) % 65_521, 0),
      });
    }
  });

  it('that are a DataView or an ArrayBuffer arrive as such, small and large', async () => {
    for (const length of [10, 100_000]) {
      const buffer = new Uint8Array(length).fill(3).buffer;
      const view = await pool().run('echo', [new DataView(buffer, 2, length - 4)]);
      expect(view).toBeInstanceOf(DataView);
      expect((view as DataView).byteLength).toBe(length - 4);
      const back = await pool().run('echo', [buffer]);
      expect(back).toBeInstanceOf(ArrayBuffer);
      expectSameBytes(new Uint8Array(back as ArrayBuffer), new Uint8Array(buffer));
    }
  });

  it('that are the middle of a large buffer travel alone', async () => {
    const whole = new Uint8Array(300_000).fill(9);
    const middle = whole.subarray(1001, 1001 + 100_000).fill(1);
    expect(await pool().run('look', [middle])).toMatchObject({ byteLength: 100_000, sum: 34_479 });
    const back = (await pool().run('echo', [middle])) as Uint8Array;
    expectSameBytes(back, middle);
  });

  it('that are large arrays deep inside arrive where they were', async () => {
    const value = {
      images: [
        { name: 'a', pixels: new Uint8Array(100_000).fill(1) },
        { name: 'b', pixels: new Float32Array(40_000).fill(0.5) },
      ],
      index: new Map([['last', new BigInt64Array(20_000).fill(-1n)]]),
    };
    const back = (await pool().run('echo', [value])) as typeof value;
    const [a, b] = back.images;
    expect([a?.name, b?.name]).toEqual(['a', 'b']);
    expectSameBytes(a?.pixels, value.images[0]?.pixels);
    expectSameBytes(b?.pixels, value.images[1]?.pixels);
    expectSameBytes(back.index.get('last'), value.index.get('last'));
  });

  it('that are one large array twice are one on the other side', async () => {
    const pixels = new Uint8Array(100_000).fill(5);
    expect(await pool().run('sameTwice', [{ first: pixels, second: pixels }])).toBe(true);
  });

  it('that are large arrays go through shared memory', async () => {
    const before = pool().stats;
    expect(await pool().run('look', [new Uint8Array(1 << 20)])).toMatchObject({ length: 1 << 20 });
    const after = pool().stats;
    expect(after.bytesShared - before.bytesShared).toBeGreaterThanOrEqual(1 << 20);
  });

  it('stay as they were here, whatever the task writes into them', async () => {
    for (const length of [10, 100_000]) {
      const mine = new Uint8Array(length).fill(1);
      expect(await pool().run('overwrite', [mine])).toBe(7);
      expect(mine.every((byte) => byte === 1)).toBe(true);
    }
  });

  it('may be changed here right after the call', async () => {
    for (const length of [10, 100_000]) {
      const mine = new Uint8Array(length).fill(1);
      const looks = Array.from({ length: 20 }, (_, i) => {
        const answer = pool().run('look', [mine.fill(i)]);
        mine.fill(200);
        return answer;
      });
      const expected = looks.map((_, i) => (i * length) % 65_521);
      expect((await Promise.all(looks)).map(({ sum }) => sum)).toEqual(expected);
    }
  });

  it('that were results are copies that stay', async () => {
    const first = (await pool().run('make', ['Uint8Array', 200_000])) as Uint8Array;
    const copy = Uint8Array.from(first);
    for (let i = 0; i < 8; i += 1) await pool().run('make', ['Uint32Array', 200_000]);
    expectSameBytes(first, copy);
    expect(first.buffer).toBeInstanceOf(ArrayBuffer);
    // From Node 22 on, memory that was made by native code is never transferred.
    const transfer = { transfer: [first.buffer as ArrayBuffer] };
    const sent = nodeMajor < 22 ? structuredClone(first, transfer) : structuredClone(first);
    expectSameBytes(sent, copy);
  });

  it('that a task kept beyond its end never show what another task was given', async () => {
    const one = pools.open();
    expect(await one.run('keep', [new Uint8Array(100_000).fill(1)])).toBe(100_000);
    await one.run('echo', [new Uint8Array(100_000).fill(2)]);
    const kept = one.run('kepts', []);
    await one.run('echo', [new Uint8Array(100_000).fill(3)]);
    const seen = await kept;
    expect(seen.every((byte) => byte === 1)).toBe(true);
  });

  it('may be larger than a ring, in both directions', async () => {
    const small = pools.open<Values>('pool-values.js', { size: '64KiB' });
    const text = 'ä'.repeat(500_000);
    expect((await small.run('echo', [text])) === text).toBe(true);
    expect((await small.run('makeText', [500_000])) === text).toBe(true);
    const rows = Array.from({ length: 5000 }, (_, id) => ({ id, name: `row ${id}` }));
    expect(await small.run('echo', [rows])).toEqual(rows);
    const bytes = new Uint8Array(3 << 20).fill(4);
    expectSameBytes(await small.run('echo', [bytes]), bytes);
  });

  it('may be larger than a ring, many at a time', async () => {
    const small = pools.open<Values>('pool-values.js', { size: '64KiB', workers: 2 });
    const texts = Array.from({ length: 24 }, (_, i) => `${i}`.padEnd(40_000 + 7000 * i, '.'));
    const back = await Promise.all(texts.map((text) => small.run('echo', [text])));
    expect(back.map((text, i) => text === texts[i])).toEqual(texts.map(() => true));
  });

  it('of 16 MiB go there and back', async () => {
    const large = new Uint8Array(16 << 20);
    large.set([1, 2, 3], large.length - 3);
    expectSameBytes(await pool().run('echo', [large]), large);
  });
});

describeEachKind('what cannot be sent', (pools) => {
  const pool = pools.share<Values>('pool-values.js', { workers: 2 });

  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a SharedArrayBuffer', new SharedArrayBuffer(8)],
    ['a promise', Promise.resolve()],
    ['an instance of a class', new URL('file:///a')],
    ['a MessagePort', new MessageChannel().port1],
  ])('as an argument is named by its path: %s', async (_, culprit) => {
    const error = await failureOf(pool().run('countArguments', [1, { list: [0, { culprit }] }]));
    expect(error.code).toBe('ERR_ZOO_UNSENDABLE');
    expect(error.message).toContain('[1].list[1].culprit');
    expect(await pool().run('countArguments', [1])).toBe(1);
  });

  it.each(['function', 'symbol', 'shared buffer', 'promise', 'instance'])(
    'as a result is named by its path: %s',
    async (what) => {
      const error = await failureOf(pool().run('unsendable', [what]));
      expect(error.code).toBe('ERR_ZOO_UNSENDABLE');
      expect(error.message).toContain('.rows[1].culprit');
      expect(await pool().run('countArguments', [1])).toBe(1);
    },
  );

  it('harms nobody else: 100 bad calls among 100 good ones', async () => {
    const worker = pool().workers.map(({ id }) => id);
    const calls = Array.from({ length: 200 }, (_, i) =>
      pool()
        .run('echo', [i % 2 === 0 ? i : { [`f${i}`]: () => i }])
        .catch((error: { code: string }) => error.code),
    );
    expect(await Promise.all(calls)).toEqual(
      calls.map((_, i) => (i % 2 === 0 ? i : 'ERR_ZOO_UNSENDABLE')),
    );
    expect(pool().workers.map(({ id }) => id)).toEqual(worker);
  });
});

describe('calls of a pool without a type', () => {
  it('take any name', async () => {
    await using pool = new ZooPool(fixture('pool-values.js'), { kind: 'thread', workers: 1 });
    expect(await pool.run('greet', ['you'])).toBe('Hello, you');
  });
});

/** Every operator of a stream, with what it makes of numbers: one axis of the conformance suite. */
import { Transform } from 'node:stream';
import { TransformStream } from 'node:stream/web';
import { Broadcast, Stream, assemble, hash, segments, type Result } from 'zoosync';
import { afterThisTest } from '../support/index.js';

export interface Operator {
  readonly name: string;
  apply(source: Stream<number>): Stream<unknown>;
  /** What comes out when `numbers` go in and the source ends. */
  expected(numbers: readonly number[]): unknown[];
  /** Numbers taken from the source when one item has been delivered and nobody asks for more. */
  readonly holds: number;
  /** Order is not promised. */
  readonly anyOrder?: boolean;
  /** One number in, one item out, and nothing read ahead. */
  readonly oneForOne?: boolean;
  /** Built on a stream that throws away what it has buffered when it fails. */
  readonly dropsOnFailure?: boolean;
  /** Its items do not come from the run that is broken off: it runs by itself. */
  readonly detached?: boolean;
  /** With a callback that throws `error` at the number `at` and doubles what came before. */
  readonly failing?: (source: Stream<number>, at: number, error: Error) => Stream<unknown>;
}

function throwAt<R>(at: number, error: Error, answer: (value: number) => R): (value: number) => R {
  return (value) => {
    if (value === at) throw error;
    return answer(value);
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function later<R>(value: R): Promise<R> {
  await nextTurn();
  return value;
}

const double = (value: number): number => value * 2;
const doubled = (numbers: readonly number[]): number[] => numbers.map(double);
const isEven = (value: number): boolean => value % 2 === 0;
const same = (numbers: readonly number[]): number[] => [...numbers];

function groups(numbers: readonly number[], size: number, step: number): number[][] {
  const found: number[][] = [];
  for (let at = 0; at < numbers.length; at += step) found.push(numbers.slice(at, at + size));
  return found;
}

async function* doublingFilter(source: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const value of source) yield double(value);
}

function doublingTransform(fail?: { at: number; error: Error }): Transform {
  return new Transform({
    objectMode: true,
    highWaterMark: 1,
    transform(value: number, _encoding, done) {
      if (value === fail?.at) done(fail.error);
      else done(null, double(value));
    },
  });
}

function doublingWebTransform(fail?: {
  at: number;
  error: Error;
}): TransformStream<number, number> {
  return new TransformStream({
    transform(value, controller) {
      if (value === fail?.at) throw fail.error;
      controller.enqueue(double(value));
    },
  });
}

function bytesOf(value: number): Uint8Array {
  return Uint8Array.of(value, value, value, value, value);
}

/** Fails for odd numbers. */
async function evenOnly(value: number): Promise<number> {
  if (!isEven(value)) throw new Error(`odd: ${value}`);
  return later(value);
}

function plain(result: Result<unknown, Error>): unknown {
  return result.ok ? { ok: result.value } : { error: result.error.message };
}

function evenResults(numbers: readonly number[]): unknown[] {
  return numbers.map((value) => (isEven(value) ? { ok: value } : { error: `odd: ${value}` }));
}

const syncOperators: Operator[] = [
  {
    name: 'no operator',
    apply: (source) => source,
    expected: same,
    holds: 1,
    oneForOne: true,
  },
  {
    name: 'map',
    apply: (source) => source.map(double),
    expected: doubled,
    holds: 1,
    oneForOne: true,
    failing: (source, at, error) => source.map(throwAt(at, error, double)),
  },
  {
    name: 'map with an async function',
    apply: (source) => source.map((value) => later(double(value))),
    expected: doubled,
    holds: 1,
    oneForOne: true,
    failing: (source, at, error) =>
      source.map(async (value) => throwAt(at, error, double)(await later(value))),
  },
  {
    name: 'filter',
    apply: (source) => source.filter(isEven),
    expected: (numbers) => numbers.filter(isEven),
    holds: 1,
    oneForOne: true,
    failing: (source, at, error) => source.filter(throwAt(at, error, () => true)).map(double),
  },
  {
    name: 'filter with an async function',
    apply: (source) => source.filter((value) => later(isEven(value))),
    expected: (numbers) => numbers.filter(isEven),
    holds: 1,
    oneForOne: true,
  },
  {
    name: 'take',
    apply: (source) => source.take(1000),
    expected: same,
    holds: 1,
    oneForOne: true,
  },
  {
    name: 'flatMap to arrays',
    apply: (source) => source.flatMap((value) => [value, -value]),
    expected: (numbers) => numbers.flatMap((value) => [value, -value]),
    holds: 1,
    oneForOne: true,
    failing: (source, at, error) => source.flatMap(throwAt(at, error, (value) => [double(value)])),
  },
  {
    name: 'flatMap to streams',
    apply: (source) => source.flatMap((value) => Stream.range(value, value + 2)),
    expected: (numbers) => numbers.flatMap((value) => [value, value + 1]),
    holds: 1,
    oneForOne: true,
  },
  {
    name: 'map, filter, map',
    apply: (source) => source.map(double).filter(isEven).map(String),
    expected: (numbers) => doubled(numbers).map(String),
    holds: 1,
    oneForOne: true,
  },
];

const groupingOperators: Operator[] = [
  {
    name: 'batch',
    apply: (source) => source.batch(3),
    expected: (numbers) => groups(numbers, 3, 3),
    holds: 3,
  },
  {
    name: 'batch with a time',
    apply: (source) => source.batch(3, { ms: 60_000 }),
    expected: (numbers) => groups(numbers, 3, 3),
    holds: 6,
  },
  {
    name: 'window of a size',
    apply: (source) => source.window({ size: 3, step: 1 }),
    expected: (numbers) => groups(numbers, 3, 1).filter((window) => window.length === 3),
    holds: 3,
  },
  {
    name: 'window of a size with a step',
    apply: (source) => source.window({ size: 4, step: 2 }),
    expected: (numbers) => groups(numbers, 4, 2).filter((window) => window.length === 4),
    holds: 4,
  },
  {
    name: 'window of a time',
    apply: (source) => source.window({ ms: 2, at: (value) => value }),
    expected: (numbers) =>
      numbers.map((value) => numbers.filter((n) => n <= value && n >= value - 2)),
    holds: 1,
    failing: (source, at, error) =>
      source
        .window({ ms: 0.5, at: throwAt(at, error, (value) => value) })
        .map(([value]) => (value ?? 0) * 2),
  },
];

const filterOperators: Operator[] = [
  {
    name: 'through a function',
    apply: (source) => source.through(doublingFilter),
    expected: doubled,
    holds: 2,
    failing: (source, at, error) =>
      source.through(async function* (numbers: AsyncIterable<number>) {
        for await (const value of numbers) yield throwAt(at, error, double)(value);
      }),
  },
  {
    name: 'through a Transform',
    apply: (source) => source.through<number>(doublingTransform()),
    expected: doubled,
    holds: 8,
    dropsOnFailure: true,
    failing: (source, at, error) => source.through<number>(doublingTransform({ at, error })),
  },
  {
    name: 'through a TransformStream',
    apply: (source) => source.through<number>(doublingWebTransform()),
    expected: doubled,
    holds: 8,
    dropsOnFailure: true,
    failing: (source, at, error) => source.through<number>(doublingWebTransform({ at, error })),
  },
  {
    name: 'through hash',
    apply: (source) =>
      source
        .map(bytesOf)
        .through(hash('sha256'))
        .map((bytes) => bytes[0]),
    expected: same,
    holds: 3,
  },
  {
    name: 'through segments and assemble',
    apply: (source) =>
      source
        .map((value) => ({ id: `file ${value}`, bytes: bytesOf(value) }))
        .through(segments(2))
        .through(assemble())
        .map(({ id, bytes }) => `${id}: ${bytes.length}`),
    expected: (numbers) => numbers.map((value) => `file ${value}: 5`),
    holds: 4,
  },
];

const stageOperators: Operator[] = [
  {
    name: 'stage',
    apply: (source) => source.stage((value) => later(double(value))),
    expected: doubled,
    holds: 2,
    failing: (source, at, error) => source.stage(throwAt(at, error, double)),
  },
  {
    name: 'stage with 4 workers',
    apply: (source) => source.stage((value) => later(double(value)), { workers: 4 }),
    expected: doubled,
    holds: 5,
    failing: (source, at, error) => source.stage(throwAt(at, error, double), { workers: 4 }),
  },
  {
    name: 'stage with 4 workers, unordered',
    apply: (source) =>
      source.stage(
        async (value) => {
          for (let turn = value % 3; turn >= 0; turn -= 1) await nextTurn();
          return double(value);
        },
        { workers: 4, ordered: false },
      ),
    expected: doubled,
    holds: 5,
    anyOrder: true,
    failing: (source, at, error) =>
      source.stage(throwAt(at, error, double), { workers: 4, ordered: false }),
  },
  {
    name: 'stage and errorsTo',
    apply: (source) => source.stage(evenOnly, { workers: 2 }).errorsTo(() => undefined),
    expected: (numbers) => numbers.filter(isEven),
    holds: 5,
  },
  {
    name: 'attempt',
    apply: (source) =>
      source.attempt(evenOnly).map((result) => plain(result as Result<number, Error>)),
    expected: evenResults,
    holds: 2,
  },
  {
    name: 'attempt and mapOk',
    apply: (source) =>
      source
        .attempt(evenOnly, { workers: 2 })
        .mapOk((value) => value + 1)
        .map((result) => plain(result as Result<number, Error>)),
    expected: (numbers) =>
      numbers.map((value) => (isEven(value) ? { ok: value + 1 } : { error: `odd: ${value}` })),
    holds: 3,
  },
  {
    name: 'attempt and mapError',
    apply: (source) =>
      source
        .attempt(evenOnly)
        .mapError((error) => new Error(`no: ${(error as Error).message}`))
        .map((result) => plain(result)),
    expected: (numbers) =>
      numbers.map((value) => (isEven(value) ? { ok: value } : { error: `no: odd: ${value}` })),
    holds: 2,
  },
  {
    name: 'attempt and recover',
    apply: (source) => source.attempt(evenOnly).recover(() => 'odd'),
    expected: (numbers) => numbers.map((value) => (isEven(value) ? value : 'odd')),
    holds: 2,
  },
];

const combiningOperators: Operator[] = [
  {
    name: 'merge',
    apply: (source) => Stream.merge(Stream.from<number>([]), source),
    expected: same,
    holds: 2,
  },
  {
    name: 'priority',
    apply: (source) => Stream.priority(source, Stream.from<number>([])),
    expected: same,
    holds: 2,
  },
  {
    name: 'with a signal',
    apply: (source) => source.with({ signal: new AbortController().signal }),
    expected: same,
    holds: 1,
    oneForOne: true,
  },
  {
    name: 'Broadcast',
    apply: (source) => {
      const broadcast = new Broadcast(source);
      const stream = broadcast.stream({ buffer: 2 });
      const run = broadcast.run();
      run.then(undefined, () => undefined);
      afterThisTest(() => run.cancel());
      return stream;
    },
    expected: same,
    holds: 6,
    detached: true,
  },
];

export const operators: readonly Operator[] = [
  ...syncOperators,
  ...groupingOperators,
  ...filterOperators,
  ...stageOperators,
  ...combiningOperators,
];

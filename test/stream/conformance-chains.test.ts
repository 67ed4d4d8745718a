/**
 * Random chains of operators against the same chain of plain generators: whatever the batches
 * inside, what comes out is what a loop over single items would give, up to the same failure.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Channel, Stream } from 'zoosync';
import { uniqueName, until, within } from '../support/index.js';
import { disposeAfter } from './conformance-sources.js';

/** One operator, as a stream has it and as a generator would do it. */
interface Link {
  readonly text: string;
  apply(stream: Stream<number>): Stream<number>;
  reference(source: Iterable<number>): Iterable<number>;
}

function* mapped(source: Iterable<number>, fn: (value: number) => number): Generator<number> {
  for (const value of source) yield fn(value);
}

function* kept(source: Iterable<number>, keep: (value: number) => boolean): Generator<number> {
  for (const value of source) if (keep(value)) yield value;
}

function* taken(source: Iterable<number>, count: number): Generator<number> {
  if (count === 0) return;
  let left = count;
  for (const value of source) {
    yield value;
    left -= 1;
    if (left === 0) return;
  }
}

function* repeated(source: Iterable<number>, times: number): Generator<number> {
  for (const value of source) for (let time = 0; time < times; time += 1) yield value + time;
}

/** Full windows only, one after the other. */
function* windowed(source: Iterable<number>, size: number, step: number): Generator<number> {
  const all: number[] = [];
  for (const value of source) {
    all.push(value);
    const start = all.length - size;
    if (start >= 0 && start % step === 0) yield* all.slice(start);
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function afterTurns<R>(turns: number, value: R): Promise<R> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
  return value;
}

async function* addOne(source: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const value of source) yield value + 1;
}

const small = fc.integer({ min: 1, max: 4 });

const link: fc.Arbitrary<Link> = fc.oneof(
  small.map((by): Link => ({
    text: `map(+${by})`,
    apply: (stream) => stream.map((value) => value + by),
    reference: (source) => mapped(source, (value) => value + by),
  })),
  small.map((by): Link => ({
    text: `map(sometimes later, +${by})`,
    apply: (stream) =>
      stream.map((value) => (value % 3 === 0 ? afterTurns(1, value + by) : value + by)),
    reference: (source) => mapped(source, (value) => value + by),
  })),
  small.map((by): Link => ({
    text: `filter(% ${by + 1})`,
    apply: (stream) => stream.filter((value) => value % (by + 1) !== 0),
    reference: (source) => kept(source, (value) => value % (by + 1) !== 0),
  })),
  small.map((by): Link => ({
    text: `filter(later, % ${by + 1})`,
    apply: (stream) => stream.filter((value) => afterTurns(value % 2, value % (by + 1) !== 0)),
    reference: (source) => kept(source, (value) => value % (by + 1) !== 0),
  })),
  fc.integer({ min: 0, max: 30 }).map((count): Link => ({
    text: `take(${count})`,
    apply: (stream) => stream.take(count),
    reference: (source) => taken(source, count),
  })),
  fc.integer({ min: 0, max: 3 }).map((times): Link => ({
    text: `flatMap(array of ${times})`,
    apply: (stream) =>
      stream.flatMap((value) => Array.from({ length: times }, (_, time) => value + time)),
    reference: (source) => repeated(source, times),
  })),
  small.map((times): Link => ({
    text: `flatMap(stream of ${times})`,
    apply: (stream) => stream.flatMap((value) => Stream.range(value, value + times)),
    reference: (source) => repeated(source, times),
  })),
  small.map((size): Link => ({
    text: `batch(${size}), flat`,
    apply: (stream) => stream.batch(size).flatMap((batch) => batch),
    reference: (source) => source,
  })),
  fc.tuple(small, small).map(([size, step]): Link => ({
    text: `window(${size}, ${step}), flat`,
    apply: (stream) => stream.window({ size, step }).flatMap((window) => window),
    reference: (source) => windowed(source, size, step),
  })),
  small.map((workers): Link => ({
    text: `stage(${workers} workers, +1)`,
    apply: (stream) => stream.stage((value) => afterTurns(value % 3, value + 1), { workers }),
    reference: (source) => mapped(source, (value) => value + 1),
  })),
  fc.constant<Link>({
    text: 'through(+1)',
    apply: (stream) => stream.through(addOne),
    reference: (source) => mapped(source, (value) => value + 1),
  }),
  fc.constant<Link>({
    text: 'attempt, recover',
    apply: (stream) =>
      stream
        .attempt((value) => {
          if (value % 4 === 0) throw new Error('by four');
          return value;
        })
        .recover(() => -4),
    reference: (source) => mapped(source, (value) => (value % 4 === 0 ? -4 : value)),
  }),
  fc.constant<Link>({
    text: 'merge with nothing',
    apply: (stream) => Stream.merge(stream, Stream.from<number>([])),
    reference: (source) => source,
  }),
);

interface Case {
  readonly links: readonly Link[];
  readonly count: number;
  /** The number at which the source fails; beyond `count`: it does not. */
  readonly failsAt: number;
  /** Sizes of the batches in which the source comes. */
  readonly batches: readonly number[];
}

const cases: fc.Arbitrary<Case> = fc.record({
  links: fc.array(link, { minLength: 1, maxLength: 5 }),
  count: fc.integer({ min: 0, max: 40 }),
  failsAt: fc.oneof(fc.constant(1000), fc.integer({ min: 0, max: 40 })),
  batches: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
});

const failure = new Error('the source broke');

/** The numbers up to `count`, or up to the failure, one by one. */
function* numbers({ count, failsAt }: Case): Generator<number> {
  for (let value = 0; value < count; value += 1) {
    if (value === failsAt) throw failure;
    yield value;
  }
}

/** The same in batches, as a stream: `flatMap` gives the batches on as they are. */
function inBatches(one: Case): Stream<number> {
  return Stream.from(cut(one)).flatMap((batch) => batch);
}

async function* cut(one: Case): AsyncGenerator<number[]> {
  let batch: number[] = [];
  let which = 0;
  try {
    for (const value of numbers(one)) {
      batch.push(value);
      if (batch.length < (one.batches[which % one.batches.length] ?? 1)) continue;
      yield batch;
      batch = [];
      which += 1;
    }
  } catch (error) {
    if (batch.length > 0) yield batch;
    throw error;
  }
  if (batch.length > 0) yield batch;
}

interface Outcome {
  items: number[];
  error: unknown;
}

function expectedOf(one: Case): Outcome {
  const items: number[] = [];
  try {
    let source: Iterable<number> = numbers(one);
    for (const { reference } of one.links) source = reference(source);
    for (const value of source) items.push(value);
  } catch (error) {
    return { items, error };
  }
  return { items, error: undefined };
}

function chain(source: Stream<number>, { links }: Case): Stream<number> {
  return links.reduce((stream, { apply }) => apply(stream), source);
}

async function outcomeOf(stream: Stream<number>): Promise<Outcome> {
  const items: number[] = [];
  try {
    await within(Promise.resolve(stream.subscribe((value) => void items.push(value))));
  } catch (error) {
    return { items, error };
  }
  return { items, error: undefined };
}

it('any chain gives what plain loops give, up to the same failure', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const expected = expectedOf(one);
      expect(await outcomeOf(chain(inBatches(one), one))).toEqual(expected);
      expect(await outcomeOf(chain(Stream.from(numbers(one)), one))).toEqual(expected);
    }),
    { numRuns: 250 },
  );
});

it('any chain that is left in the middle gives the beginning, and lets go of its source', async () => {
  await fc.assert(
    fc.asyncProperty(cases, fc.integer({ min: 1, max: 12 }), async (one, most) => {
      const { items: all, error } = expectedOf(one);
      let left = false;
      async function* watched(): AsyncGenerator<number> {
        try {
          yield* numbers(one);
        } finally {
          left = true;
        }
      }
      let touched = false;
      const source = Stream.from(watched()).map((value) => {
        touched = true;
        return value;
      });
      const items: number[] = [];
      const loop = async (): Promise<void> => {
        for await (const value of chain(source, one)) {
          items.push(value);
          if (items.length === most) break;
        }
      };
      const ending = await within(loop().catch((reason: unknown) => reason));
      expect(items).toEqual(all.slice(0, most));
      if (all.length < most) expect(ending).toBe(error);
      else expect(ending).toBeUndefined();
      if (touched) await until(() => left, 'the source to be let go of');
    }),
    { numRuns: 150 },
  );
});

it('several loops over one shared channel, some of them left, lose and double nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom(1, 4, 64),
      async (shares, prefetch) => {
        const writer = disposeAfter(
          Channel.create<number>(uniqueName('channel'), { bytes: '16KiB', prefetch }),
        );
        const count = 40;
        for (let value = 0; value < count; value += 1) await writer.send(value);
        await writer.close();
        const items: number[] = [];
        for (const share of shares) {
          let got = 0;
          for await (const value of writer) {
            items.push(value);
            got += 1;
            if (got === share) break;
          }
        }
        items.push(...(await within(writer.toArray())));
        expect(items).toEqual(Array.from({ length: count }, (_, value) => value));
        await writer[Symbol.asyncDispose]();
      },
    ),
    { numRuns: 30 },
  );
});

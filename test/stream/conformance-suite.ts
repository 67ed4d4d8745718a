/**
 * The promises that every stream keeps, whatever it comes from and whatever operator is on it:
 *
 * - end: everything is delivered, once and in order, and then the loop ends
 * - error: what came before is delivered, then the error, never a normal end
 * - break: the source is let go of at once, also while a read waits
 * - abort: what waits rejects with `AbortError` at once, and the source is let go of
 * - slow consumer: what nobody has asked for stays in the source
 */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Run, Stream } from 'zoosync';
import { failureOf, turns, until, within } from '../support/index.js';
import { operators, type Operator } from './conformance-operators.js';
import { sourceError, type SourceKind } from './conformance-sources.js';
import { RecordingSink, recordingWritable } from './recording-sinks.js';

const few = 12;
const many = 50;

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function sorted(items: readonly unknown[]): unknown[] {
  return items.toSorted((one, other) => Number(one) - Number(other));
}

/** Takes everything; the error, if the stream fails, is answered beside what came before. */
async function drain(stream: Stream<unknown>): Promise<{ items: unknown[]; error?: unknown }> {
  const items: unknown[] = [];
  const loop = async (): Promise<{ items: unknown[]; error?: unknown }> => {
    try {
      for await (const item of stream) items.push(item);
      return { items };
    } catch (error) {
      return { items, error };
    }
  };
  return within(loop(), 'the end of a stream');
}

function expectItems(operator: Operator, items: unknown[], expected: unknown[]): void {
  if (operator.anyOrder === true) expect(sorted(items)).toEqual(sorted(expected));
  else expect(items).toEqual(expected);
}

function expectAborted(error: Error, reason: unknown): void {
  expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
  expect(error.cause).toBe(reason);
}

const reason = { why: 'the user left' };

function endSuite(kind: SourceKind, operator: Operator): void {
  it('end: everything arrives once, then the loop ends', async () => {
    const source = await kind.open(few, 'end');
    const { items, error } = await drain(operator.apply(source.stream));
    expect(error).toBeUndefined();
    expectItems(operator, items, operator.expected(numbers(few)));
  });

  it('end: of nothing', async () => {
    const source = await kind.open(0, 'end');
    expect(await drain(operator.apply(source.stream))).toEqual({ items: [] });
  });

  it('end: once at its end a loop stays there, and the signal is left alone', async () => {
    const source = await kind.open(1, 'end');
    const { signal } = new AbortController();
    const iterator = operator.apply(source.stream).with({ signal })[Symbol.asyncIterator]();
    while ((await within(iterator.next(), 'an item or the end')).done !== true);
    expect(await within(iterator.next(), 'the end again')).toEqual({
      done: true,
      value: undefined,
    });
    await within(Promise.resolve(iterator.return?.()), 'return() after the end');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
}

function errorSuite(kind: SourceKind, operator: Operator): void {
  if (kind.endings.includes('error')) {
    it('error: of the source comes after what the source gave before it', async () => {
      const before = 6;
      const source = await kind.open(before, 'error');
      const { items, error } = await drain(operator.apply(source.stream));
      expect(error).toMatchObject({ name: 'RangeError', message: sourceError().message });
      const expected = operator.expected(numbers(before));
      if (operator.dropsOnFailure === true) expect(items).toEqual(expected.slice(0, items.length));
      else expectItems(operator, items, expected);
    });
  }

  const { failing } = operator;
  if (failing === undefined) return;

  it('error: of the operator comes after the items before it, and lets go of the source', async () => {
    const source = await kind.open(few, kind.endings.includes('idle') ? 'idle' : 'end');
    const thrown = new Error('the operator broke');
    const { items, error } = await drain(failing(source.stream, 4, thrown));
    expect(error).toBe(thrown);
    const expected = [0, 2, 4, 6];
    if (operator.dropsOnFailure === true) expect(items).toEqual(expected.slice(0, items.length));
    else if (operator.anyOrder === true) expect(expected).toEqual(expect.arrayContaining(items));
    else expect(items).toEqual(expected);
    await source.expectLetGo();
  });
}

function breakSuite(kind: SourceKind, operator: Operator): void {
  const ending = kind.endings.includes('idle') ? 'idle' : 'end';

  it('break: lets go of the source', async () => {
    const source = await kind.open(few, ending);
    const loop = async (): Promise<unknown> => {
      for await (const item of operator.apply(source.stream)) return item;
      return undefined;
    };
    const item = await within(loop(), 'the first item');
    if (operator.anyOrder !== true) expect(item).toEqual(operator.expected(numbers(few))[0]);
    const keepsRest =
      operator.oneForOne === true && (kind.prefetch === undefined || kind.prefetch === 1);
    if (source.next !== undefined && keepsRest) {
      expect(await within(source.next(), 'the item after the break')).toBe(1);
    } else {
      await source.expectLetGo();
    }
  });

  it('break: so does an error in the body of the loop', async () => {
    const source = await kind.open(few, ending);
    const thrown = new Error('the body broke');
    const loop = async (): Promise<void> => {
      for await (const item of operator.apply(source.stream)) {
        expect(item).toBeDefined();
        throw thrown;
      }
    };
    expect(await failureOf(within(loop(), 'the end of the loop'))).toBe(thrown);
    await source.expectLetGo();
  });

  if (ending !== 'idle') return;

  it('break: return() ends a next() that waits', async () => {
    const source = await kind.open(0, 'idle');
    const iterator = operator.apply(source.stream)[Symbol.asyncIterator]();
    const waiting = [iterator.next(), iterator.next()];
    await turns(5);
    expect(await within(iterator.return!(), 'return()')).toEqual({ done: true, value: undefined });
    for (const next of waiting) {
      expect(await within(next, 'a next() that waited')).toEqual({ done: true, value: undefined });
    }
    await source.expectLetGo();
  });
}

function abortSuite(kind: SourceKind, operator: Operator): void {
  const letsGo = operator.detached !== true;

  it('abort: before the first item', async () => {
    const source = await kind.open(few, 'end');
    const stream = operator.apply(source.stream).with({ signal: AbortSignal.abort(reason) });
    const { items, error } = await drain(stream);
    expect(items).toEqual([]);
    expectAborted(error as Error, reason);
  });

  it('abort: between two items', async () => {
    const source = await kind.open(few, kind.endings.includes('idle') ? 'idle' : 'end');
    const controller = new AbortController();
    const stream = operator.apply(source.stream).with({ signal: controller.signal });
    const iterator = stream[Symbol.asyncIterator]();
    expect((await within(iterator.next(), 'the first item')).done).toBe(false);
    controller.abort(reason);
    expectAborted(await failureOf(within(iterator.next(), 'an aborted next()')), reason);
    expect((await within(iterator.next(), 'the end')).done).toBe(true);
    if (letsGo) await source.expectLetGo();
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  if (!kind.endings.includes('idle')) return;

  it('abort: of a next() that waits', async () => {
    const source = await kind.open(0, 'idle');
    const controller = new AbortController();
    const stream = operator.apply(source.stream).with({ signal: controller.signal });
    const waiting = stream[Symbol.asyncIterator]().next();
    waiting.catch(() => undefined);
    await turns(5);
    controller.abort(reason);
    expectAborted(await failureOf(within(waiting, 'an aborted next()')), reason);
    if (letsGo) await source.expectLetGo();
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  if (!letsGo) return;

  it('abort: by a signal given before the operator', async () => {
    const source = await kind.open(0, 'idle');
    const controller = new AbortController();
    const stream = operator.apply(source.stream.with({ signal: controller.signal }));
    const waiting = stream[Symbol.asyncIterator]().next();
    waiting.catch(() => undefined);
    await turns(5);
    controller.abort(reason);
    expectAborted(await failureOf(within(waiting, 'an aborted next()')), reason);
    await source.expectLetGo();
  });
}

function slowSuite(kind: SourceKind, operator: Operator): void {
  it('slow consumer: what nobody asks for stays in the source', async () => {
    const source = await kind.open(many, 'end');
    const iterator = operator.apply(source.stream)[Symbol.asyncIterator]();
    const items: unknown[] = [];
    for (;;) {
      const next = await within(iterator.next(), 'an item');
      if (next.done === true) break;
      items.push(next.value);
      if (items.length > 1) continue;
      await turns(20);
      expect(source.given()).toBeLessThanOrEqual(operator.holds + kind.readAhead);
    }
    expectItems(operator, items, operator.expected(numbers(many)));
  });
}

/** Runs every operator against `kind`. */
export function describeConformance(kind: SourceKind): void {
  describe(`${kind.name}`, () => {
    for (const operator of operators) {
      describe(operator.name, () => {
        endSuite(kind, operator);
        errorSuite(kind, operator);
        if (operator.detached !== true) breakSuite(kind, operator);
        abortSuite(kind, operator);
        slowSuite(kind, operator);
      });
    }
    describeConsumers(kind);
  });
}

/** A way to use a stream up. `done` answers how many items it delivered, if it counts them. */
interface Consumer {
  readonly name: string;
  /** Whether it takes one item after another and can be held up. */
  consume(
    stream: Stream<number>,
    each: (value: number) => void | Promise<void>,
    signal?: AbortSignal,
  ): PromiseLike<unknown>;
  /** What it answers for `count` items; left out when it has nothing to say. */
  answer?(count: number): unknown;
}

const consumers: Consumer[] = [
  {
    name: 'for await',
    async consume(stream, each, signal) {
      const source = signal === undefined ? stream : stream.with({ signal });
      for await (const value of source) await each(value);
    },
  },
  {
    name: 'toArray',
    consume: (stream, each, signal) =>
      stream
        .map(async (value) => {
          await each(value);
          return value;
        })
        .toArray(signal === undefined ? {} : { signal }),
    answer: numbers,
  },
  {
    name: 'reduce',
    consume: (stream, each, signal) =>
      stream.reduce(
        async (sum: number, value: number) => {
          await each(value);
          return sum + 1;
        },
        0,
        signal === undefined ? {} : { signal },
      ),
    answer: (count) => count,
  },
  {
    name: 'batches',
    async consume(stream, each, signal) {
      const source = signal === undefined ? stream : stream.with({ signal });
      for await (const batch of source.batches()) for (const value of batch) await each(value);
    },
  },
  {
    name: 'subscribe',
    consume: (stream, each, signal) =>
      stream.subscribe(each, signal === undefined ? {} : { signal }),
    answer: (count) => count,
  },
  {
    name: 'to a sink',
    consume: (stream, each, signal) =>
      stream.to(new RecordingSink<number>(each), signal === undefined ? {} : { signal }),
    answer: (count) => count,
  },
  {
    name: 'to a Writable',
    consume: (stream, each, signal) =>
      stream.to(recordingWritable(each), signal === undefined ? {} : { signal }),
    answer: (count) => count,
  },
  {
    name: 'to two sinks',
    consume: (stream, each, signal) =>
      stream.to(
        new RecordingSink<number>(),
        new RecordingSink<number>(each),
        signal === undefined ? {} : { signal },
      ),
    answer: (count) => count,
  },
];

/** The ways to use a stream up, each against `kind`. */
function describeConsumers(kind: SourceKind): void {
  const waits = kind.endings.includes('idle');
  describe.each(consumers)('$name', ({ consume, answer }) => {
    it('end: everything arrives once', async () => {
      const source = await kind.open(few, 'end');
      const taken: number[] = [];
      const result = await within(
        Promise.resolve(consume(source.stream, (value) => void taken.push(value))),
        'everything to be used up',
      );
      expect(taken).toEqual(numbers(few));
      if (answer !== undefined) expect(result).toEqual(answer(few));
    });

    it.runIf(kind.endings.includes('error'))('error: of the source', async () => {
      const source = await kind.open(6, 'error');
      const taken: number[] = [];
      const error = await failureOf(
        within(Promise.resolve(consume(source.stream, (value) => void taken.push(value)))),
      );
      expect(error).toMatchObject({ name: 'RangeError', message: sourceError().message });
      expect(taken).toEqual(numbers(6));
    });

    it('error: of what is done with an item lets go of the source', async () => {
      const source = await kind.open(few, waits ? 'idle' : 'end');
      const thrown = new Error('the callback broke');
      const consuming = consume(source.stream, (value) => {
        if (value === 2) throw thrown;
      });
      expect(await failureOf(within(Promise.resolve(consuming)))).toBe(thrown);
      await source.expectLetGo();
    });

    it.runIf(waits)('abort: while it waits', async () => {
      const source = await kind.open(2, 'idle');
      const controller = new AbortController();
      let taken = 0;
      const consuming = Promise.resolve(
        consume(source.stream, () => void (taken += 1), controller.signal),
      );
      consuming.catch(() => undefined);
      await until(() => taken === 2, 'what there is to be taken');
      controller.abort(reason);
      expectAborted(await failureOf(within(consuming, 'an aborted consumer')), reason);
      await source.expectLetGo();
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    });

    it('slow consumer: what it does not take stays in the source', async () => {
      const source = await kind.open(many, 'end');
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      let taken = 0;
      const consuming = Promise.resolve(
        consume(source.stream, () => {
          taken += 1;
          return taken === 1 ? released : undefined;
        }),
      );
      await until(() => taken === 1, 'the first item');
      await turns(20);
      expect(source.given()).toBeLessThanOrEqual(4 + kind.readAhead);
      release();
      await within(consuming, 'the rest');
      expect(taken).toBe(many);
    });
  });

  it.runIf(waits)('cancel(): stops a run, which rejects, and lets go of the source', async () => {
    const source = await kind.open(0, 'idle');
    const run: Run = source.stream.subscribe(() => undefined);
    const failure = failureOf(Promise.resolve(run));
    await turns(5);
    await within(run.cancel(reason), 'cancel()');
    expectAborted(await within(failure, 'the end of the run'), reason);
    await source.expectLetGo();
  });
}

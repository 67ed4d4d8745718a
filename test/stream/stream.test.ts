import { Readable } from 'node:stream';
import { getEventListeners } from 'node:events';
import { Stream } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { codeOf, failureOf, isPending, thrownBy, turns, within } from '../support/index.js';
import { iterate, collect, gate, probe } from './probes.js';

describe('sources', () => {
  it('counts up, down, in fractions, and not at all', async () => {
    expect(await Stream.range(1, 4).toArray()).toEqual([1, 2, 3]);
    expect(await Stream.range(3, 0, -1).toArray()).toEqual([3, 2, 1]);
    expect(await Stream.range(0, 0.5, 0.1).toArray()).toEqual([0, 0.1, 0.2, 0.1 * 3, 0.4]);
    expect(await Stream.range(1, 0).toArray()).toEqual([]);
    expect(await Stream.range(0, Infinity).take(2).toArray()).toEqual([0, 1]);
  });

  it('refuses a range that goes nowhere', () => {
    for (const range of [
      () => Stream.range(0, 1, 0),
      () => Stream.range(NaN, 1),
      () => Stream.range(0, NaN),
      () => Stream.range(-Infinity, 1),
      () => Stream.range(0, 1, Infinity),
    ]) {
      expect(thrownBy(range)).toMatchObject({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    }
    expect(thrownBy(() => Stream.range('0' as never, 1)).code).toBe('ERR_INVALID_ARG_TYPE');
  });

  it('takes arrays, sets, generators, strings, Readables, Web streams and other streams', async () => {
    const generator = function* (): Generator<string> {
      yield* ['a', 'b'];
    };
    const sources = [
      ['a', 'b'],
      new Set(['a', 'b']),
      generator(),
      'ab',
      Readable.from(['a', 'b']),
      new Blob(['ab']).stream().pipeThrough(new TextDecoderStream()),
      Stream.from(['a', 'b']),
      probe(['a', 'b']),
    ];
    for (const source of sources) {
      const letters = await Stream.from(source as Iterable<string>).toArray();
      expect(letters.join('')).toBe('ab');
    }
  });

  it('refuses what cannot be iterated', () => {
    for (const source of [5, null, undefined, {}, () => {}, Symbol('x')]) {
      expect(thrownBy(() => Stream.from(source as never)).code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  it('awaits promises in an array, as for await does', async () => {
    const items = [1, Promise.resolve(2), 3];
    expect(await Stream.from(items).toArray()).toEqual([1, 2, 3]);
    const failing = [1, 2, Promise.reject(new Error('third')), 4];
    const { items: before, failure } = await collect(Stream.from(failing));
    expect(before).toEqual([1, 2]);
    expect(failure).toMatchObject({ message: 'third' });
  });

  it('gives an array again to each run', async () => {
    const stream = Stream.from([1, 2]).map((n) => n + 1);
    expect(await stream.toArray()).toEqual([2, 3]);
    expect(await stream.toArray()).toEqual([2, 3]);
  });

  it('takes one item at a time from a generator', async () => {
    let made = 0;
    const numbers = function* (): Generator<number> {
      for (;;) yield (made += 1);
    };
    const iterator = iterate(Stream.from(numbers()));
    await iterator.next();
    await iterator.next();
    expect(made).toBe(2);
    await iterator.return!();
  });
});

describe('operators', () => {
  it('maps and filters, with and without promises', async () => {
    const slow = async <V>(value: V): Promise<V> => value;
    const stream = Stream.range(0, 10)
      .map((n) => (n % 3 === 0 ? slow(n) : n))
      .filter((n) => (n % 2 === 0 ? slow(true) : n > 6));
    expect(await stream.toArray()).toEqual([0, 2, 4, 6, 7, 8, 9]);
  });

  it('calls an async callback for one item at a time', async () => {
    let running = 0;
    let most = 0;
    const stream = Stream.range(0, 5).map(async (n) => {
      most = Math.max(most, (running += 1));
      await turns(1);
      running -= 1;
      return n;
    });
    expect(await stream.toArray()).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(1);
  });

  it('gives what is ready before it waits for a callback', async () => {
    const third = gate<number>();
    const iterator = iterate(Stream.from([1, 2, 3]).map((n) => (n === 3 ? third.promise : n)));
    expect((await iterator.next()).value).toBe(1);
    expect((await within(iterator.next())).value).toBe(2);
    third.open(33);
    expect((await iterator.next()).value).toBe(33);
  });

  it('gives the items before a failure, then the failure, and lets go of the source', async () => {
    const failing = (n: number): number => {
      if (n === 3) throw new RangeError('three');
      return n;
    };
    for (const callback of [failing, async (n: number) => failing(n)]) {
      for (const make of [
        (source: Stream<number>) => source.map(callback),
        (source: Stream<number>) => source.filter(async (n) => (await callback(n)) > 0),
        (source: Stream<number>) => source.flatMap(async (n) => [await callback(n)]),
      ]) {
        const source = probe([1, 2, 3, 4]);
        const { items, failure } = await collect(make(Stream.from(source)));
        expect(items).toEqual([1, 2]);
        expect(failure).toBeInstanceOf(RangeError);
        expect(source).toMatchObject({ pulled: 3, returned: 1 });
      }
    }
  });

  it('takes no more than it was told', async () => {
    let calls = 0;
    const stream = Stream.range(0, 1000).map((n) => {
      calls += 1;
      return n;
    });
    expect(await stream.take(3).toArray()).toEqual([0, 1, 2]);
    expect(calls).toBe(3);
    expect(await stream.take(0).toArray()).toEqual([]);
    expect(calls).toBe(3);
    expect(await Stream.from([1]).take(Infinity).toArray()).toEqual([1]);
  });

  it('lets go of the source with the last item it takes', async () => {
    const source = probe([1, 2, 3], 'never');
    const iterator = iterate(Stream.from(source).take(2));
    await iterator.next();
    expect(source.returned).toBe(0);
    await iterator.next();
    expect(source).toMatchObject({ pulled: 2, returned: 1 });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('flattens arrays, streams and Readables, one after the other', async () => {
    const parts: Record<string, () => Iterable<number> | AsyncIterable<number>> = {
      array: () => [1, 2],
      none: () => [],
      stream: () => Stream.range(3, 5),
      readable: () => Readable.from([5]),
    };
    const stream = Stream.from(Object.values(parts)).flatMap(async (make) => make());
    expect(await stream.toArray()).toEqual([1, 2, 3, 4, 5]);
    expect(
      await codeOf(
        Stream.from([1])
          .flatMap(() => 5 as never)
          .toArray(),
      ),
    ).toBe('ERR_INVALID_ARG_TYPE');
  });

  it('refuses callbacks that are none', () => {
    const stream = Stream.from([1]);
    for (const call of [
      () => stream.map(1 as never),
      () => stream.filter({} as never),
      () => stream.flatMap(undefined as never),
      () => stream.stage('x' as never),
      () => stream.subscribe(null as never),
      () => stream.through({} as never),
      () => stream.errorsTo({} as never),
      () => stream.take('1' as never),
    ]) {
      expect(thrownBy(call)).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    expect(thrownBy(() => stream.take(-1)).code).toBe('ERR_OUT_OF_RANGE');
    expect(thrownBy(() => stream.take(1.5)).code).toBe('ERR_OUT_OF_RANGE');
  });

  it('folds, with and without promises', async () => {
    const stream = Stream.range(1, 101);
    expect(await stream.reduce((sum, n) => sum + n, 0)).toBe(5050);
    expect(await stream.reduce(async (sum, n) => sum + n, 0)).toBe(5050);
    const failing = stream.reduce((sum, n) => {
      if (n === 50) throw new Error('fifty');
      return sum + n;
    }, 0);
    expect((await failureOf(failing)).message).toBe('fifty');
  });

  it('shows its batches, which lose nothing', async () => {
    const batches = await Stream.range(0, 300).batches().toArray();
    expect(batches.length).toBeLessThan(20);
    expect(batches.flat()).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });
});

describe('the iterator', () => {
  it('does nothing before the first question', async () => {
    const source = probe([1]);
    const iterator = iterate(Stream.from(source).map((n) => n));
    await turns();
    expect(source.pulled).toBe(0);
    await iterator.return!();
    expect(source).toMatchObject({ pulled: 0, returned: 0 });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('answers overlapping questions in order', async () => {
    for (const source of [[1, 2, 3], probe([1, 2, 3])]) {
      const iterator = iterate(Stream.from(source));
      const answers = await Promise.all([1, 2, 3, 4, 5].map(() => iterator.next()));
      expect(answers.map(({ value }) => value)).toEqual([1, 2, 3, undefined, undefined]);
      expect(answers.map(({ done }) => done)).toEqual([false, false, false, true, true]);
    }
  });

  it('answers all that wait as done when it is left, at once', async () => {
    const source = probe<number>([], 'never');
    const iterator = iterate(Stream.from(source));
    const waiting = [iterator.next(), iterator.next()];
    expect(await isPending(waiting[0]!)).toBe(true);
    expect(await within(iterator.return!())).toEqual({ done: true, value: undefined });
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    expect(source.returned).toBe(1);
    await iterator.return!();
    expect(source.returned).toBe(1);
  });

  it('gives a failure once, to the first that asked', async () => {
    const iterator = iterate(Stream.from(probe([], new Error('broken'))));
    const [first, second] = await Promise.allSettled([iterator.next(), iterator.next()]);
    expect(first).toMatchObject({ status: 'rejected', reason: { message: 'broken' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: { done: true } });
    expect((await iterator.next()).done).toBe(true);
  });

  it('waits until an idle source has closed, and tells what that threw', async () => {
    const steps: string[] = [];
    const source = async function* (): AsyncGenerator<number> {
      try {
        yield 1;
      } finally {
        await turns();
        steps.push('closed');
      }
    };
    for await (const item of Stream.from(source())) {
      steps.push(`item ${item}`);
      break;
    }
    expect(steps).toEqual(['item 1', 'closed']);

    const careless = async function* (): AsyncGenerator<number> {
      try {
        yield 1;
      } finally {
        throw new Error('while closing'); // oxlint-disable-line no-unsafe-finally
      }
    };
    const leaving = (async () => {
      for await (const item of Stream.from(careless())) if (item) break;
    })();
    expect((await failureOf(leaving)).message).toBe('while closing');
  });

  it('destroys a Readable that is idle', async () => {
    const readable = new Readable({ read() {} });
    const iterator = iterate(Stream.from(readable));
    const waiting = iterator.next();
    await iterator.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(readable.destroyed).toBe(true);
  });
});

describe('a signal', () => {
  it('rejects what waits at once and lets go of the source', async () => {
    for (const run of [
      (stream: Stream<number>, signal: AbortSignal) => stream.toArray({ signal }),
      (stream: Stream<number>, signal: AbortSignal) => stream.reduce((a) => a, 0, { signal }),
      (stream: Stream<number>, signal: AbortSignal) => stream.with({ signal }).toArray(),
      (stream: Stream<number>, signal: AbortSignal) => collectOrThrow(stream.with({ signal })),
      (stream: Stream<number>, signal: AbortSignal) =>
        collectOrThrow(stream.with({ signal }).map((n) => n)),
      (stream: Stream<number>, signal: AbortSignal) =>
        Promise.resolve(stream.subscribe(() => {}, { signal })),
    ]) {
      const controller = new AbortController();
      const source = probe([1, 2], 'never');
      const running: Promise<unknown> = run(Stream.from(source), controller.signal);
      expect(await isPending(running)).toBe(true);
      controller.abort(new Error('enough'));
      const failure = await failureOf(within(running));
      expect(failure).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
      expect(failure.cause).toMatchObject({ message: 'enough' });
      expect(source.returned).toBe(1);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    }
  });

  it('ends a loop at its next step, not after what is buffered', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const loop = (async () => {
      for await (const n of Stream.range(0, 1000).with({ signal: controller.signal })) {
        seen.push(n);
        if (n === 20) controller.abort();
      }
    })();
    expect((await failureOf(loop)).name).toBe('AbortError');
    expect(seen.at(-1)).toBe(20);
  });

  it('reaches a loop over data that is always there', async () => {
    const signal = AbortSignal.timeout(30);
    const loop = (async () => {
      for await (const n of Stream.range(0, Infinity).with({ signal })) if (n < 0) break;
    })();
    expect((await failureOf(within(loop))).name).toBe('AbortError');
    const empty = Stream.range(0, Infinity).filter(() => false);
    expect(await codeOf(empty.toArray({ signal: AbortSignal.timeout(30) }))).toBe('ABORT_ERR');
    const count = Stream.range(0, Infinity).reduce((sum) => sum + 1, 0, {
      signal: AbortSignal.timeout(30),
    });
    expect(await codeOf(count)).toBe('ABORT_ERR');
  });

  it('that has fired already uses nothing and lets go all the same', async () => {
    const signal = AbortSignal.abort('before');
    const readable = Readable.from([1]);
    expect(await codeOf(Stream.from(readable).toArray({ signal }))).toBe('ABORT_ERR');
    expect(readable.destroyed).toBe(true);
    const source = probe([1]);
    expect(await codeOf(collectOrThrow(Stream.from(source).with({ signal })))).toBe('ABORT_ERR');
    expect(source.pulled).toBe(0);
  });

  it('leaves no listener behind at the end, and of a part ends with its part', async () => {
    const { signal } = new AbortController();
    await Stream.from([1]).with({ signal }).toArray({ signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);

    const ofPart = new AbortController();
    const stream = Stream.from([1, 2]).flatMap((n) =>
      n === 1 ? Stream.from([n]).with({ signal: ofPart.signal }) : [n, n],
    );
    const seen: number[] = [];
    for await (const n of stream) {
      seen.push(n);
      if (n === 2) ofPart.abort();
    }
    expect(seen).toEqual([1, 2, 2]);
  });

  it('has to be one, and unknown options are refused', async () => {
    const stream = Stream.from([1]);
    expect(await codeOf(stream.toArray({ signal: 5 as never }))).toBe('ERR_INVALID_ARG_TYPE');
    expect(await codeOf(stream.toArray({ sginal: 5 } as never))).toBe('ERR_INVALID_ARG_VALUE');
    expect(thrownBy(() => stream.with({ timeout: 5 } as never)).code).toBe('ERR_INVALID_ARG_VALUE');
  });
});

async function collectOrThrow<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

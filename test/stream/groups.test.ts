import { Channel, Stream } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { codeOf, isPending, thrownBy, turns, within } from '../support/index.js';
import { iterate, collect, gate, probe } from './probes.js';

describe('batch', () => {
  it('makes arrays of a size, the last one shorter', async () => {
    expect(await Stream.range(0, 7).batch(3).toArray()).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(await Stream.range(0, 6).batch(3).toArray()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(await Stream.from([]).batch(3).toArray()).toEqual([]);
    const large = await Stream.range(0, 2500).batch(1000).toArray();
    expect(large.map((group) => group.length)).toEqual([1000, 1000, 500]);
  });

  it('gives a short one before a failure', async () => {
    const { items, failure } = await collect(
      Stream.from(probe([1, 2, 3], new Error('broken'))).batch(2),
    );
    expect(items).toEqual([[1, 2], [3]]);
    expect(failure).toMatchObject({ message: 'broken' });
  });

  it('gives a short one when its time is over, and loses nothing that comes later', async () => {
    const more = gate();
    const source = async function* (): AsyncGenerator<number> {
      yield 1;
      yield 2;
      await more.promise;
      yield* [3, 4, 5];
    };
    const iterator = iterate(Stream.from(source()).batch(3, { ms: 10 }));
    expect((await within(iterator.next())).value).toEqual([1, 2]);
    const next = iterator.next();
    expect(await isPending(next)).toBe(true);
    more.open();
    expect((await within(next)).value).toEqual([3, 4, 5]);
    expect((await iterator.next()).done).toBe(true);
  });

  it('without a time waits for a full one', async () => {
    const iterator = iterate(Stream.from(probe([1], 'never')).batch(2));
    const next = iterator.next();
    expect(await isPending(next)).toBe(true);
    await within(iterator.return!());
    expect((await next).done).toBe(true);
  });

  it('refuses sizes and times that are none', () => {
    const stream = Stream.from([1]);
    for (const size of [0, -1, NaN, 1.5, Infinity]) {
      expect(thrownBy(() => stream.batch(size)).code, String(size)).toBe('ERR_OUT_OF_RANGE');
    }
    for (const ms of [0, -1, NaN]) {
      expect(thrownBy(() => stream.batch(1, { ms })).code).toBe('ERR_OUT_OF_RANGE');
    }
    expect(thrownBy(() => stream.batch('1' as never)).code).toBe('ERR_INVALID_ARG_TYPE');
    expect(thrownBy(() => stream.batch(1, { time: 5 } as never)).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
  });
});

describe('window', () => {
  it('slides over the items', async () => {
    expect(await Stream.range(0, 5).window({ size: 3 }).toArray()).toEqual([
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
    ]);
    expect(await Stream.range(0, 7).window({ size: 3, step: 2 }).toArray()).toEqual([
      [0, 1, 2],
      [2, 3, 4],
      [4, 5, 6],
    ]);
    expect(await Stream.range(0, 9).window({ size: 2, step: 4 }).toArray()).toEqual([
      [0, 1],
      [4, 5],
    ]);
    expect(await Stream.range(0, 2).window({ size: 3 }).toArray()).toEqual([]);
  });

  it('reaches back in time, inclusively, by the time of the items', async () => {
    const times = [0, 500, 1000, 2500, 3000, 5100];
    const windows = await Stream.from(times)
      .map((time) => ({ time }))
      .window({ ms: 2000, at: (item) => item.time })
      .map((items) => items.map((item) => item.time))
      .toArray();
    expect(windows).toEqual([
      [0],
      [0, 500],
      [0, 500, 1000],
      [500, 1000, 2500],
      [1000, 2500, 3000],
      [5100],
    ]);
  });

  it('gives copies, which may be changed', async () => {
    const lengths: number[] = [];
    for await (const window of Stream.range(0, 4).window({ ms: 10, at: (n) => n })) {
      lengths.push(window.length);
      window.length = 0;
    }
    expect(lengths).toEqual([1, 2, 3, 4]);
  });

  it('refuses options that say too little, too much or nonsense', async () => {
    const stream = Stream.from([1]);
    for (const options of [
      { size: 0 },
      { size: NaN },
      { size: 2, step: 0 },
      { ms: 0, at: Number },
    ]) {
      expect(thrownBy(() => stream.window(options)).code).toBe('ERR_OUT_OF_RANGE');
    }
    for (const options of [undefined, {}, { ms: 5 }, { at: Number }, { size: '2' }, 5]) {
      expect(thrownBy(() => stream.window(options as never)).code).toBe('ERR_INVALID_ARG_TYPE');
    }
    for (const options of [
      { size: 2, ms: 5, at: Number },
      { size: 2, every: 1 },
    ]) {
      expect(thrownBy(() => stream.window(options as never)).code).toBe('ERR_INVALID_ARG_VALUE');
    }
    const timeless = stream.window({ ms: 5, at: () => NaN });
    expect(await codeOf(timeless.toArray())).toBe('ERR_OUT_OF_RANGE');
  });
});

describe('merge', () => {
  it('gives what comes first, and ends when all have', async () => {
    const later = gate();
    const slow = async function* (): AsyncGenerator<string> {
      await later.promise;
      yield 'slow';
    };
    const iterator = iterate(Stream.merge(slow(), ['a', 'b'], []));
    expect((await iterator.next()).value).toBe('a');
    expect((await iterator.next()).value).toBe('b');
    const next = iterator.next();
    expect(await isPending(next)).toBe(true);
    later.open();
    expect((await next).value).toBe('slow');
    expect((await iterator.next()).done).toBe(true);
    expect(await Stream.merge().toArray()).toEqual([]);
  });

  it('lets no source starve another', async () => {
    const forever = (name: string): Stream<string> => Stream.range(0, Infinity).map(() => name);
    const names = await Stream.merge(forever('a'), forever('b')).take(1000).toArray();
    expect(names.filter((name) => name === 'a').length).toBeGreaterThan(300);
    expect(names.filter((name) => name === 'b').length).toBeGreaterThan(300);
  });

  it('lets go of all when one fails, and when it is left', async () => {
    const idle = probe<number>([], 'never');
    const { items, failure } = await collect(
      Stream.merge(idle, probe([1, 2], new Error('broken'))),
    );
    expect(items).toEqual([1, 2]);
    expect(failure).toMatchObject({ message: 'broken' });
    expect(idle.returned).toBe(1);

    const sources = [probe([1], 'never'), probe<number>([], 'never')];
    for await (const n of Stream.merge(...sources)) if (n === 1) break;
    expect(sources.map(({ returned }) => returned)).toEqual([1, 1]);
  });

  it('refuses a source that is none, and says which', () => {
    expect(thrownBy(() => Stream.merge([1], 5 as never)).message).toContain('source 2');
  });
});

describe('priority', () => {
  it('gives nothing of a later source while an earlier one has something', async () => {
    const urgent = async function* (): AsyncGenerator<string> {
      yield* ['u1', 'u2', 'u3'];
    };
    expect(await Stream.priority(urgent(), ['n1', 'n2']).toArray()).toEqual([
      'u1',
      'u2',
      'u3',
      'n1',
      'n2',
    ]);
    expect(await Stream.priority(['u1', 'u2'], urgent()).toArray()).toEqual([
      'u1',
      'u2',
      'u1',
      'u2',
      'u3',
    ]);
  });

  it('goes back to the earlier source as soon as it has something', async () => {
    const call = gate();
    const urgent = async function* (): AsyncGenerator<string> {
      await call.promise;
      yield* ['u1', 'u2'];
    };
    const iterator = iterate(Stream.priority(urgent(), Stream.range(0, 100).map(String)));
    expect((await iterator.next()).value).toBe('0');
    expect((await iterator.next()).value).toBe('1');
    call.open();
    await turns();
    expect((await iterator.next()).value).toBe('u1');
    expect((await iterator.next()).value).toBe('u2');
    expect((await iterator.next()).value).toBe('2');
    await iterator.return!();
  });

  it('gives back to a Channel what it had pulled and did not give', async () => {
    const urgent = Channel.local<string>(4);
    const normal = Channel.local<string>(4);
    const iterator = iterate(Stream.priority(urgent, normal));
    const first = iterator.next();
    await turns();
    await Promise.all([urgent.send('u1'), normal.send('n1'), normal.send('n2')]);
    expect((await first).value).toBe('u1');
    await iterator.return!();
    expect(await normal.receive()).toBe('n1');
    expect(await normal.receive()).toBe('n2');
  });
});

describe('streams of a Channel', () => {
  it('leave in it what they did not use', async () => {
    const channel = Channel.local<number>(20);
    for (let n = 0; n < 10; n += 1) await channel.send(n);
    expect(await channel.take(3).toArray()).toEqual([0, 1, 2]);
    for await (const n of channel) if (n === 4) break;
    const failing = channel.map((n) => {
      if (n === 6) throw new Error('six');
      return n;
    });
    expect(await collect(failing)).toMatchObject({ items: [5], failure: { message: 'six' } });
    const results = channel.stage(async (n) => n, { workers: 1 });
    for await (const n of results) if (n === 7) break;
    // One more was in the hands of the stage, as a task.
    expect(await channel.receive()).toBe(9);
  });
});

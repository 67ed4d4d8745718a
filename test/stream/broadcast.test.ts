import { Broadcast, Stream } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { codeOf, failureOf, isPending, thrownBy, turns, until, within } from '../support/index.js';
import { iterate, collect, gate, probe } from './probes.js';

describe('a Broadcast', () => {
  it('gives every subscriber every item', async () => {
    const broadcast = new Broadcast(Stream.range(0, 50));
    const first: number[] = [];
    const second: number[] = [];
    const runs = [
      broadcast.subscribe((n) => first.push(n)),
      broadcast.subscribe(async (n) => {
        await turns(1);
        second.push(n);
      }),
    ];
    const stream = broadcast.stream({ buffer: 5 }).map((n) => n * 2);
    const doubled = stream.toArray();
    expect(await broadcast.run()).toBe(50);
    expect(await Promise.all(runs)).toEqual([50, 50]);
    const all = Array.from({ length: 50 }, (_, i) => i);
    expect([first, second]).toEqual([all, all]);
    expect(await doubled).toEqual(all.map((n) => n * 2));
  });

  it('uses nothing of its source before it runs, and runs once', async () => {
    const source = probe([1, 2]);
    const broadcast = new Broadcast(source);
    const items = broadcast.stream({ buffer: 2 });
    await turns();
    expect(source.pulled).toBe(0);
    const run = broadcast.run();
    expect(broadcast.run()).toBe(run);
    await run;
    // Registered when it was asked for, though read only now.
    expect(await items.toArray()).toEqual([1, 2]);
  });

  it('waits for the slowest, and keeps no more than its buffer', async () => {
    const source = probe(Array.from({ length: 20 }, (_, i) => i));
    const broadcast = new Broadcast(source);
    const fast: number[] = [];
    void broadcast.subscribe((n) => fast.push(n));
    const slow = iterate(broadcast.stream({ buffer: 3 }));
    const run = broadcast.run();
    await until(() => fast.length >= 4);
    await turns(10);
    expect(fast).toEqual([0, 1, 2, 3]);
    expect((await slow.next()).value).toBe(0);
    await until(() => fast.length === 5);
    expect(broadcast.stats()).toMatchObject({
      subscribers: [{ dropped: 0 }, { waiting: 3, delivered: 1, dropped: 0 }],
    });
    // One that leaves holds nobody up any more.
    await slow.return!();
    expect(await within(Promise.resolve(run))).toBe(20);
  });

  it('gives up items for a subscriber that wants it so, and counts them', async () => {
    const broadcast = new Broadcast(Stream.range(0, 10));
    const newest = broadcast.stream({ buffer: 3, whenFull: 'drop-oldest' });
    const oldest = broadcast.stream({ buffer: 3, whenFull: 'drop-newest' });
    await broadcast.run();
    expect(broadcast.stats()).toEqual({
      items: 10,
      subscribers: [
        { waiting: 3, delivered: 0, dropped: 7 },
        { waiting: 3, delivered: 0, dropped: 7 },
      ],
    });
    expect(await newest.toArray()).toEqual([7, 8, 9]);
    expect(await oldest.toArray()).toEqual([0, 1, 2]);
  });

  it('is not touched by a subscriber that throws', async () => {
    const broadcast = new Broadcast(Stream.range(0, 5));
    const seen: number[] = [];
    const failing = broadcast.subscribe((n) => {
      if (n === 2) throw new Error('two');
    });
    const outcome = failureOf(Promise.resolve(failing));
    const other = broadcast.subscribe((n) => seen.push(n));
    expect(await broadcast.run()).toBe(5);
    expect((await outcome).message).toBe('two');
    expect(await other).toBe(5);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect(broadcast.stats().subscribers).toEqual([]);
  });

  it('passes a failure of its source to each, after what waits for it', async () => {
    const broadcast = new Broadcast(probe([1, 2], new Error('broken')));
    const late = broadcast.stream({ buffer: 2 });
    const waiting = collect(broadcast.stream());
    expect((await failureOf(Promise.resolve(broadcast.run()))).message).toBe('broken');
    for (const outcome of [await waiting, await collect(late)]) {
      expect(outcome).toMatchObject({ items: [1, 2], failure: { message: 'broken' } });
    }
    const afterwards = await collect(broadcast.stream());
    expect(afterwards).toMatchObject({ items: [], failure: { message: 'broken' } });
  });

  it('ends for all when its run is cancelled', async () => {
    const source = probe([1], 'never');
    const broadcast = new Broadcast(source);
    const outcome = collect(broadcast.stream());
    const run = broadcast.run();
    await until(() => broadcast.stats().items === 1);
    await within(run.cancel('over'));
    expect(await within(outcome)).toMatchObject({ items: [1], failure: { code: 'ABORT_ERR' } });
    expect(source.returned).toBe(1);
  });

  it('lets a subscription end by signal, without the others', async () => {
    const more = gate();
    const broadcast = new Broadcast(
      (async function* () {
        yield 1;
        await more.promise;
        yield 2;
      })(),
    );
    const controller = new AbortController();
    const leaving = broadcast.subscribe(() => {}, { signal: controller.signal });
    const staying = broadcast.stream().toArray();
    const run = broadcast.run();
    await until(() => broadcast.stats().items === 1);
    controller.abort();
    expect(await codeOf(within(Promise.resolve(leaving)))).toBe('ABORT_ERR');
    expect(await isPending(Promise.resolve(run))).toBe(true);
    more.open();
    expect(await staying).toEqual([1, 2]);
  });

  it('gives each of its streams to one reader', async () => {
    const broadcast = new Broadcast([1]);
    const stream = broadcast.stream();
    const done = broadcast.run();
    expect(await stream.toArray()).toEqual([1]);
    expect(await codeOf(stream.toArray())).toBe('ERR_ZOO_CLOSED');
    await done;
    expect(await broadcast.stream().toArray()).toEqual([]);
  });

  it('refuses options that make no sense', () => {
    const broadcast = new Broadcast([1]);
    for (const buffer of [0, -1, NaN, Infinity]) {
      expect(thrownBy(() => broadcast.stream({ buffer })).code).toBe('ERR_OUT_OF_RANGE');
    }
    expect(thrownBy(() => broadcast.stream({ whenFull: 'drop' as never })).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    expect(thrownBy(() => broadcast.stream({ size: 1 } as never)).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    expect(thrownBy(() => broadcast.subscribe(5 as never)).code).toBe('ERR_INVALID_ARG_TYPE');
    expect(thrownBy(() => new Broadcast(5 as never)).code).toBe('ERR_INVALID_ARG_TYPE');
  });
});

import { ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { codeOf, describeEachStore, failureOf, thrownBy, uniqueName } from '../support/index.js';

describeEachStore('values', (store) => {
  it('come out of each form of get as they went into each form of put', async () => {
    const queue = store.create<{ n: number }>();
    const value = { n: 1 };

    await queue.put(value);
    expect(await queue.get()).toEqual(value);
    await queue.put(value);
    expect(queue.getSync()).toEqual(value);
    await queue.put(value);
    expect(queue.tryGet()).toEqual(value);

    queue.putSync(value);
    expect(await queue.get()).toEqual(value);
    queue.putSync(value);
    expect(queue.getSync()).toEqual(value);

    expect(queue.tryPut(value)).toBe(true);
    expect(queue.tryGet()).toEqual(value);
    expect(queue.tryGet()).toBeUndefined();
    expect(queue.length).toBe(0);
  });

  it('keep their order, also between two handles', async () => {
    const writer = store.create<number>({ messages: 64, bytes: 64 });
    const reader = store.open(writer);
    for (let i = 0; i < 60; i += 1) {
      if (i % 3 === 0) await writer.put(i);
      else if (i % 3 === 1) writer.putSync(i);
      else expect(writer.tryPut(i)).toBe(true);
    }
    expect(reader.length).toBe(60);
    const seen: unknown[] = [];
    for (let i = 0; i < 60; i += 1) {
      seen.push(
        i % 3 === 0 ? await reader.get() : i % 3 === 1 ? reader.getSync() : reader.tryGet(),
      );
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it('are shared between the readers of a queue, each delivered once', () => {
    const writer = store.create<number>({ messages: 40, bytes: 64 });
    const readers = [store.open(writer), store.open(writer), writer];
    for (let i = 0; i < 30; i += 1) writer.putSync(i);
    const seen = Array.from({ length: 30 }, (_, i) => readers[i % 3]?.tryGet());
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(readers.map((reader) => reader.tryGet())).toEqual([undefined, undefined, undefined]);
  });

  it('travel many at a time, in each form', async () => {
    const queue = store.create<number>({ messages: 32, bytes: 64 });
    const values = Array.from({ length: 20 }, (_, i) => i);

    await queue.putMany(values);
    expect(await queue.getMany(7)).toEqual(values.slice(0, 7));
    expect(queue.getManySync(7)).toEqual(values.slice(7, 14));
    expect(queue.tryGetMany(100)).toEqual(values.slice(14));
    expect(queue.tryGetMany(100)).toEqual([]);

    queue.putManySync(new Set(values));
    expect(await queue.getMany(1000)).toEqual(values);

    expect(queue.tryPutMany(values)).toBe(20);
    expect(queue.getManySync(1000)).toEqual(values);
  });

  it('take any iterable, also an endless one that is only as long as there is room', () => {
    const queue = store.create<number>({ messages: 4, bytes: 64 });
    function* five(): Generator<number> {
      for (let i = 0; i < 5; i += 1) yield i;
    }
    const large = store.create<number>();
    large.putManySync(five());
    expect(large.tryGetMany(10)).toEqual([0, 1, 2, 3, 4]);
    queue.putManySync([]);
    expect(queue.tryPutMany([])).toBe(0);
    expect(queue.length).toBe(0);
  });

  it('stop at the last one with room in tryPutMany', () => {
    const queue = store.create<number>({ messages: 4, bytes: 64 });
    const values = Array.from({ length: 1000 }, (_, i) => i);
    const sent = queue.tryPutMany(values);
    expect(sent).toBeGreaterThanOrEqual(4);
    expect(sent).toBeLessThan(1000);
    expect(queue.tryPut(-1)).toBe(false);
    expect(queue.tryPutMany([-1, -2])).toBe(0);
    expect(queue.tryGetMany(1000)).toEqual(values.slice(0, sent));
  });

  it('flow through a queue much smaller than the batch', async () => {
    const queue = store.create<number>({ messages: 4, bytes: 64 });
    const values = Array.from({ length: 3000 }, (_, i) => i);
    const sending = queue.putMany(values);
    const seen: number[] = [];
    while (seen.length < values.length) seen.push(...(await queue.getMany(100)));
    await sending;
    expect(seen).toEqual(values);
  });

  it('may be undefined', async () => {
    const queue = store.create();
    await queue.put(undefined);
    expect(queue.length).toBe(1);
    expect(await queue.get()).toBeUndefined();
    expect(queue.length).toBe(0);
  });

  it('that cannot be sent are refused, and nothing of them is sent', async () => {
    const queue = store.create();
    expect(await codeOf(queue.put(() => 1))).toBe('ERR_ZOO_UNSENDABLE');
    expect(thrownBy(() => queue.putSync(Symbol('x'))).code).toBe('ERR_ZOO_UNSENDABLE');
    expect(thrownBy(() => queue.tryPut({ a: () => 1 })).code).toBe('ERR_ZOO_UNSENDABLE');
    expect(queue.length).toBe(0);
    expect(queue.stats().puts).toBe(0);
  });

  it('of a batch before one that cannot be sent are counted in the error', async () => {
    const queue = store.create();
    const failure = await failureOf(queue.putMany([1, 2, () => 3, 4]));
    expect(failure.code).toBe('ERR_ZOO_UNSENDABLE');
    const sent = failure.sent ?? 0;
    expect(queue.tryGetMany(10)).toEqual([1, 2].slice(0, sent));
  });

  it('may be many in a batch of one call', async () => {
    const queue = store.create<number>({ messages: 5000, bytes: 64 });
    const values = Array.from({ length: 4000 }, (_, i) => i);
    expect(queue.tryPutMany(values)).toBe(4000);
    expect(queue.length).toBe(4000);
    expect(queue.tryGetMany(4000)).toEqual(values);
    queue.putManySync(values);
    const seen: number[] = [];
    while (seen.length < 4000) seen.push(...queue.getManySync(4000));
    expect(seen).toEqual(values);
    await queue.putMany(values);
    seen.length = 0;
    while (seen.length < 4000) seen.push(...(await queue.getMany(4000)));
    expect(seen).toEqual(values);
  });
});

describe('arguments of value calls', () => {
  it('have to be what they are called', async () => {
    const queue = ZooQueue.create(uniqueName());
    try {
      for (const max of [0, -1, 1.5, Number.NaN]) {
        expect(await codeOf(() => queue.getMany(max)), String(max)).toBe('ERR_OUT_OF_RANGE');
        expect(await codeOf(() => queue.getManySync(max)), String(max)).toBe('ERR_OUT_OF_RANGE');
        expect(await codeOf(() => queue.recvViews(max)), String(max)).toBe('ERR_OUT_OF_RANGE');
      }
      for (const max of [undefined, '3', null, {}]) {
        expect(await codeOf(() => queue.getMany(max as never))).toBe('ERR_INVALID_ARG_TYPE');
        expect(await codeOf(() => queue.tryGetMany(max as never))).toBe('ERR_INVALID_ARG_TYPE');
      }
      for (const values of [undefined, 3, {}]) {
        expect(await codeOf(() => queue.putMany(values as never))).toBe('ERR_INVALID_ARG_TYPE');
        expect(await codeOf(() => queue.tryPutMany(values as never))).toBe('ERR_INVALID_ARG_TYPE');
      }
    } finally {
      queue.close();
      queue.unlink();
    }
  });
});

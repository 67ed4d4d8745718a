import { ZooQueue } from 'zoosync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  describeEachStore,
  failureOf,
  thrownBy,
  track,
  uniqueName,
  type Store,
} from '../support/index.js';

/** The largest message a queue takes, as its error says. */
function limitOf(queue: ZooQueue): number {
  const failure = thrownBy(() => queue.tryReserve(queue.capacity + 1));
  expect(failure.code).toBe('ERR_ZOO_TOO_LARGE');
  return failure.limit ?? -1;
}

function patterned(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1) bytes[i] = (i * 31 + seed * 7) & 255;
  return bytes;
}

describeEachStore('sizes', (store: Store) => {
  it('wrap around at every odd size without a byte changing', () => {
    for (const size of [1, 3, 63, 64, 65, 127, 129, 333, 1021]) {
      const queue = store.create({ messages: 5, bytes: size });
      for (let i = 0; i < 400; i += 1) {
        expect(queue.tryPutBytes(patterned(size, i)), `put ${i} of ${size}`).toBe(true);
        if (i % 3 === 0) expect(queue.tryPutBytes(patterned(size, i + 1000))).toBe(true);
        expect(queue.tryGetBytes()).toEqual(patterned(size, i));
        if (i % 3 === 0) expect(queue.tryGetBytes()).toEqual(patterned(size, i + 1000));
      }
      expect(queue.stats().messages).toBe(0);
      queue.close();
      queue.unlink();
    }
  });

  it('may be mixed as they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2000), { minLength: 1, maxLength: 60 }), (sizes) => {
        const queue = store.create({ messages: 4, bytes: 2000 });
        try {
          const expected: Buffer[] = [];
          for (const [i, size] of sizes.entries()) {
            const bytes = patterned(size, i);
            while (!queue.tryPutBytes(bytes)) expect(queue.tryGetBytes()).toEqual(expected.shift());
            expected.push(bytes);
          }
          for (const bytes of expected) expect(queue.tryGetBytes()).toEqual(bytes);
          expect(queue.tryGetBytes()).toBeUndefined();
          expect(queue.stats().bytes).toBe(0);
        } finally {
          queue.close();
          queue.unlink();
        }
      }),
      { numRuns: 40 },
    );
  });

  it('of a message go up to the limit exactly, wherever it comes to lie', () => {
    const queue = store.create({ messages: 2, bytes: 3000 });
    const limit = limitOf(queue);
    expect(limit).toBeGreaterThanOrEqual(3000);
    for (let i = 0; i < 30; i += 1) {
      // A small message first moves the place where the large one begins.
      expect(queue.tryPutBytes(patterned(i * 5, i))).toBe(true);
      expect(queue.tryGetBytes()).toEqual(patterned(i * 5, i));
      expect(queue.tryPutBytes(patterned(limit, i)), `round ${i}`).toBe(true);
      expect(queue.tryGetBytes()?.equals(patterned(limit, i))).toBe(true);
    }
    const written = queue.reserveSync(limit);
    expect(written.view.length).toBe(limit);
    queue.commitWrite(written.cursor);
    const read = queue.recvViewSync();
    expect(read.view.length).toBe(limit);
    queue.commitRead(read.cursor);
  });

  it('beyond the limit are refused at once by every call, with size and limit', async () => {
    const queue = store.create({ messages: 2, bytes: 3000 });
    const limit = limitOf(queue);
    const large = Buffer.alloc(limit + 1);
    for (const action of [
      () => queue.putBytes(large),
      () => queue.putBytesSync(large),
      () => queue.tryPutBytes(large),
      () => queue.putBytesMany([large]),
      () => queue.putBytesManySync([large]),
      () => queue.tryPutBytesMany([large]),
      () => queue.reserve(limit + 1),
      () => queue.reserveSync(limit + 1),
      () => queue.tryReserve(limit + 1),
    ]) {
      const failure = await failureOf(action);
      expect(failure.code, String(action)).toBe('ERR_ZOO_TOO_LARGE');
      expect([failure.size, failure.limit], String(action)).toEqual([limit + 1, limit]);
      expect(failure.message).toContain(String(limit));
      expect(failure.segment).toBe(queue.name);
    }
    for (const action of [
      () => queue.put(large),
      () => queue.putSync(large),
      () => queue.tryPut(large),
      () => queue.putMany([large]),
    ]) {
      const failure = await failureOf(action);
      expect(failure.code, String(action)).toBe('ERR_ZOO_TOO_LARGE');
      expect(failure.size).toBeGreaterThan(limit);
      expect(failure.limit).toBe(limit);
    }
    expect(queue.length).toBe(0);
    expect(queue.stats().messages).toBe(0);
  });

  it('beyond the limit inside a batch: what came before is sent and counted', async () => {
    const queue = store.create({ messages: 8, bytes: 100 });
    const limit = limitOf(queue);
    const list = [Buffer.from('a'), Buffer.from('b'), Buffer.alloc(limit + 1), Buffer.from('c')];
    const failure = await failureOf(queue.putBytesMany(list));
    expect(failure.code).toBe('ERR_ZOO_TOO_LARGE');
    const sent = failure.sent ?? 0;
    expect(queue.tryGetBytesMany(10).map(String)).toEqual(['a', 'b'].slice(0, sent));
  });

  it('are refused while the queue is full as well, instead of waiting for ever', async () => {
    const queue = store.create({ messages: 2, bytes: 100 });
    const limit = limitOf(queue);
    while (queue.tryPutBytes(Buffer.alloc(100)));
    expect((await failureOf(queue.putBytes(Buffer.alloc(limit + 1)))).code).toBe(
      'ERR_ZOO_TOO_LARGE',
    );
  });

  it('fill a queue to the end and empty it, again and again', () => {
    const queue = store.create({ messages: 7, bytes: 300 });
    let most = 0;
    for (let round = 0; round < 25; round += 1) {
      let count = 0;
      while (queue.tryPutBytes(patterned(300, count))) count += 1;
      if (round === 0) most = count;
      expect(count).toBe(most);
      expect(count).toBeGreaterThanOrEqual(7);
      expect(queue.length).toBe(count);
      expect(queue.tryReserve(300)).toBeUndefined();
      expect(queue.tryPutBytesMany([patterned(300, 0)])).toBe(0);
      for (let i = 0; i < count; i += 1) expect(queue.tryGetBytes()).toEqual(patterned(300, i));
      expect(queue.tryGetBytes()).toBeUndefined();
    }
    expect(queue.stats().bytes).toBe(0);
  });
});

describe('capacity of a ring', () => {
  it('is the size asked for, rounded up to pages', () => {
    for (const [size, bytes] of [
      [4096, 4096],
      [4097, 8192],
      ['64KiB', 65_536],
      ['1MiB', 1_048_576],
      ['10000', 12_288],
    ] as const) {
      const queue = track(ZooQueue.create(uniqueName(), { size }));
      expect(queue.capacity, String(size)).toBe(bytes);
    }
  });

  it('is 10 MiB when nothing is said', () => {
    const queue = track(new ZooQueue(uniqueName()));
    expect(queue.capacity).toBe(10 * 1024 * 1024);
    expect(queue.stats().capacity).toBe(queue.capacity);
  });
});

describe('slots of the frames store', () => {
  it('are as many as asked for and take messages up to their size', () => {
    const queue = track(ZooQueue.create(uniqueName(), { slots: 3, slotSize: '10KiB' }));
    const frame = Buffer.alloc(10 * 1024, 5);
    for (let i = 0; i < 3; i += 1) expect(queue.tryPutBytes(frame)).toBe(true);
    expect(queue.tryPutBytes(Buffer.alloc(1))).toBe(false);
    for (let i = 0; i < 3; i += 1) expect(queue.tryGetBytes()?.equals(frame)).toBe(true);
  });

  it('may be a single one', () => {
    const queue = track(ZooQueue.create(uniqueName(), { slots: 1, slotSize: 1 }));
    for (let i = 0; i < 20; i += 1) {
      expect(queue.tryPutBytes(Buffer.from([i]))).toBe(true);
      expect(queue.tryPutBytes(Buffer.from([99]))).toBe(false);
      expect(queue.tryGetBytes()).toEqual(Buffer.from([i]));
    }
  });

  it('come back in any order: one that is held blocks no other', () => {
    const queue = track(ZooQueue.create(uniqueName(), { slots: 4, slotSize: 64 }));
    queue.putBytesSync(Buffer.from('held'));
    const held = queue.recvViewSync();
    for (let i = 0; i < 1000; i += 1) {
      expect(queue.tryPutBytes(Buffer.from([i & 255]))).toBe(true);
      expect(queue.tryGetBytes()).toEqual(Buffer.from([i & 255]));
    }
    expect(held.view.toString()).toBe('held');
    queue.commitRead(held.cursor);
  });
});

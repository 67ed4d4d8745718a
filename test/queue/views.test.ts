import type { ReadView } from 'zoosync';
import { expect, it } from 'vitest';
import { codeOf, describeEachStore, failureOf, thrownBy } from '../support/index.js';

/** Every typed array that has to fit over a view without a copy. */
const typedArrays = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

function given(view: ReadView | undefined): ReadView {
  if (view === undefined) throw new Error('there was no view');
  return view;
}

describeEachStore('read views', (store) => {
  it('come from each form of recvView', async () => {
    const queue = store.create();
    queue.putBytesSync(Buffer.from('one'));
    queue.putBytesSync(Buffer.from('two'));
    queue.putBytesSync(Buffer.from('three'));
    const views = [await queue.recvView(), queue.recvViewSync(), given(queue.tryRecvView())];
    expect(views.map((view) => view.view.toString())).toEqual(['one', 'two', 'three']);
    expect(queue.tryRecvView()).toBeUndefined();
    for (const view of views) queue.commitRead(view.cursor);
    expect(queue.stats().messages).toBe(0);
  });

  it('come many at a time, in each form', async () => {
    const queue = store.create({ messages: 32, bytes: 64 });
    const texts = Array.from({ length: 20 }, (_, i) => `message ${i}`);
    queue.putBytesManySync(texts.map((text) => Buffer.from(text)));
    const views = [
      ...(await queue.recvViews(5)),
      ...queue.recvViewsSync(5),
      ...queue.tryRecvViews(100),
    ];
    expect(queue.tryRecvViews(100)).toEqual([]);
    expect(views.map((view) => view.view.toString())).toEqual(texts);
    for (const view of views) queue.commitRead(view.cursor);
    expect(queue.stats().messages).toBe(0);
  });

  it('count from the first message on and tell when it was put', async () => {
    const queue = store.create();
    const before = Date.now();
    queue.putBytesManySync([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
    const after = Date.now();
    const views = await queue.recvViews(3);
    const [first, second, third] = views.map((view) => view.seq);
    expect(typeof first).toBe('bigint');
    expect([second, third]).toEqual([(first ?? 0n) + 1n, (first ?? 0n) + 2n]);
    for (const view of views) {
      expect(view.deliveries).toBe(1);
      expect(view.timestamp).toBeGreaterThanOrEqual(before - 1000);
      expect(view.timestamp).toBeLessThanOrEqual(after + 1000);
      queue.commitRead(view.cursor);
    }
  });

  it('are given back in any order, and the space of all of them comes back', async () => {
    const queue = store.create({ messages: 6, bytes: 256 });
    const orders = [
      [0, 1, 2, 3, 4, 5],
      [5, 4, 3, 2, 1, 0],
      [3, 0, 5, 1, 4, 2],
    ];
    for (let round = 0; round < 30; round += 1) {
      const order = orders[round % orders.length] ?? [];
      for (let i = 0; i < 6; i += 1) queue.putBytesSync(Buffer.alloc(100 + i, i));
      const views = await queue.recvViews(6);
      expect(views).toHaveLength(6);
      for (const i of order) {
        const view = given(views[i]);
        expect(view.view.length).toBe(100 + i);
        expect(view.view.every((byte) => byte === i)).toBe(true);
        queue.commitRead(view.cursor);
      }
      expect(queue.length).toBe(0);
    }
    expect(queue.stats().messages).toBe(0);
  });

  it('keep their message while other messages come and go', async () => {
    const queue = store.create({ messages: 6, bytes: 64 });
    queue.putBytesSync(Buffer.from('held'));
    const held = queue.recvViewSync();
    for (let i = 0; i < 500; i += 1) {
      if (!queue.tryPutBytes(Buffer.alloc(64, i))) break;
      queue.tryGetBytes();
    }
    expect(held.view.toString()).toBe('held');
    queue.commitRead(held.cursor);
    // A ring could not go past the held message; now it can.
    for (let i = 0; i < 500; i += 1) {
      expect(queue.tryPutBytes(Buffer.alloc(64, i))).toBe(true);
      expect(queue.tryGetBytes()).toEqual(Buffer.alloc(64, i));
    }
  });

  it('that a handle holds are not delivered to another one', () => {
    const queue = store.create();
    const other = store.open(queue);
    queue.putBytesManySync([Buffer.from('a'), Buffer.from('b')]);
    const mine = given(queue.tryRecvView());
    const theirs = given(other.tryRecvView());
    expect([mine.view.toString(), theirs.view.toString()]).toEqual(['a', 'b']);
    expect(other.tryRecvView()).toBeUndefined();
    queue.commitRead(mine.cursor);
    other.commitRead(theirs.cursor);
  });

  it('can be given back once, by the handle that has them', () => {
    const queue = store.create();
    const other = store.open(queue);
    queue.putBytesSync(Buffer.from('a'));
    const view = queue.recvViewSync();
    expect(thrownBy(() => other.commitRead(view.cursor)).code).toBe('ERR_ZOO_CURSOR');
    expect(thrownBy(() => other.rejectRead(view.cursor)).code).toBe('ERR_ZOO_CURSOR');
    queue.commitRead(view.cursor);
    expect(thrownBy(() => queue.commitRead(view.cursor)).code).toBe('ERR_ZOO_CURSOR');
    expect(thrownBy(() => queue.rejectRead(view.cursor)).code).toBe('ERR_ZOO_CURSOR');
    queue.putBytesSync(Buffer.from('b'));
    expect(thrownBy(() => queue.commitRead(view.cursor)).code).toBe('ERR_ZOO_CURSOR');
    expect(queue.getBytesSync().toString()).toBe('b');
  });

  it('are committed by their dispose, which does nothing after a commit or a reject', () => {
    const queue = store.create();
    queue.putBytesManySync([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
    const [a, b, c] = queue.recvViewsSync(3);
    given(a)[Symbol.dispose]();
    expect(thrownBy(() => queue.commitRead(given(a).cursor)).code).toBe('ERR_ZOO_CURSOR');
    queue.commitRead(given(b).cursor);
    expect(() => given(b)[Symbol.dispose]()).not.toThrow();
    queue.rejectRead(given(c).cursor);
    expect(() => given(c)[Symbol.dispose]()).not.toThrow();
    expect(queue.getBytesSync().toString()).toBe('c');
    expect(queue.stats().messages).toBe(0);
  });

  it('are given back many at a time', async () => {
    const queue = store.create({ messages: 32, bytes: 64 });
    for (let round = 0; round < 5; round += 1) {
      queue.putBytesManySync(Array.from({ length: 20 }, (_, i) => Buffer.from([i])));
      const views = await queue.recvViews(20);
      queue.commitReadMany(views);
      expect(queue.stats().messages).toBe(0);
    }
    queue.commitReadMany([]);
  });

  it('given back many at a time, one of them twice: none of the others is given back', () => {
    const queue = store.create({ messages: 8, bytes: 64 });
    queue.putBytesManySync([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
    const views = queue.recvViewsSync(3);
    queue.commitRead(given(views[1]).cursor);
    expect(thrownBy(() => queue.commitReadMany(views)).code).toBe('ERR_ZOO_CURSOR');
    expect(queue.stats().messages).toBe(2);
    const [first, , third] = views.map(given);
    if (first === undefined || third === undefined) throw new Error('three views were expected');
    expect(thrownBy(() => queue.commitReadMany([first, third, first])).code).toBe('ERR_ZOO_CURSOR');
    expect([first.view.toString(), third.view.toString()]).toEqual(['a', 'c']);
    queue.commitReadMany([third, first]);
    expect(queue.stats().messages).toBe(0);
  });

  it('have length 0 after the handle is closed', () => {
    const queue = store.create();
    queue.putBytesSync(Buffer.from('a'));
    queue.putBytesSync(Buffer.from('b'));
    const out = queue.recvViewSync();
    const done = queue.recvViewSync();
    const written = queue.reserveSync(10);
    const stale = [out.view, done.view, written.view, new Uint8Array(out.view.buffer)];
    queue.commitRead(done.cursor);
    queue.close();
    expect([out.view.length, done.view.length, written.view.length]).toEqual([0, 0, 0]);
    expect(stale.map((bytes) => bytes.length)).toEqual([0, 0, 0, 0]);
    for (const bytes of stale) {
      bytes[0] = 1;
      expect(bytes[0]).toBeUndefined();
    }
  });

  it('that were out when their handle closed are offered again', () => {
    const queue = store.create();
    const other = store.open(queue);
    queue.putBytesManySync([Buffer.from('a'), Buffer.from('b')]);
    const view = given(other.tryRecvView());
    const { seq } = view;
    other.close();
    const again = queue.recvViewsSync(2);
    expect(again.map((one) => one.view.toString()).sort()).toEqual(['a', 'b']);
    expect(again.find((one) => one.seq === seq)?.view.toString()).toBe('a');
    queue.commitReadMany(again);
  });

  it('begin at a multiple of 64 bytes, and every typed array can be laid over them', () => {
    const queue = store.create({ messages: 24, bytes: 1024 });
    for (const size of [1, 8, 24, 56, 63, 64, 65, 120, 128, 200, 1000, 1024]) {
      const reserved = queue.reserveSync(size);
      expect(reserved.view.byteOffset % 64, `reserved ${size}`).toBe(0);
      reserved.view.fill(size);
      queue.commitWrite(reserved.cursor);
      const view = queue.recvViewSync();
      expect(view.view.byteOffset % 64, `received ${size}`).toBe(0);
      for (const Typed of typedArrays) {
        const count = Math.floor(size / Typed.BYTES_PER_ELEMENT);
        const laid = new Typed(view.view.buffer as ArrayBuffer, view.view.byteOffset, count);
        expect(laid.length).toBe(count);
        const bytes = new Uint8Array(laid.buffer, laid.byteOffset, laid.byteLength);
        expect(bytes.every((byte) => byte === (size & 255))).toBe(true);
      }
      queue.commitRead(view.cursor);
    }
  });

  it('of floating point numbers arrive as numbers', () => {
    const queue = store.create();
    const numbers = Float64Array.from([1.5, -2.25, Math.PI, Number.MAX_VALUE]);
    const reserved = queue.reserveSync(numbers.byteLength);
    new Float64Array(reserved.view.buffer, reserved.view.byteOffset, 4).set(numbers);
    queue.commitWrite(reserved.cursor);
    const view = queue.recvViewSync();
    expect(new Float64Array(view.view.buffer, view.view.byteOffset, 4)).toEqual(numbers);
    queue.commitRead(view.cursor);
  });

  it('can be written to: what was done to a message is seen by the next one who gets it', () => {
    const queue = store.create();
    queue.putBytesSync(Buffer.from('aaaa'));
    const view = queue.recvViewSync();
    view.view.write('bb');
    queue.rejectRead(view.cursor);
    expect(queue.getBytesSync().toString()).toBe('bbaa');
  });

  it('cannot be taken with something that is no cursor', async () => {
    const queue = store.create();
    for (const wrong of [undefined, null, 'x', {}, Number.NaN, -1, 1.5, 99, 2 ** 60, 1n]) {
      for (const action of [
        () => queue.commitRead(wrong as never),
        () => queue.rejectRead(wrong as never),
        () => queue.commitWrite(wrong as never),
        () => queue.abortWrite(wrong as never),
      ]) {
        const failure = await failureOf(action);
        expect(['ERR_ZOO_CURSOR', 'ERR_INVALID_ARG_TYPE'], `${String(wrong)} ${action}`).toContain(
          failure.code,
        );
      }
    }
  });
});

describeEachStore('write views', (store) => {
  it('are visible after commitWrite, and not before', async () => {
    const queue = store.create();
    const reader = store.open(queue);
    for (const reserve of [
      async () => queue.reserve(5),
      async () => queue.reserveSync(5),
      async () => queue.tryReserve(5),
    ]) {
      const written = await reserve();
      if (written === undefined) throw new Error('there was no room');
      expect(written.view.length).toBe(5);
      expect(reader.tryGetBytes()).toBeUndefined();
      expect(reader.length).toBe(0);
      written.view.write('hello');
      expect(reader.tryGetBytes()).toBeUndefined();
      queue.commitWrite(written.cursor);
      expect(reader.length).toBe(1);
      expect(reader.tryGetBytes()?.toString()).toBe('hello');
    }
  });

  it('may become shorter than reserved', () => {
    const queue = store.create({ messages: 8, bytes: 512 });
    for (const bytes of [512, 511, 65, 64, 63, 1, 0]) {
      const written = queue.reserveSync(512);
      written.view.fill(bytes & 255);
      queue.commitWrite(written.cursor, bytes);
      const seen = queue.getBytesSync();
      expect(seen.length).toBe(bytes);
      expect(seen.every((byte) => byte === (bytes & 255))).toBe(true);
    }
    expect(queue.stats().bytes).toBe(0);
  });

  it('may not become longer', () => {
    const queue = store.create();
    const written = queue.reserveSync(10);
    for (const bytes of [11, 1000, -1, 1.5, Number.NaN]) {
      expect(thrownBy(() => queue.commitWrite(written.cursor, bytes)).code).toBe(
        'ERR_OUT_OF_RANGE',
      );
    }
    expect(thrownBy(() => queue.commitWrite(written.cursor, '5' as never)).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
    queue.commitWrite(written.cursor, 10);
    expect(queue.getBytesSync().length).toBe(10);
  });

  it('disappear when aborted, and their space comes back', () => {
    const queue = store.create({ messages: 3, bytes: 1000 });
    for (let i = 0; i < 40; i += 1) {
      const aborted = queue.reserveSync(1000);
      queue.abortWrite(aborted.cursor);
    }
    expect(queue.length).toBe(0);
    expect(queue.tryGetBytes()).toBeUndefined();
    for (let i = 0; i < 3; i += 1) expect(queue.tryPutBytes(Buffer.alloc(1000, i))).toBe(true);
    for (let i = 0; i < 3; i += 1) expect(queue.tryGetBytes()).toEqual(Buffer.alloc(1000, i));
    expect(queue.stats().puts).toBe(3);
  });

  it('can be committed or aborted once', () => {
    const queue = store.create();
    const committed = queue.reserveSync(4);
    queue.commitWrite(committed.cursor);
    expect(thrownBy(() => queue.commitWrite(committed.cursor)).code).toBe('ERR_ZOO_CURSOR');
    expect(thrownBy(() => queue.abortWrite(committed.cursor)).code).toBe('ERR_ZOO_CURSOR');
    const aborted = queue.reserveSync(4);
    queue.abortWrite(aborted.cursor);
    expect(thrownBy(() => queue.commitWrite(aborted.cursor)).code).toBe('ERR_ZOO_CURSOR');
    expect(thrownBy(() => queue.abortWrite(aborted.cursor)).code).toBe('ERR_ZOO_CURSOR');
    expect(queue.length).toBe(1);
    const foreign = store.open(queue);
    const mine = queue.reserveSync(4);
    expect(thrownBy(() => foreign.commitWrite(mine.cursor)).code).toBe('ERR_ZOO_CURSOR');
    queue.abortWrite(mine.cursor);
  });

  it('are aborted by their dispose unless they were committed', () => {
    const queue = store.create();
    const aborted = queue.reserveSync(4);
    aborted[Symbol.dispose]();
    expect(queue.length).toBe(0);
    const committed = queue.reserveSync(4);
    committed.view.write('kept');
    queue.commitWrite(committed.cursor);
    committed[Symbol.dispose]();
    expect(queue.getBytesSync().toString()).toBe('kept');
    const gone = queue.reserveSync(4);
    queue.abortWrite(gone.cursor);
    expect(() => gone[Symbol.dispose]()).not.toThrow();
  });

  it('may be several at once, committed in any order; none is lost', () => {
    const queue = store.create({ messages: 8, bytes: 256 });
    const orders = [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ];
    for (let round = 0; round < 30; round += 1) {
      const reserved = [0, 1, 2, 3].map((i) => queue.reserveSync(50 + i));
      for (const i of orders[round % 3] ?? []) {
        const one = reserved[i];
        if (one === undefined) continue;
        one.view.fill(i);
        queue.commitWrite(one.cursor);
      }
      const seen = queue.tryGetBytesMany(10);
      expect(seen.map((one) => one.length).sort()).toEqual([50, 51, 52, 53]);
      for (const one of seen) expect(one.every((byte) => byte === one.length - 50)).toBe(true);
    }
    expect(queue.stats().messages).toBe(0);
  });

  it('that were out when their handle closed never become messages', () => {
    const queue = store.create({ messages: 4, bytes: 1000, writer: true });
    const other = store.open(queue);
    for (let i = 0; i < 3; i += 1) other.reserveSync(1000).view.fill(1);
    other.close();
    expect(queue.tryGetBytes()).toBeUndefined();
    for (let i = 0; i < 4; i += 1) queue.putBytesSync(Buffer.alloc(1000, i), { timeout: 20_000 });
    for (let i = 0; i < 4; i += 1) expect(queue.getBytesSync()).toEqual(Buffer.alloc(1000, i));
  });

  it('have a size that is a whole number of bytes which can fit', async () => {
    const queue = store.create();
    for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await codeOf(() => queue.reserve(size)), String(size)).toBe('ERR_OUT_OF_RANGE');
      expect(await codeOf(() => queue.reserveSync(size)), String(size)).toBe('ERR_OUT_OF_RANGE');
      expect(await codeOf(() => queue.tryReserve(size)), String(size)).toBe('ERR_OUT_OF_RANGE');
    }
    for (const size of [undefined, null, '10', {}]) {
      expect(await codeOf(() => queue.reserve(size as never))).toBe('ERR_INVALID_ARG_TYPE');
      expect(await codeOf(() => queue.tryReserve(size as never))).toBe('ERR_INVALID_ARG_TYPE');
    }
    const nothing = queue.reserveSync(0);
    expect(nothing.view.length).toBe(0);
    queue.commitWrite(nothing.cursor);
    expect(queue.getBytesSync().length).toBe(0);
  });
});

import { expect, it } from 'vitest';
import {
  codeOf,
  describeEachStore,
  failureOf,
  isPending,
  thrownBy,
  within,
} from '../support/index.js';

describeEachStore('the end of a queue', (store) => {
  it('comes after everything that was put', async () => {
    const queue = store.create<number>();
    await queue.putMany([1, 2, 3, 4, 5, 6]);
    queue.end();
    expect(await queue.get()).toBe(1);
    expect(queue.getSync()).toBe(2);
    expect(queue.tryGet()).toBe(3);
    expect(await queue.getMany(2)).toEqual([4, 5]);
    const view = await queue.recvView();
    queue.commitRead(view.cursor);
    expect(await codeOf(queue.get())).toBe('ERR_ZOO_ENDED');
  });

  it('is told by every call that reads', async () => {
    const queue = store.create<number>();
    await queue.put(1);
    queue.end();
    await queue.get();
    for (const read of [
      () => queue.get(),
      () => queue.getMany(2),
      () => queue.getBytes(),
      () => queue.getBytesMany(2),
      () => queue.recvView(),
      () => queue.recvViews(2),
      () => queue.getSync(),
      () => queue.getManySync(2),
      () => queue.getBytesSync(),
      () => queue.getBytesManySync(2),
      () => queue.recvViewSync(),
      () => queue.recvViewsSync(2),
    ]) {
      const failure = await failureOf(read);
      expect(failure.code, String(read)).toBe('ERR_ZOO_ENDED');
      expect(failure.segment).toBe(queue.name);
    }
    expect(queue.tryGet()).toBeUndefined();
    expect(queue.tryGetMany(2)).toEqual([]);
    expect(queue.tryGetBytes()).toBeUndefined();
    expect(queue.tryGetBytesMany(2)).toEqual([]);
    expect(queue.tryRecvView()).toBeUndefined();
    expect(queue.tryRecvViews(2)).toEqual([]);
  });

  it('is the end of putting, for the handle that ended and for a newcomer', async () => {
    const queue = store.create<number>();
    await queue.put(1);
    queue.end();
    const late = store.open(queue);
    for (const handle of [queue, late]) {
      for (const write of [
        () => handle.put(2),
        () => handle.putMany([2]),
        () => handle.putBytes(Buffer.alloc(1)),
        () => handle.putBytesMany([Buffer.alloc(1)]),
        () => handle.putSync(2),
        () => handle.putManySync([2]),
        () => handle.putBytesSync(Buffer.alloc(1)),
        () => handle.tryPut(2),
        () => handle.tryPutMany([2]),
        () => handle.tryPutBytes(Buffer.alloc(1)),
        () => handle.reserve(1),
        () => handle.reserveSync(1),
        () => handle.tryReserve(1),
      ]) {
        expect(await codeOf(write), String(write)).toBe('ERR_ZOO_ENDED');
      }
    }
    expect(await queue.getMany(5)).toEqual([1]);
  });

  it('may be said twice', async () => {
    const queue = store.create<number>();
    await queue.put(1);
    queue.end();
    queue.end();
    expect(queue.tryGet()).toBe(1);
    expect(await codeOf(queue.get())).toBe('ERR_ZOO_ENDED');
  });

  it('comes when the last of several writers has ended', async () => {
    const reader = store.create<string>();
    const [a, b, c] = [store.open(reader), store.open(reader), store.open(reader)];
    await a.put('a');
    await b.put('b');
    await c.put('c');
    expect(await reader.getMany(3)).toEqual(['a', 'b', 'c']);
    const waiting = codeOf(reader.get());
    a.end();
    expect(await isPending(waiting)).toBe(true);
    b.end();
    expect(await isPending(waiting)).toBe(true);
    expect(await codeOf(a.put('no'))).toBe('ERR_ZOO_ENDED');
    c.end();
    expect(await within(waiting)).toBe('ERR_ZOO_ENDED');
  });

  it('does not come while the last writer goes on', async () => {
    const reader = store.create<string>();
    const [a, b] = [store.open(reader), store.open(reader)];
    await a.put('a');
    await b.put('b');
    a.end();
    await b.put('c');
    b.end();
    expect(await reader.getMany(3)).toEqual(['a', 'b', 'c']);
    expect(await codeOf(reader.get())).toBe('ERR_ZOO_ENDED');
  });

  it('comes by closing the writer as well', async () => {
    const reader = store.create<number>();
    const writer = store.open(reader);
    await writer.put(1);
    const first = reader.get();
    expect(await within(first)).toBe(1);
    const waiting = codeOf(reader.get());
    expect(await isPending(waiting)).toBe(true);
    writer.close();
    expect(await within(waiting)).toBe('ERR_ZOO_ENDED');
  });

  it('does not come while a writer is open that has said so but put nothing', async () => {
    const reader = store.create<number>();
    const writer = store.open(reader, { writer: true });
    const other = store.open(reader);
    await other.put(1);
    other.end();
    expect(await reader.get()).toBe(1);
    const waiting = codeOf(reader.get());
    expect(await isPending(waiting)).toBe(true);
    expect(reader.stats().participants.filter((one) => one.writer)).toHaveLength(2);
    writer.end();
    expect(await within(waiting)).toBe('ERR_ZOO_ENDED');
  });

  it('does not come by readers that leave', async () => {
    const reader = store.create<number>();
    store.open(reader).close();
    const waiting = reader.get();
    expect(await isPending(waiting)).toBe(true);
    const writer = store.open(reader);
    await writer.put(5);
    expect(await within(waiting)).toBe(5);
  });

  it('wakes everybody who waits', async () => {
    const writer = store.create<number>({ writer: true });
    const handles = [store.open(writer), store.open(writer), store.open(writer)];
    const codes = handles.flatMap((handle) => [codeOf(handle.get()), codeOf(handle.recvViews(2))]);
    expect(await isPending(Promise.race(codes))).toBe(true);
    writer.end();
    expect(await within(Promise.all(codes))).toEqual(codes.map(() => 'ERR_ZOO_ENDED'));
  });

  it('is not there yet while a view is out that may come back', async () => {
    const queue = store.create<number>();
    const reader = store.open(queue);
    queue.putBytesSync(Buffer.from('a'));
    queue.end();
    const view = queue.recvViewSync();
    const waiting = reader.getBytes();
    expect(await isPending(waiting)).toBe(true);
    queue.rejectRead(view.cursor);
    expect((await within(waiting)).toString()).toBe('a');
    expect(await codeOf(reader.getBytes())).toBe('ERR_ZOO_ENDED');
  });

  it('comes when the last view that was out is committed', async () => {
    const queue = store.create<number>();
    const reader = store.open(queue);
    queue.putBytesSync(Buffer.from('a'));
    queue.end();
    const view = queue.recvViewSync();
    const code = codeOf(reader.getBytes());
    expect(await isPending(code)).toBe(true);
    queue.commitRead(view.cursor);
    expect(await within(code)).toBe('ERR_ZOO_ENDED');
  });

  it('of a full queue lets a put that waits fail when its own handle ends', async () => {
    const queue = store.create({ messages: 2, bytes: 64 });
    while (queue.tryPutBytes(Buffer.alloc(64)));
    const { length } = queue;
    const waiting = codeOf(queue.putBytes(Buffer.alloc(64)));
    expect(await isPending(waiting)).toBe(true);
    queue.end();
    expect(await within(waiting)).toBe('ERR_ZOO_ENDED');
    expect(queue.tryGetBytesMany(100)).toHaveLength(length);
  });

  it('is refused by a closed handle', () => {
    const queue = store.create();
    queue.close();
    expect(thrownBy(() => queue.end()).code).toBe('ERR_ZOO_CLOSED');
  });
});

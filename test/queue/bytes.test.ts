import { expect, it } from 'vitest';
import { codeOf, describeEachStore, failureOf } from '../support/index.js';

describeEachStore('bytes', (store) => {
  const bytes = Buffer.from([0, 1, 2, 253, 254, 255]);

  it('come out of each form as they went in', async () => {
    const queue = store.create();
    await queue.putBytes(bytes);
    queue.putBytesSync(bytes);
    expect(queue.tryPutBytes(bytes)).toBe(true);
    const seen = [await queue.getBytes(), queue.getBytesSync(), queue.tryGetBytes()];
    expect(seen).toEqual([bytes, bytes, bytes]);
    expect(seen.every((one) => Buffer.isBuffer(one))).toBe(true);
    expect(queue.tryGetBytes()).toBeUndefined();
  });

  it('are copies on both ways', async () => {
    const queue = store.create();
    const mine = Buffer.from('mine');
    await queue.putBytes(mine);
    mine.fill('x');
    const first = await queue.getBytes();
    expect(first.toString()).toBe('mine');
    await queue.putBytes(Buffer.from('next'));
    expect(first.toString()).toBe('mine');
    const second = await queue.getBytes();
    first.fill('y');
    expect(second.toString()).toBe('next');
    queue.close();
    expect([first.toString(), second.toString()]).toEqual(['yyyy', 'next']);
  });

  it('are taken from any view, also from the middle of a buffer', async () => {
    const queue = store.create({ messages: 32 });
    const whole = new Uint8Array([9, 9, 9, 9, 9, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9])
      .buffer;
    const middle = [1, 2, 3, 4, 5, 6, 7, 8];
    for (const view of [
      new Uint8Array(whole, 8, 8),
      new Int8Array(whole, 8, 8),
      new Uint8ClampedArray(whole, 8, 8),
      new Uint16Array(whole, 8, 4),
      new Int32Array(whole, 8, 2),
      new Float32Array(whole, 8, 2),
      new Float64Array(whole, 8, 1),
      new BigInt64Array(whole, 8, 1),
      new DataView(whole, 8, 8),
      Buffer.from(whole, 8, 8),
    ]) {
      await queue.putBytes(view);
      expect([...(await queue.getBytes())], view.constructor.name).toEqual(middle);
    }
  });

  it('may be none at all', async () => {
    const queue = store.create();
    await queue.putBytes(new Uint8Array(0));
    queue.putBytesSync(Buffer.alloc(0));
    expect(queue.tryPutBytes(new DataView(new ArrayBuffer(8), 4, 0))).toBe(true);
    expect(queue.length).toBe(3);
    expect((await queue.getBytes()).length).toBe(0);
    expect(queue.tryGetBytes()?.length).toBe(0);
    const view = queue.tryRecvView();
    expect(view?.view.length).toBe(0);
    if (view) queue.commitRead(view.cursor);
    expect(queue.length).toBe(0);
    expect(queue.stats().bytes).toBe(0);
  });

  it('travel many at a time, in each form', async () => {
    const queue = store.create({ messages: 64, bytes: 256 });
    const list = Array.from({ length: 20 }, (_, i) => Buffer.alloc(i * 7, i));
    await queue.putBytesMany(list);
    expect(await queue.getBytesMany(8)).toEqual(list.slice(0, 8));
    expect(queue.getBytesManySync(8)).toEqual(list.slice(8, 16));
    expect(queue.tryGetBytesMany(8)).toEqual(list.slice(16));
    expect(queue.tryGetBytesMany(8)).toEqual([]);
    queue.putBytesManySync(list);
    expect(queue.tryGetBytesMany(20)).toEqual(list);
    expect(queue.tryPutBytesMany(list)).toBe(20);
    expect(await queue.getBytesMany(1000)).toEqual(list);
    await queue.putBytesMany([]);
    queue.putBytesManySync([]);
    expect(queue.tryPutBytesMany([])).toBe(0);
    expect(queue.length).toBe(0);
  });

  it('of a batch are copies that do not share what they stand in', async () => {
    const queue = store.create();
    queue.putBytesManySync([Buffer.from('one'), Buffer.from('two')]);
    const [one, two] = queue.getBytesManySync(2);
    queue.putBytesManySync([Buffer.from('ONE'), Buffer.from('TWO')]);
    queue.getBytesManySync(2);
    one?.fill('x');
    expect([one?.toString(), two?.toString()]).toEqual(['xxx', 'two']);
  });

  it('of a batch are those that were listed, whatever becomes of the list', async () => {
    const queue = store.create({ messages: 4, bytes: 512 });
    const list = Array.from({ length: 100 }, (_, i) => Buffer.alloc(512, i));
    const sending = queue.putBytesMany(list);
    list.length = 0;
    for (let i = 0; i < 100; i++) expect((await queue.getBytes())[0]).toBe(i);
    await sending;
  });

  it('of many messages flow through a small queue', async () => {
    const queue = store.create({ messages: 4, bytes: 512 });
    const list = Array.from({ length: 500 }, (_, i) => Buffer.alloc((i * 37) % 513, i & 255));
    const sending = queue.putBytesMany(list);
    const seen: Buffer[] = [];
    while (seen.length < list.length) seen.push(...(await queue.getBytesMany(50)));
    await sending;
    expect(seen.map((one) => one.length)).toEqual(list.map((one) => one.length));
    expect(Buffer.compare(Buffer.concat(seen), Buffer.concat(list))).toBe(0);
  });

  it('that are large arrive whole, alone and in batches', async () => {
    const large = 3 * 1024 * 1024 + 17;
    const queue = store.create({ messages: 3, bytes: large });
    const messages = [1, 2, 3].map((n) => {
      const message = Buffer.alloc(large - n, n);
      message.writeUInt32LE(n, large - n - 4);
      return message;
    });
    queue.putBytesManySync(messages);
    const seen: Buffer[] = [];
    while (seen.length < 3) seen.push(...queue.getBytesManySync(3));
    for (const [i, message] of messages.entries()) {
      expect(Buffer.compare(seen[i] ?? Buffer.alloc(0), message)).toBe(0);
    }
    await queue.putBytes(messages[0] ?? Buffer.alloc(0));
    const small = Buffer.from('small');
    await queue.putBytes(small);
    expect((await queue.getBytes()).length).toBe(large - 1);
    expect(await queue.getBytes()).toEqual(small);
  });

  it('may be a SharedArrayBuffer behind a view', async () => {
    const queue = store.create();
    const shared = new Uint8Array(new SharedArrayBuffer(16)).fill(7);
    await queue.putBytes(shared);
    expect([...(await queue.getBytes())]).toEqual([...shared]);
  });

  it('have to be bytes', async () => {
    const queue = store.create();
    for (const wrong of ['text', 1, null, undefined, {}, [1, 2], new ArrayBuffer(8)]) {
      for (const action of [
        () => queue.putBytes(wrong as never),
        () => queue.putBytesSync(wrong as never),
        () => queue.tryPutBytes(wrong as never),
        () => queue.putBytesMany([wrong as never]),
        () => queue.putBytesManySync([Buffer.alloc(1), wrong as never]),
        () => queue.tryPutBytesMany([wrong as never]),
      ]) {
        const failure = await failureOf(action);
        expect(failure.code, `${String(wrong)} ${action}`).toBe('ERR_INVALID_ARG_TYPE');
        expect(failure).toBeInstanceOf(TypeError);
        queue.tryGetBytesMany(10);
      }
    }
    for (const wrong of [undefined, null, 5]) {
      expect(await codeOf(() => queue.putBytesMany(wrong as never))).toBe('ERR_INVALID_ARG_TYPE');
      expect(await codeOf(() => queue.tryPutBytesMany(wrong as never))).toBe(
        'ERR_INVALID_ARG_TYPE',
      );
    }
    expect(queue.length).toBe(0);
  });

  it('behind a detached view are none', async () => {
    const queue = store.create();
    const view = new Uint8Array(16);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    await queue.putBytes(view);
    expect((await queue.getBytes()).length).toBe(0);
  });
});

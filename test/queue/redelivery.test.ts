import type { ReadView } from 'zoosync';
import { expect, it } from 'vitest';
import { describeEachStore, isPending, thrownBy, within } from '../support/index.js';

function given(view: ReadView | undefined): ReadView {
  if (view === undefined) throw new Error('there was no view');
  return view;
}

describeEachStore('rejected messages', (store) => {
  it('are offered again with one delivery more and the same seq', () => {
    const queue = store.create();
    queue.putBytesSync(Buffer.from('again'));
    const first = queue.recvViewSync();
    queue.rejectRead(first.cursor);
    const second = queue.recvViewSync();
    expect(second.view.toString()).toBe('again');
    expect([first.deliveries, second.deliveries]).toEqual([1, 2]);
    expect(second.seq).toBe(first.seq);
    expect(second.timestamp).toBe(first.timestamp);
    queue.commitRead(second.cursor);
    expect(queue.stats().redelivered).toBe(1);
    expect(queue.stats().messages).toBe(0);
  });

  it('go to whoever asks next, also another handle and also by copy', async () => {
    const queue = store.create();
    const other = store.open(queue);
    queue.putBytesSync(Buffer.from('a'));
    queue.rejectRead(queue.recvViewSync().cursor);
    const view = given(other.tryRecvView());
    expect(view.deliveries).toBe(2);
    other.rejectRead(view.cursor);
    expect((await queue.getBytes()).toString()).toBe('a');
    expect(queue.length).toBe(0);
  });

  it('wake a reader that waits', async () => {
    const queue = store.create();
    const other = store.open(queue);
    queue.putBytesSync(Buffer.from('a'));
    const view = queue.recvViewSync();
    const waiting = other.getBytes();
    expect(await isPending(waiting)).toBe(true);
    queue.rejectRead(view.cursor);
    expect((await within(waiting)).toString()).toBe('a');
  });

  it('are all delivered, mixed with new ones', () => {
    const queue = store.create({ messages: 16, bytes: 64, maxDeliveries: 100 });
    const seen: number[] = [];
    let next = 0;
    let turn = 0;
    while (seen.length < 300) {
      while (next < 300 && queue.tryPutBytes(Buffer.from([next & 255, next >> 8]))) next += 1;
      for (const view of queue.tryRecvViews(5)) {
        turn += 1;
        if (turn % 3 === 0) {
          queue.rejectRead(view.cursor);
        } else {
          seen.push(view.view.readUInt16LE(0));
          queue.commitRead(view.cursor);
        }
      }
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(queue.stats().messages).toBe(0);
  });

  it('can be given back once', () => {
    const queue = store.create();
    queue.putBytesSync(Buffer.from('a'));
    const view = queue.recvViewSync();
    queue.rejectRead(view.cursor);
    expect(thrownBy(() => queue.rejectRead(view.cursor)).code).toBe('ERR_ZOO_CURSOR');
    expect(thrownBy(() => queue.commitRead(view.cursor)).code).toBe('ERR_ZOO_CURSOR');
    expect(queue.length).toBe(1);
  });
});

describeEachStore('dead letters', (store) => {
  function deliveriesUntilDead(maxDeliveries?: number): number {
    const queue = store.create(maxDeliveries === undefined ? {} : { maxDeliveries });
    queue.putBytesSync(Buffer.from('poison'));
    let deliveries = 0;
    for (let view = queue.tryRecvView(); view; view = queue.tryRecvView()) {
      deliveries += 1;
      expect(view.deliveries).toBe(deliveries);
      queue.rejectRead(view.cursor);
    }
    expect(queue.stats().dead).toBe(1);
    expect(queue.length).toBe(0);
    const letter = given(queue.tryGetDead());
    expect(letter.view.toString()).toBe('poison');
    queue.commitRead(letter.cursor);
    expect(queue.tryGetDead()).toBeUndefined();
    return deliveries;
  }

  it('are messages that were delivered in vain five times', () => {
    expect(deliveriesUntilDead()).toBe(5);
  });

  it('are messages that were delivered in vain as often as the queue allows', () => {
    expect(deliveriesUntilDead(1)).toBe(1);
    expect(deliveriesUntilDead(3)).toBe(3);
  });

  it('do not come among the messages, and messages not among them', async () => {
    const queue = store.create({ maxDeliveries: 1 });
    expect(queue.tryGetDead()).toBeUndefined();
    queue.putBytesManySync([Buffer.from('bad'), Buffer.from('good')]);
    expect(queue.tryGetDead()).toBeUndefined();
    queue.rejectRead(queue.recvViewSync().cursor);
    expect((await queue.getBytes()).toString()).toBe('good');
    expect(queue.tryGetBytes()).toBeUndefined();
    const letter = given(queue.tryGetDead());
    expect(letter.view.toString()).toBe('bad');
    expect(letter.seq).toBeTypeOf('bigint');
    expect(queue.tryGetDead()).toBeUndefined();
    queue.commitRead(letter.cursor);
    expect(thrownBy(() => queue.commitRead(letter.cursor)).code).toBe('ERR_ZOO_CURSOR');
  });

  it('come oldest first, and their space comes back', () => {
    const queue = store.create({ messages: 4, bytes: 500, maxDeliveries: 1 });
    for (let round = 0; round < 10; round += 1) {
      for (let i = 0; i < 3; i += 1) {
        queue.putBytesSync(Buffer.alloc(500, i), { timeout: 20_000 });
        queue.rejectRead(queue.recvViewSync().cursor);
      }
      for (let i = 0; i < 3; i += 1) {
        const letter = given(queue.tryGetDead());
        expect(letter.view[0]).toBe(i);
        queue.commitRead(letter.cursor);
      }
    }
    expect(queue.stats().messages).toBe(0);
  });

  it('give way to new messages, oldest first, when their space is needed', () => {
    const queue = store.create({ messages: 4, bytes: 64, maxDeliveries: 1 });
    for (let i = 0; i < 100; i += 1) {
      expect(queue.tryPutBytes(Buffer.from([i]))).toBe(true);
      queue.rejectRead(queue.recvViewSync().cursor);
    }
    const left: number[] = [];
    for (let letter = queue.tryGetDead(); letter; letter = queue.tryGetDead()) {
      left.push(letter.view[0] ?? -1);
      queue.commitRead(letter.cursor);
    }
    expect(left.length).toBeGreaterThan(0);
    expect(left).toEqual(Array.from({ length: 100 }, (_, i) => i).slice(100 - left.length));
    expect(queue.stats()).toMatchObject({
      dead: 100,
      deadGivenUp: 100 - left.length,
      messages: 0,
    });
  });

  it('that are looked at do not give way', () => {
    const queue = store.create({ messages: 4, bytes: 64, maxDeliveries: 1 });
    queue.putBytesSync(Buffer.from('poison'));
    queue.rejectRead(queue.recvViewSync().cursor);
    const letter = given(queue.tryGetDead());
    for (let i = 0; i < 100; i += 1) {
      if (!queue.tryPutBytes(Buffer.alloc(64, i))) break;
      queue.tryGetBytes();
    }
    expect(letter.view.toString()).toBe('poison');
    queue.commitRead(letter.cursor);
    expect(queue.tryPutBytes(Buffer.alloc(64))).toBe(true);
  });
});

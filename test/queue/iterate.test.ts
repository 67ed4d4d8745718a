import type { ReadView } from 'zoosync';
import { expect, it } from 'vitest';
import {
  codeOf,
  describeEachStore,
  failureOf,
  isPending,
  turns,
  within,
} from '../support/index.js';

describeEachStore('iterating over values', (store) => {
  it('gives every value in order, and finishes at the end', async () => {
    const queue = store.create<number>({ messages: 8, bytes: 64 });
    const reader = store.open(queue);
    const values = Array.from({ length: 500 }, (_, i) => i);
    const sending = queue.putMany(values).then(() => queue.end());
    const seen: number[] = [];
    for await (const value of reader) seen.push(value);
    await sending;
    expect(seen).toEqual(values);
  });

  it('finishes at once when the queue is at its end already', async () => {
    const queue = store.create<number>();
    await queue.put(1);
    queue.end();
    await queue.get();
    for await (const value of queue) throw new Error(`there was ${value}`);
    for await (const value of queue) throw new Error(`there was ${value}`);
  });

  it('leaves what was not handed over to others when the loop is left', async () => {
    const queue = store.create<number>({ messages: 32, bytes: 64 });
    await queue.putMany([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for await (const value of queue) if (value === 3) break;
    expect(await queue.get()).toBe(4);
    await expect(
      (async () => {
        for await (const value of queue) if (value === 6) throw new Error('stop');
      })(),
    ).rejects.toThrow('stop');
    expect(queue.tryGetMany(100)).toEqual([7, 8, 9, 10]);
  });

  it('shares the values between two loops over one handle', async () => {
    const queue = store.create<number>({ messages: 8, bytes: 64 });
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const value of queue) seen.push(value);
    };
    const loops = [loop(), loop()];
    await queue.putMany(Array.from({ length: 100 }, (_, i) => i));
    queue.end();
    await within(Promise.all(loops));
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('lets timers fire while a busy queue is read', async () => {
    const queue = store.create<number>({ messages: 600, bytes: 64 });
    const refill = store.open(queue);
    let fired = 0;
    const timer = setInterval(() => (fired += 1), 1);
    let seen = 0;
    try {
      refill.tryPutMany(Array.from({ length: 300 }, (_, i) => i));
      // The queue never runs empty: only an iteration that yields lets the timer fire.
      for await (const value of queue) {
        seen += 1;
        if (fired >= 3) break;
        expect(refill.tryPut(value)).toBe(true);
        if (seen > 20_000_000) break;
      }
    } finally {
      clearInterval(timer);
    }
    expect(fired).toBeGreaterThanOrEqual(3);
  });

  it('waits without holding the loop, and goes on with what comes', async () => {
    const queue = store.create<number>();
    const iterator = queue[Symbol.asyncIterator]();
    const first = iterator.next();
    expect(await isPending(first)).toBe(true);
    await queue.put(1);
    expect(await within(first)).toEqual({ value: 1, done: false });
    const both = [iterator.next(), iterator.next()];
    await queue.putMany([2, 3]);
    expect(await within(Promise.all(both))).toEqual([
      { value: 2, done: false },
      { value: 3, done: false },
    ]);
    queue.end();
    expect((await within(iterator.next())).done).toBe(true);
    expect((await iterator.next()).done).toBe(true);
  });

  it('rejects when the handle is closed while it waits', async () => {
    const queue = store.create<number>();
    const loop = (async () => {
      for await (const value of queue) throw new Error(`there was ${value}`);
    })();
    expect(await isPending(loop)).toBe(true);
    const code = codeOf(loop);
    queue.close();
    expect(await within(code)).toBe('ERR_ZOO_CLOSED');
  });

  it('does not begin on a closed handle', async () => {
    const queue = store.create<number>();
    queue.close();
    expect(
      await codeOf(async () => {
        for await (const value of queue) throw new Error(`there was ${value}`);
      }),
    ).toBe('ERR_ZOO_CLOSED');
  });
});

describeEachStore('iterating over views', (store) => {
  it('commits each one when the next is asked for', async () => {
    const queue = store.create({ messages: 16, bytes: 64 });
    queue.putBytesManySync(Array.from({ length: 10 }, (_, i) => Buffer.from([i])));
    queue.end();
    const seen: number[] = [];
    let before: ReadView | undefined;
    for await (const view of queue.views()) {
      expect(queue.stats().messages).toBe(10 - seen.length);
      expect(before?.view.length ?? 0).toBe(0);
      seen.push(view.view[0] ?? -1);
      before = view;
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(queue.stats().messages).toBe(0);
  });

  it('gives the current one back when the loop is left', async () => {
    const queue = store.create({ messages: 16, bytes: 64 });
    queue.putBytesManySync([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
    for await (const view of queue.views()) {
      if (view.view.toString() === 'b') break;
    }
    expect(queue.length).toBe(2);
    const left = queue.tryRecvViews(10);
    expect(left.map((view) => [view.view.toString(), view.deliveries]).sort()).toEqual([
      ['b', 2],
      ['c', 1],
    ]);
    queue.commitReadMany(left);
  });

  it('gives the current one back when the loop is left by an error', async () => {
    const queue = store.create({ messages: 16, bytes: 64 });
    queue.putBytesSync(Buffer.from('a'));
    const failure = await failureOf(async () => {
      for await (const view of queue.views()) throw new Error(`cannot use ${view.view.toString()}`);
    });
    expect(failure.message).toBe('cannot use a');
    const view = queue.recvViewSync();
    expect([view.view.toString(), view.deliveries]).toEqual(['a', 2]);
    queue.commitRead(view.cursor);
  });

  it('lets the loop commit or reject by itself', async () => {
    const queue = store.create({ messages: 16, bytes: 64 });
    queue.putBytesManySync([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
    queue.end();
    const seen: string[] = [];
    for await (const view of queue.views()) {
      seen.push(view.view.toString());
      if (view.view.toString() === 'a' && view.deliveries === 1) queue.rejectRead(view.cursor);
      else queue.commitRead(view.cursor);
    }
    expect(seen.sort()).toEqual(['a', 'a', 'b', 'c']);
    expect(queue.stats().messages).toBe(0);
  });

  it('left right after a commit gives nothing back', async () => {
    const queue = store.create();
    queue.putBytesSync(Buffer.from('a'));
    for await (const view of queue.views()) {
      queue.commitRead(view.cursor);
      break;
    }
    expect(queue.tryRecvView()).toBeUndefined();
    expect(queue.stats().messages).toBe(0);
  });

  it('stops at an abort with AbortError, and takes nothing more', async () => {
    const queue = store.create();
    const abort = new AbortController();
    const loop = (async () => {
      for await (const view of queue.views({ signal: abort.signal })) {
        expect(view.view.toString()).toBe('a');
      }
    })();
    queue.putBytesSync(Buffer.from('a'));
    await turns(10);
    const failing = failureOf(loop);
    abort.abort('enough');
    const failure = await within(failing);
    expect([failure.code, failure.cause]).toEqual(['ABORT_ERR', 'enough']);
    queue.putBytesSync(Buffer.from('b'));
    expect(queue.tryGetBytesMany(5).map(String)).toContain('b');
    expect(
      await codeOf(async () => {
        for await (const view of queue.views({ signal: AbortSignal.abort() })) view.view.fill(0);
      }),
    ).toBe('ABORT_ERR');
    expect(await codeOf(() => queue.views({ sginal: abort.signal } as never))).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
  });

  it('lets timers fire while a busy queue is read', async () => {
    const queue = store.create({ messages: 64, bytes: 64 });
    const refill = store.open(queue);
    let fired = 0;
    const timer = setInterval(() => (fired += 1), 1);
    try {
      refill.putBytesManySync([Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(8)]);
      for await (const view of queue.views()) {
        expect(view.view.length).toBe(8);
        if (fired >= 3) break;
        expect(refill.tryPutBytes(Buffer.alloc(8))).toBe(true);
      }
    } finally {
      clearInterval(timer);
    }
    expect(fired).toBeGreaterThanOrEqual(3);
  });
});

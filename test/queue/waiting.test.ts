import type { ZooQueue } from 'zoosync';
import { expect, it } from 'vitest';
import {
  codeOf,
  describeEachStore,
  failureOf,
  isPending,
  thrownBy,
  turns,
  until,
  within,
  type Store,
} from '../support/index.js';

function filled(store: Store): ZooQueue<unknown> {
  const queue = store.create({ messages: 3, bytes: 64 });
  while (queue.tryPutBytes(Buffer.alloc(64, 1)));
  return queue;
}

interface Wait {
  timeout?: number;
  signal?: AbortSignal;
}

/** Every call that waits for a message. */
const readers: [string, (queue: ZooQueue<unknown>, wait: Wait) => Promise<unknown>][] = [
  ['get', (queue, wait) => queue.get(wait)],
  ['getMany', (queue, wait) => queue.getMany(3, wait)],
  ['getBytes', (queue, wait) => queue.getBytes(wait)],
  ['getBytesMany', (queue, wait) => queue.getBytesMany(3, wait)],
  ['recvView', (queue, wait) => queue.recvView(wait)],
  ['recvViews', (queue, wait) => queue.recvViews(3, wait)],
];

/** Every call that waits for room. */
const writers: [string, (queue: ZooQueue<unknown>, wait: Wait) => Promise<unknown>][] = [
  ['put', (queue, wait) => queue.put('late', wait)],
  ['putMany', (queue, wait) => queue.putMany(['late', 'later'], wait)],
  ['putBytes', (queue, wait) => queue.putBytes(Buffer.from('late'), wait)],
  ['putBytesMany', (queue, wait) => queue.putBytesMany([Buffer.from('late')], wait)],
  ['reserve', (queue, wait) => queue.reserve(64, wait)],
];

const blocking: [
  string,
  'read' | 'write',
  (queue: ZooQueue<unknown>, timeout: number) => unknown,
][] = [
  ['getSync', 'read', (queue, timeout) => queue.getSync({ timeout })],
  ['getManySync', 'read', (queue, timeout) => queue.getManySync(3, { timeout })],
  ['getBytesSync', 'read', (queue, timeout) => queue.getBytesSync({ timeout })],
  ['getBytesManySync', 'read', (queue, timeout) => queue.getBytesManySync(3, { timeout })],
  ['recvViewSync', 'read', (queue, timeout) => queue.recvViewSync({ timeout })],
  ['recvViewsSync', 'read', (queue, timeout) => queue.recvViewsSync(3, { timeout })],
  ['putSync', 'write', (queue, timeout) => queue.putSync('late', { timeout })],
  ['putManySync', 'write', (queue, timeout) => queue.putManySync(['late'], { timeout })],
  ['putBytesSync', 'write', (queue, timeout) => queue.putBytesSync(Buffer.from('l'), { timeout })],
  [
    'putBytesManySync',
    'write',
    (queue, timeout) => queue.putBytesManySync([Buffer.from('l')], { timeout }),
  ],
  ['reserveSync', 'write', (queue, timeout) => queue.reserveSync(64, { timeout })],
];

describeEachStore('waiting for a message', (store) => {
  it.each(readers)('%s waits until there is one', async (_, read) => {
    const queue = store.create();
    const other = store.open(queue);
    const waiting = read(queue, {});
    expect(await isPending(waiting)).toBe(true);
    await other.put('here');
    expect(await within(waiting)).toBeDefined();
  });

  it.each(readers)('%s gives up after its timeout and has taken nothing', async (_, read) => {
    const queue = store.create();
    const failure = await failureOf(read(queue, { timeout: 20 }));
    expect(failure.code).toBe('ERR_ZOO_TIMEOUT');
    expect(failure.segment).toBe(queue.name);
    await queue.put('still there');
    await turns();
    expect(queue.length).toBe(1);
    expect(queue.tryGet()).toBe('still there');
  });

  it.each(readers)('%s stops at an abort and has taken nothing', async (_, read) => {
    const queue = store.create();
    const abort = new AbortController();
    const waiting = read(queue, { signal: abort.signal, timeout: 60_000 });
    expect(await isPending(waiting)).toBe(true);
    const reason = new Error('no more need');
    abort.abort(reason);
    const failure = await failureOf(waiting);
    expect([failure.name, failure.code]).toEqual(['AbortError', 'ABORT_ERR']);
    expect(failure.cause).toBe(reason);
    await queue.put('still there');
    await turns();
    expect(queue.tryGet()).toBe('still there');
  });

  it.each(readers)('%s with a signal that is aborted already takes nothing', async (_, read) => {
    const queue = store.create();
    await queue.put('here');
    const failure = await failureOf(read(queue, { signal: AbortSignal.abort('why') }));
    expect([failure.name, failure.code, failure.cause]).toEqual(['AbortError', 'ABORT_ERR', 'why']);
    expect(queue.length).toBe(1);
    expect(queue.tryGet()).toBe('here');
  });

  it.each(readers)('%s rejects when its handle is closed', async (_, read) => {
    const queue = store.create();
    const waiting = [read(queue, {}), read(queue, { timeout: 60_000 })];
    expect(await isPending(Promise.race(waiting))).toBe(true);
    const codes = waiting.map((one) => codeOf(one));
    queue.close();
    expect(await within(Promise.all(codes))).toEqual(['ERR_ZOO_CLOSED', 'ERR_ZOO_CLOSED']);
  });

  it('takes a message that is there, however short the timeout', async () => {
    const queue = store.create();
    await queue.putMany([1, 2]);
    expect(await queue.get({ timeout: 0 })).toBe(1);
    expect(queue.getSync({ timeout: 0 })).toBe(2);
    expect(await codeOf(queue.get({ timeout: 0 }))).toBe('ERR_ZOO_TIMEOUT');
    expect(thrownBy(() => queue.getSync({ timeout: 0 })).code).toBe('ERR_ZOO_TIMEOUT');
  });

  it('may last longer than a timer can', async () => {
    const queue = store.create<number>();
    const waits = [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY].map((timeout) =>
      queue.get({ timeout }),
    );
    expect(await isPending(Promise.race(waits))).toBe(true);
    await queue.putMany([1, 2, 3]);
    expect(await within(Promise.all(waits))).toEqual([1, 2, 3]);
  });

  it('is first come, first served', async () => {
    const queue = store.create<number>({ messages: 32, bytes: 64 });
    const other = store.open(queue);
    const waiting = Array.from({ length: 10 }, () => queue.get());
    expect(await isPending(Promise.race(waiting))).toBe(true);
    for (let i = 0; i < 10; i += 1) await other.put(i);
    expect(await within(Promise.all(waiting))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('is first come, first served when some of those waiting give up', async () => {
    const queue = store.create<number>();
    const abort = new AbortController();
    const first = queue.get();
    const second = codeOf(queue.get({ signal: abort.signal }));
    const third = queue.get();
    const fourth = codeOf(queue.get({ timeout: 5 }));
    const fifth = queue.get();
    abort.abort();
    expect(await within(second)).toBe('ABORT_ERR');
    expect(await within(fourth)).toBe('ERR_ZOO_TIMEOUT');
    await queue.putMany([1, 2, 3]);
    expect(await within(Promise.all([first, third, fifth]))).toEqual([1, 2, 3]);
    expect(queue.length).toBe(0);
  });

  it('wakes one handle for each message, and all get their share', async () => {
    const queue = store.create<number>({ messages: 16, bytes: 64 });
    const handles = [store.open(queue), store.open(queue), store.open(queue)];
    const waiting = handles.map((handle) => handle.get());
    expect(await isPending(Promise.race(waiting))).toBe(true);
    await queue.putMany([1, 2, 3]);
    expect((await within(Promise.all(waiting))).sort()).toEqual([1, 2, 3]);
  });

  it('leaves the event loop free', async () => {
    const queue = store.create<number>();
    const waiting = queue.get();
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    try {
      await until(() => ticks >= 5, 'timers to fire while a get waits');
    } finally {
      clearInterval(timer);
    }
    await queue.put(1);
    expect(await within(waiting)).toBe(1);
  });

  it('does not lose a value that comes while others are aborted, again and again', async () => {
    const queue = store.create<number>({ messages: 64, bytes: 64 });
    const writer = store.open(queue);
    const seen: number[] = [];
    let next = 0;
    for (let round = 0; round < 150; round += 1) {
      const abort = new AbortController();
      const waits = [0, 1, 2].map((i) => queue.get(i === 1 ? { signal: abort.signal } : {}));
      const outcomes = Promise.allSettled(waits);
      await writer.put((next += 1));
      if (round % 2 === 0) await turns(1);
      abort.abort();
      await writer.putMany([(next += 1), (next += 1)]);
      for (const outcome of await within(outcomes)) {
        if (outcome.status === 'fulfilled') seen.push(outcome.value);
        else expect((outcome.reason as { code: string }).code).toBe('ABORT_ERR');
      }
      seen.push(...queue.tryGetMany(10));
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: next }, (_, i) => i + 1));
  });
});

describeEachStore('waiting for room', (store) => {
  it.each(writers)('%s waits until there is some', async (_, write) => {
    const queue = filled(store);
    const other = store.open(queue);
    const waiting = write(queue, {});
    expect(await isPending(waiting)).toBe(true);
    while (other.tryGetBytes());
    await within(waiting);
  });

  it.each(writers)('%s gives up after its timeout and has sent nothing', async (_, write) => {
    const queue = filled(store);
    const { length } = queue;
    const failure = await failureOf(write(queue, { timeout: 20 }));
    expect(failure.code).toBe('ERR_ZOO_TIMEOUT');
    expect(failure.segment).toBe(queue.name);
    const seen = drain(queue);
    await turns();
    expect(seen).toHaveLength(length);
    expect(seen.every((bytes) => bytes.equals(Buffer.alloc(64, 1)))).toBe(true);
    expect(queue.length).toBe(0);
  });

  it.each(writers)('%s stops at an abort and has sent nothing', async (_, write) => {
    const queue = filled(store);
    const { length } = queue;
    const abort = new AbortController();
    const waiting = write(queue, { signal: abort.signal });
    expect(await isPending(waiting)).toBe(true);
    abort.abort('enough');
    const failure = await failureOf(waiting);
    expect([failure.name, failure.code, failure.cause]).toEqual([
      'AbortError',
      'ABORT_ERR',
      'enough',
    ]);
    const seen = drain(queue);
    await turns();
    expect(seen).toHaveLength(length);
    expect(queue.length).toBe(0);
  });

  it.each(writers)('%s with a signal that is aborted already sends nothing', async (_, write) => {
    const queue = store.create();
    expect(await codeOf(write(queue, { signal: AbortSignal.abort() }))).toBe('ABORT_ERR');
    expect(queue.length).toBe(0);
    expect(queue.stats().messages).toBe(0);
  });

  it.each(writers)('%s rejects when its handle is closed', async (_, write) => {
    const queue = filled(store);
    const other = store.open(queue);
    const { length } = queue;
    const code = codeOf(write(queue, {}));
    await turns();
    queue.close();
    expect(await within(code)).toBe('ERR_ZOO_CLOSED');
    expect(drain(other)).toHaveLength(length);
  });

  it('is first come, first served, and keeps the order of the messages', async () => {
    const queue = filled(store);
    const other = store.open(queue);
    const before = queue.length;
    const waiting = Array.from({ length: 12 }, (_, i) => queue.putBytes(Buffer.alloc(64, 100 + i)));
    expect(await isPending(Promise.race(waiting))).toBe(true);
    const seen: number[] = [];
    while (seen.length < before + 12) seen.push((await other.getBytes())[0] ?? -1);
    await within(Promise.all(waiting));
    expect(seen.slice(before)).toEqual(Array.from({ length: 12 }, (_, i) => 100 + i));
  });

  it('lets no later put overtake one that waits, also when a small one would fit', async () => {
    const queue = store.create({ messages: 3, bytes: 1024 });
    const other = store.open(queue);
    while (queue.tryPutBytes(Buffer.alloc(1024, 1)));
    while (queue.tryPutBytes(Buffer.alloc(1, 1)));
    const first = queue.putBytes(Buffer.alloc(1024, 2));
    const second = queue.putBytes(Buffer.alloc(1, 3));
    const seen: number[] = [];
    let done = false;
    const both = Promise.all([first, second]).then(() => (done = true));
    while (!done) {
      seen.push(...other.tryGetBytesMany(1).map((bytes) => bytes[0] ?? -1));
      await turns(2);
    }
    await both;
    seen.push(...drain(other).map((bytes) => bytes[0] ?? -1));
    expect(seen.slice(-2)).toEqual([2, 3]);
  });

  it('goes on with the next one when the first gives up', async () => {
    const queue = store.create({ messages: 3, bytes: 1024 });
    const other = store.open(queue);
    while (queue.tryPutBytes(Buffer.alloc(1024, 1)));
    while (queue.tryPutBytes(Buffer.alloc(1, 1)));
    const abort = new AbortController();
    const first = codeOf(queue.putBytes(Buffer.alloc(1024, 2), { signal: abort.signal }));
    const second = queue.putBytes(Buffer.alloc(1, 3));
    expect(await isPending(second)).toBe(true);
    abort.abort();
    expect(await within(first)).toBe('ABORT_ERR');
    const seen = [...drain(other), ...(await within(second.then(() => drain(other))))];
    expect(seen.map((bytes) => bytes[0])).not.toContain(2);
    expect(seen.at(-1)?.[0]).toBe(3);
  });

  it('of a batch tells how many went in when it gives up', async () => {
    const queue = store.create<number>({ messages: 4, bytes: 64 });
    const values = Array.from({ length: 1000 }, (_, i) => i);
    const late = await failureOf(queue.putMany(values, { timeout: 20 }));
    expect(late.code).toBe('ERR_ZOO_TIMEOUT');
    expect(late.sent).toBeGreaterThanOrEqual(4);
    expect(queue.tryGetMany(1000)).toEqual(values.slice(0, late.sent));

    const abort = new AbortController();
    const sending = queue.putMany(values, { signal: abort.signal });
    await turns();
    abort.abort();
    const aborted = await failureOf(sending);
    expect(aborted.code).toBe('ABORT_ERR');
    expect(queue.tryGetMany(1000)).toEqual(values.slice(0, aborted.sent));

    const blocked = thrownBy(() => queue.putManySync(values, { timeout: 20 }));
    expect(blocked.code).toBe('ERR_ZOO_TIMEOUT');
    expect(queue.tryGetMany(1000)).toEqual(values.slice(0, blocked.sent));

    const list = values.map(() => Buffer.alloc(64));
    const bytes = await failureOf(queue.putBytesMany(list, { timeout: 20 }));
    expect(bytes.code).toBe('ERR_ZOO_TIMEOUT');
    expect(drain(queue)).toHaveLength(bytes.sent ?? -1);
    const bytesBlocked = thrownBy(() => queue.putBytesManySync(list, { timeout: 20 }));
    expect(drain(queue)).toHaveLength(bytesBlocked.sent ?? -1);
  });

  it('wakes up when a reserved message is aborted', async () => {
    const queue = store.create({ messages: 1, bytes: 64 });
    const other = store.open(queue);
    const reserved = queue.reserveSync(64);
    while (queue.tryPutBytes(Buffer.alloc(64)));
    const waiting = other.putBytes(Buffer.alloc(64, 9));
    expect(await isPending(waiting)).toBe(true);
    queue.abortWrite(reserved.cursor);
    drain(queue);
    await within(waiting);
  });

  it('wakes up when a view is committed', async () => {
    const queue = filled(store);
    const other = store.open(queue);
    const views = queue.tryRecvViews(100);
    const waiting = other.putBytes(Buffer.alloc(64, 9));
    expect(await isPending(waiting)).toBe(true);
    for (const view of views) queue.commitRead(view.cursor);
    await within(waiting);
    expect(queue.tryGetBytes()?.[0]).toBe(9);
  });
});

describeEachStore('blocking calls', (store) => {
  it.each(blocking)('%s gives up after its timeout', (_, kind, call) => {
    const queue = kind === 'read' ? store.create() : filled(store);
    const { length } = queue;
    for (const timeout of [0, 15]) {
      const failure = thrownBy(() => call(queue, timeout));
      expect(failure.code).toBe('ERR_ZOO_TIMEOUT');
      expect(failure.segment).toBe(queue.name);
    }
    expect(queue.length).toBe(length);
  });
});

describeEachStore('options of a wait', (store) => {
  it('are checked before anything is taken or sent', async () => {
    const queue = store.create();
    await queue.put('stays');
    for (const [wait, code] of [
      [{ timeout: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ timeout: Number.NaN }, 'ERR_OUT_OF_RANGE'],
      [{ timeout: '5' }, 'ERR_INVALID_ARG_TYPE'],
      [{ signal: {} }, 'ERR_INVALID_ARG_TYPE'],
      [{ signal: 'no' }, 'ERR_INVALID_ARG_TYPE'],
      [{ timout: 5 }, 'ERR_INVALID_ARG_VALUE'],
      ['soon', 'ERR_INVALID_ARG_TYPE'],
      [5, 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      expect(await codeOf(() => queue.get(wait as never)), JSON.stringify(wait)).toBe(code);
      expect(await codeOf(() => queue.put('no', wait as never)), JSON.stringify(wait)).toBe(code);
      expect(await codeOf(() => queue.recvView(wait as never)), JSON.stringify(wait)).toBe(code);
      expect(await codeOf(() => queue.reserve(4, wait as never)), JSON.stringify(wait)).toBe(code);
    }
    expect((await failureOf(() => queue.get({ timout: 5 } as never))).message).toContain('timout');
    expect(await codeOf(() => queue.getSync({ signal: AbortSignal.timeout(5) } as never))).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    expect(queue.length).toBe(1);
    expect(await queue.get(undefined)).toBe('stays');
  });

  it('may be undefined one by one', async () => {
    const queue = store.create();
    await queue.put(1, { timeout: undefined, signal: undefined } as never);
    expect(await queue.get({ timeout: undefined, signal: undefined } as never)).toBe(1);
  });
});

function drain<T>(queue: ZooQueue<T>): Buffer[] {
  const seen: Buffer[] = [];
  for (let one = queue.tryGetBytes(); one; one = queue.tryGetBytes()) seen.push(one);
  return seen;
}

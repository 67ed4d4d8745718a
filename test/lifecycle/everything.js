/** One handle of every kind, in the middle of its work. */
import { check, load } from './context.js';

/** @typedef {import('./context.js').Context | import('./context.js').ThreadContext} AnyContext */

const tasks = new URL('tasks.js', import.meta.url);
const quiet = () => undefined;

/**
 * Opens one handle of every kind except pools: with a message in the ring, one that is claimed, one
 * that is being written, a lock that is held and another that is not, a pipe written to, and a
 * channel with an item.
 * @param {AnyContext} t
 * @param {string} [group] distinguishes the names of several callers
 */
export async function openEverything(t, group = 'all') {
  const { ZooQueue, ZooLock, ZooMemory, ZooPipe, Channel } = await load();
  /** @param {string} kind */
  const name = (kind) => t.name(`${group}.${kind}`);
  const ring = ZooQueue.create(name('ring'), { size: '64KiB' });
  ring.putManySync([1, 2]);
  const claimed = ring.recvViewSync();
  const reserved = ring.reserveSync(100);
  const frames = ZooQueue.create(name('frames'), { slots: 4, slotSize: 4096 });
  frames.putBytesSync(Buffer.alloc(4096, 1));
  const frame = frames.recvViewSync();
  const grouped = ZooQueue.create(name('grouped'), {
    size: '64KiB',
    groups: { one: {}, two: { overflow: 'latest' } },
    group: 'one',
  });
  grouped.putSync({ some: 'value' });
  const held = new ZooLock(name('held'));
  held.acquireSync();
  const lock = new ZooLock(name('lock'));
  const memory = ZooMemory.create(name('memory'), 4096);
  new Uint8Array(memory.buffer).fill(1);
  const writer = ZooPipe.create(name('pipe'));
  const reader = await ZooPipe.open(name('pipe'));
  await writer.write(Buffer.alloc(1000, 2));
  const channel = Channel.create(name('channel'));
  await channel.send({ number: 1 });
  const views = [claimed.view, reserved.view, frame.view, new Uint8Array(memory.buffer)];
  const all = { ring, frames, grouped, held, lock, memory, writer, reader, channel };
  return {
    ...all,
    views,
    claimed,
    reserved,
    /** Closes everything and removes the names. */
    async close() {
      if (held.held) held.release();
      for (const one of Object.values(all)) await one[Symbol.asyncDispose]?.();
      check(
        views.every((view) => view.length === 0),
        'a view outlived its handle',
      );
    },
  };
}

/**
 * A wait that stays pending on each kind of handle. Rejections are left to the end of the handles.
 * @param {AnyContext} t
 * @param {string} [group]
 */
export async function waitEverywhere(t, group = 'waits') {
  const { ZooQueue, ZooLock, ZooPipe, Channel, Stream } = await load();
  /** @param {string} kind */
  const name = (kind) => t.name(`${group}.${kind}`);
  const never = new AbortController();
  const empty = ZooQueue.create(name('empty'), { size: '64KiB' });
  const full = ZooQueue.create(name('full'), { slots: 1, slotSize: 64 });
  full.putBytesSync(Buffer.alloc(64));
  const owner = new ZooLock(name('taken'));
  owner.acquireSync();
  const waiter = new ZooLock(name('taken'));
  const pipe = ZooPipe.create(name('pipe'));
  const reader = await ZooPipe.open(name('pipe'));
  const channel = Channel.create(name('channel'));
  const iterating = async () => {
    for await (const _ of empty);
  };
  /** @type {Promise<unknown>[]} */
  const waits = [
    empty.get(),
    empty.recvViews(3),
    iterating(),
    full.put('more'),
    full.reserve(10),
    waiter.acquire(),
    reader.read(),
    channel.receive(),
    Stream.from(channel)
      .map((value) => value)
      .toArray(),
    ZooQueue.waitFor(name('never'), { signal: never.signal }),
  ];
  for (const wait of waits) wait.catch(quiet);
  return {
    waits,
    async close() {
      never.abort();
      for (const one of [empty, full, waiter, pipe, reader, channel])
        await one[Symbol.asyncDispose]();
      owner.release();
      owner[Symbol.dispose]();
    },
  };
}

/**
 * A pool with one task that never ends, one that never gives its thread back, and one in line.
 * @param {'thread' | 'process'} kind
 */
export async function startPool(kind) {
  const { ZooPool } = await load();
  /** @type {import('../../dist/index.js').ZooPool<typeof import('./tasks.js')>} */
  const pool = new ZooPool(tasks, { kind, workers: 2, killAfter: 50 });
  check((await pool.run('add', [1, 2])) === 3, 'a pool cannot add');
  const pending = [pool.run('untilAborted', []), pool.run('spin', []), pool.run('add', [3, 4])];
  for (const one of pending) one.catch(quiet);
  return { pool, pending };
}

import { ZooQueue, type QueueOptions, type ReadView } from 'zoosync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  describeEachStore,
  failureOf,
  isPending,
  thrownBy,
  track,
  uniqueName,
  within,
  type Store,
} from '../support/index.js';

function given(view: ReadView | undefined): ReadView {
  if (view === undefined) throw new Error('there was no view');
  return view;
}

function numbered(n: number, length = 64): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(n);
  return bytes;
}

function numbersOf(queue: ZooQueue<unknown>): number[] {
  const seen: number[] = [];
  for (let one = queue.tryGetBytes(); one; one = queue.tryGetBytes()) seen.push(one.readUInt32LE());
  return seen;
}

type Groups = NonNullable<QueueOptions['groups']>;

/** A writer and one reader for each group. */
function fanOut<K extends string>(
  store: Store,
  groups: Record<K, Groups[string]>,
  room: { messages?: number; bytes?: number; maxDeliveries?: number } = {},
): { writer: ZooQueue<unknown>; readers: Record<K, ZooQueue<unknown>> } {
  const names = Object.keys(groups) as K[];
  const writer = store.create({ messages: 8, bytes: 64, ...room, groups });
  const readers = Object.fromEntries(
    names.map((group) => [group, store.open(writer, { group })]),
  ) as Record<K, ZooQueue<unknown>>;
  return { writer, readers };
}

describeEachStore('consumer groups', (store) => {
  it('get every message each, up to four of them', () => {
    const { writer, readers } = fanOut(store, { a: {}, b: {}, c: {}, d: {} });
    for (let round = 0; round < 20; round += 1) {
      for (let i = 0; i < 5; i += 1) expect(writer.tryPutBytes(numbered(i))).toBe(true);
      for (const reader of Object.values(readers)) {
        expect(reader.length).toBe(5);
        expect(numbersOf(reader)).toEqual([0, 1, 2, 3, 4]);
        expect(reader.length).toBe(0);
      }
    }
    expect(writer.stats().messages).toBe(0);
    expect(writer.stats().puts).toBe(100);
  });

  it('share their messages among the readers inside a group', () => {
    const { writer, readers } = fanOut(store, { workers: {}, viewer: {} });
    const second = store.open(writer, { group: 'workers' });
    for (let i = 0; i < 6; i += 1) writer.putBytesSync(numbered(i));
    const shared = [readers.workers, second, readers.workers, second].map((reader) =>
      reader.tryGetBytes()?.readUInt32LE(),
    );
    expect(shared).toEqual([0, 1, 2, 3]);
    expect(numbersOf(readers.viewer)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(numbersOf(second)).toEqual([4, 5]);
  });

  it('hold a message in place at the same time, without copying it', () => {
    const { writer, readers } = fanOut(store, { a: {}, b: {} });
    writer.putBytesSync(numbered(7));
    const a = given(readers.a.tryRecvView());
    const b = given(readers.b.tryRecvView());
    expect([a.view.readUInt32LE(), b.view.readUInt32LE()]).toEqual([7, 7]);
    expect(a.seq).toBe(b.seq);
    a.view[10] = 42;
    expect(b.view[10]).toBe(42);
    readers.a.commitRead(a.cursor);
    expect(writer.stats().messages).toBe(1);
    readers.b.commitRead(b.cursor);
    expect(writer.stats().messages).toBe(0);
  });

  it('count deliveries for themselves', () => {
    const { writer, readers } = fanOut(store, { a: {}, b: {} });
    writer.putBytesSync(numbered(1));
    readers.a.rejectRead(given(readers.a.tryRecvView()).cursor);
    const a = given(readers.a.tryRecvView());
    const b = given(readers.b.tryRecvView());
    expect([a.deliveries, b.deliveries]).toEqual([2, 1]);
    readers.a.commitRead(a.cursor);
    readers.b.commitRead(b.cursor);
  });

  it('have dead letters of their own', () => {
    const { writer, readers } = fanOut(store, { a: {}, b: {} }, { maxDeliveries: 2 });
    writer.putBytesSync(numbered(1));
    for (let i = 0; i < 2; i += 1) readers.a.rejectRead(given(readers.a.tryRecvView()).cursor);
    expect(readers.a.tryRecvView()).toBeUndefined();
    expect(readers.b.tryGetDead()).toBeUndefined();
    expect(numbersOf(readers.b)).toEqual([1]);
    const letter = given(readers.a.tryGetDead());
    expect(letter.view.readUInt32LE()).toBe(1);
    readers.a.commitRead(letter.cursor);
    expect(writer.stats().messages).toBe(0);
  });

  it('that block hold the writer up until the slowest one has room', async () => {
    const { writer, readers } = fanOut(store, { fast: {}, slow: {} }, { messages: 4 });
    let put = 0;
    while (writer.tryPutBytes(numbered(put))) {
      put += 1;
      readers.fast.tryGetBytes();
    }
    const waiting = writer.putBytes(numbered(put));
    expect(await isPending(waiting)).toBe(true);
    expect(readers.fast.tryGetBytes()).toBeUndefined();
    const seen = numbersOf(readers.slow);
    await within(waiting);
    seen.push(...numbersOf(readers.slow));
    expect(seen).toEqual(Array.from({ length: put + 1 }, (_, i) => i));
    const groups = writer.stats().groups;
    expect([groups['fast']?.dropped, groups['slow']?.dropped]).toEqual([0, 0]);
  });

  it('come to the end of the queue each for itself', async () => {
    const { writer, readers } = fanOut(store, { a: {}, b: {} });
    await writer.put('x');
    writer.end();
    expect(await readers.a.get()).toBe('x');
    expect(await codeOf(readers.a.get())).toBe('ERR_ZOO_ENDED');
    expect(await readers.b.get()).toBe('x');
    expect(await codeOf(readers.b.get())).toBe('ERR_ZOO_ENDED');
  });

  it('are seen one by one in the statistics', () => {
    const { writer, readers } = fanOut(store, { a: {}, b: { overflow: 'dropOldest' } });
    for (let i = 0; i < 3; i += 1) writer.putBytesSync(numbered(i));
    const view = given(readers.a.tryRecvView());
    readers.b.tryGetBytes();
    const { groups, participants } = writer.stats();
    expect(Object.keys(groups)).toEqual(['a', 'b']);
    expect(groups['a']).toMatchObject({ claimed: 1, dropped: 0 });
    expect(groups['b']).toMatchObject({ backlog: 2, claimed: 0, dropped: 0 });
    expect(groups['b']?.oldestClaim).toBeUndefined();
    expect(groups['a']?.oldestClaim?.pid).toBe(process.pid);
    expect(participants.map((one) => one.group)).toEqual(expect.arrayContaining(['a', 'b']));
    readers.a.commitRead(view.cursor);
    expect(writer.stats().groups['a']).toMatchObject({ backlog: 2, claimed: 0 });
  });
});

describeEachStore('a group that drops the oldest', (store) => {
  it('never holds the writer up; what is left is the newest, and drops are counted', () => {
    const { writer, readers } = fanOut(store, { view: { overflow: 'dropOldest' } });
    for (let i = 0; i < 100; i += 1) expect(writer.tryPutBytes(numbered(i)), `${i}`).toBe(true);
    const { length } = readers.view;
    const seen = numbersOf(readers.view);
    expect(seen).toHaveLength(length);
    expect(seen.length).toBeGreaterThanOrEqual(store.kind === 'frames' ? 8 : 1);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i).slice(100 - seen.length));
    expect(writer.stats().groups['view']?.dropped).toBe(100 - seen.length);
    expect(writer.stats().messages).toBe(0);
  });

  it('keeps a message that is claimed', () => {
    const { writer, readers } = fanOut(store, { view: { overflow: 'dropOldest' } });
    writer.putBytesSync(numbered(0));
    const held = given(readers.view.tryRecvView());
    let put = 1;
    while (put < 200 && writer.tryPutBytes(numbered(put))) put += 1;
    // Slots are independent of each other, a ring cannot go past the message that is held.
    if (store.kind === 'frames') expect(put).toBe(200);
    expect(held.view.equals(numbered(0))).toBe(true);
    readers.view.commitRead(held.cursor);
    const seen = numbersOf(readers.view);
    expect(seen.at(-1)).toBe(put - 1);
    expect(writer.stats().groups['view']?.dropped).toBe(put - 1 - seen.length);
    for (let i = 0; i < 50; i += 1) expect(writer.tryPutBytes(numbered(i))).toBe(true);
  });

  it('does not lose its messages to make room that another group blocks anyway', () => {
    const { writer, readers } = fanOut(store, { all: {}, view: { overflow: 'dropOldest' } });
    let put = 0;
    while (writer.tryPutBytes(numbered(put))) put += 1;
    expect(writer.tryPutBytes(numbered(put))).toBe(false);
    expect(numbersOf(readers.all)).toEqual(Array.from({ length: put }, (_, i) => i));
    const seen = numbersOf(readers.view);
    expect(seen.length + (writer.stats().groups['view']?.dropped ?? 0)).toBe(put);
    for (let i = 0; i < 100; i += 1) {
      expect(writer.tryPutBytes(numbered(i))).toBe(true);
      expect(numbersOf(readers.all)).toEqual([i]);
    }
  });

  it('beside one that blocks: the one that blocks gets everything', async () => {
    const { writer, readers } = fanOut(store, { all: {}, view: { overflow: 'dropOldest' } });
    const list = Array.from({ length: 300 }, (_, i) => numbered(i));
    const sending = writer.putBytesMany(list);
    const seen: number[] = [];
    while (seen.length < 300) seen.push((await readers.all.getBytes()).readUInt32LE());
    await sending;
    expect(seen).toEqual(list.map((_, i) => i));
    const viewed = numbersOf(readers.view);
    expect(viewed.at(-1)).toBe(299);
    expect(viewed.length + (writer.stats().groups['view']?.dropped ?? 0)).toBe(300);
  });
});

describeEachStore('a group that wants the latest', (store) => {
  it('gets the newest message; the older ones count as dropped', () => {
    const { writer, readers } = fanOut(store, { view: { overflow: 'latest' } });
    for (let i = 0; i < 5; i += 1) writer.putBytesSync(numbered(i));
    expect(readers.view.tryGetBytes()?.readUInt32LE()).toBe(4);
    expect(readers.view.tryGetBytes()).toBeUndefined();
    expect(writer.stats().groups['view']?.dropped).toBe(4);
    writer.putBytesSync(numbered(5));
    const view = given(readers.view.tryRecvView());
    expect(view.view.readUInt32LE()).toBe(5);
    readers.view.commitRead(view.cursor);
    expect(writer.stats().groups['view']?.dropped).toBe(4);
    expect(writer.stats().messages).toBe(0);
  });

  it('gets one message at a time, also when it asks for several', () => {
    const { writer, readers } = fanOut(store, { view: { overflow: 'latest' } });
    for (let i = 0; i < 5; i += 1) writer.putBytesSync(numbered(i));
    expect(readers.view.tryGetBytesMany(10).map((bytes) => bytes.readUInt32LE())).toEqual([4]);
    for (let i = 5; i < 8; i += 1) writer.putBytesSync(numbered(i));
    const views = readers.view.tryRecvViews(10);
    expect(views.map((view) => view.view.readUInt32LE())).toEqual([7]);
    readers.view.commitReadMany(views);
    expect(writer.stats().groups['view']?.dropped).toBe(6);
  });

  it('never holds the writer up', () => {
    const { writer, readers } = fanOut(store, { view: { overflow: 'latest' } });
    for (let i = 0; i < 200; i += 1) expect(writer.tryPutBytes(numbered(i))).toBe(true);
    expect(readers.view.tryGetBytes()?.readUInt32LE()).toBe(199);
    expect(writer.stats().groups['view']?.dropped).toBe(199);
    expect(writer.stats().messages).toBe(0);
  });

  it('keeps a message that is claimed', () => {
    const { writer, readers } = fanOut(store, { view: { overflow: 'latest' } });
    writer.putBytesSync(numbered(0));
    const held = given(readers.view.tryRecvView());
    let put = 1;
    while (put < 100 && writer.tryPutBytes(numbered(put))) put += 1;
    if (store.kind === 'frames') expect(put).toBe(100);
    expect(held.view.equals(numbered(0))).toBe(true);
    readers.view.commitRead(held.cursor);
    expect(readers.view.tryGetBytes()?.readUInt32LE()).toBe(put - 1);
  });

  it('beside others: they get everything', () => {
    const { writer, readers } = fanOut(store, { all: {}, preview: { overflow: 'latest' } });
    for (let i = 0; i < 50; i += 1) {
      expect(writer.tryPutBytes(numbered(i))).toBe(true);
      expect(readers.all.tryGetBytes()?.readUInt32LE()).toBe(i);
      if (i % 10 === 9) expect(readers.preview.tryGetBytes()?.readUInt32LE()).toBe(i);
    }
    expect(writer.stats().groups['preview']?.dropped).toBe(45);
    expect(writer.stats().groups['all']?.dropped).toBe(0);
  });
});

describeEachStore('any sequence of operations of several groups', (store) => {
  type Step =
    | { do: 'put'; length: number }
    | { do: 'take' | 'claim' | 'commit' | 'reject'; group: number; which: number };
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), length: fc.nat(300) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('take' as const, 'claim', 'commit', 'reject'),
        group: fc.nat(2),
        which: fc.nat(5),
      }),
    },
  );

  it('gives the group that blocks everything, the others a part, and accounts for the rest', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }), (steps) => {
        const { writer, readers } = fanOut(
          store,
          { all: {}, some: { overflow: 'dropOldest' }, newest: { overflow: 'latest' } },
          { messages: 5, bytes: 304, maxDeliveries: 1000 },
        );
        const groups = Object.entries(readers).map(([name, reader]) => ({
          name,
          reader,
          seen: [] as number[],
          claimed: [] as ReadView[],
        }));
        let puts = 0;
        const finish = (group: (typeof groups)[number], bytes: Buffer): void => {
          const id = bytes.readUInt32LE();
          expect(bytes.equals(numbered(id, bytes.length).fill(id & 255, 4))).toBe(true);
          expect(group.seen).not.toContain(id);
          group.seen.push(id);
        };
        for (const one of steps) {
          if (one.do === 'put') {
            const bytes = numbered(puts, one.length + 4).fill(puts & 255, 4);
            if (writer.tryPutBytes(bytes)) puts += 1;
            continue;
          }
          const group = groups[one.group];
          if (group === undefined) continue;
          const { reader, claimed } = group;
          if (one.do === 'take') {
            const bytes = reader.tryGetBytes();
            if (bytes) finish(group, bytes);
          } else if (one.do === 'claim') {
            claimed.push(...reader.tryRecvViews(one.which + 1));
          } else {
            const view = claimed.splice(one.which % Math.max(claimed.length, 1), 1)[0];
            if (view === undefined) continue;
            if (one.do === 'commit') {
              finish(group, view.view);
              reader.commitRead(view.cursor);
            } else {
              reader.rejectRead(view.cursor);
            }
          }
        }
        for (const group of groups) {
          for (const view of group.claimed) {
            finish(group, view.view);
            group.reader.commitRead(view.cursor);
          }
          for (let bytes = group.reader.tryGetBytes(); bytes; bytes = group.reader.tryGetBytes()) {
            finish(group, bytes);
          }
          const { dropped, backlog, claimed } = writer.stats().groups[group.name] ?? {};
          expect({ total: group.seen.length + (dropped ?? 0), backlog, claimed }).toEqual({
            total: puts,
            backlog: 0,
            claimed: 0,
          });
        }
        expect(writer.stats().groups['all']?.dropped).toBe(0);
        expect(writer.stats()).toMatchObject({ messages: 0, bytes: 0, puts, blockedBytes: 0 });
        for (const { reader } of groups) reader.close();
        writer.close();
        writer.unlink();
      }),
      { numRuns: 100 },
    );
  });
});

describe('groups of an existing queue', () => {
  it('are named by who opens it; an unknown one is refused with the ones there are', async () => {
    const groups = { detect: {}, encode: {} };
    const queue = track(ZooQueue.create(uniqueName(), { groups }));
    const failure = await failureOf(() => ZooQueue.open(queue.name, { group: 'detekt' }));
    expect(failure.code).toBe('ERR_INVALID_ARG_VALUE');
    expect(failure.message).toContain('detekt');
    expect(failure.message).toContain('detect');
    expect(queue.stats().participants).toHaveLength(1);
  });

  it('have to be the same when said again', async () => {
    const queue = track(
      ZooQueue.create(uniqueName(), { groups: { a: {}, b: { overflow: 'latest' } } }),
    );
    const same = track(
      new ZooQueue(queue.name, { groups: { a: { overflow: 'block' }, b: { overflow: 'latest' } } }),
    );
    same.close();
    for (const groups of [{ a: {} }, { a: {}, b: {} }, { a: {}, c: { overflow: 'latest' } }]) {
      const failure = await failureOf(() => new ZooQueue(queue.name, { groups } as QueueOptions));
      expect(failure.code, JSON.stringify(groups)).toBe('ERR_ZOO_INCOMPATIBLE');
      expect(failure.message).toContain('groups');
    }
  });

  it('are one to four, with good names and a known overflow', () => {
    const name = uniqueName();
    const five = { a: {}, b: {}, c: {}, d: {}, e: {} };
    for (const groups of [
      five,
      {},
      { a: { overflow: 'drop' } },
      { a: { overlow: 'block' } },
      { '': {} },
      { 'a b': {} },
      { ['x'.repeat(300)]: {} },
    ]) {
      const failure = thrownBy(() => ZooQueue.create(name, { groups } as QueueOptions));
      expect(failure.code, JSON.stringify(groups)).toBe('ERR_INVALID_ARG_VALUE');
    }
    for (const groups of [null, 'a', 5, { a: 'block' }, { a: null }]) {
      const failure = thrownBy(() => ZooQueue.create(name, { groups } as never));
      expect(failure.code, JSON.stringify(groups)).toBe('ERR_INVALID_ARG_TYPE');
    }
    expect(ZooQueue.unlink(name)).toBe(false);
  });
});

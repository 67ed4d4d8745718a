import type { ReadView, WriteView } from 'zoosync';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeEachStore, type Store } from '../support/index.js';

/**
 * Random sequences of operations against what a queue has to be: a set of messages that each
 * come out once, in the order they went in, unless they were given back.
 */
type Step =
  | { do: 'put'; size: number }
  | { do: 'putMany'; sizes: number[] }
  | { do: 'reserve'; size: number }
  | { do: 'commitWrite'; which: number; keep: number }
  | { do: 'abortWrite'; which: number }
  | { do: 'take' }
  | { do: 'takeMany'; max: number }
  | { do: 'claim'; max: number }
  | { do: 'commitRead'; which: number }
  | { do: 'rejectRead'; which: number }
  | { do: 'swap' };

const largest = 700;
const idBytes = 4;
const size = fc.oneof(fc.integer({ min: idBytes, max: largest }), fc.constantFrom(4, 64, 65, 700));
const which = fc.nat(20);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), size }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('putMany' as const),
      sizes: fc.array(size, { maxLength: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('reserve' as const), size }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('commitWrite' as const), which, keep: size }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abortWrite' as const), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('takeMany' as const),
      max: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      max: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commitRead' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rejectRead' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('swap' as const) }) },
);

function message(id: number, length: number): Buffer {
  const bytes = Buffer.alloc(length, id & 255);
  bytes.writeUInt32LE(id);
  return bytes;
}

/** Plays the steps on a queue of the store, and fails at the first thing a model would not do. */
function play(store: Store, steps: readonly Step[]): void {
  const first = store.create({ messages: 6, bytes: largest, maxDeliveries: 1000 });
  const second = store.open(first);
  let queue = first;

  let ids = 0;
  const lengths = new Map<number, number>();
  const waiting = new Set<number>();
  const givenBack = new Set<number>();
  const claimed: { id: number; view: ReadView; by: typeof queue }[] = [];
  const reserved: { id: number; view: WriteView; by: typeof queue }[] = [];
  let newestFresh = 0;
  let puts = 0;

  const sent = (id: number, length: number): void => {
    lengths.set(id, length);
    waiting.add(id);
    puts += 1;
  };
  const received = (bytes: Buffer): number => {
    const id = bytes.readUInt32LE();
    expect(waiting.delete(id), `message ${id} was waiting`).toBe(true);
    expect(bytes.equals(message(id, lengths.get(id) ?? 0)), `message ${id} is whole`).toBe(true);
    // Fresh messages come in order; only one that was given back may come late, and one that
    // was reserved early and committed late.
    if (!givenBack.has(id) && !early.has(id)) {
      expect(id).toBeGreaterThan(newestFresh);
      newestFresh = id;
    }
    return id;
  };
  const early = new Set<number>();
  const nothing = (): void => {
    // Behind a reservation that is not committed yet messages may have to wait.
    if (reserved.length === 0) expect(waiting.size, 'nothing came, so nothing waits').toBe(0);
  };
  const pick = <E>(from: E[], index: number): E | undefined =>
    from.length === 0 ? undefined : from.splice(index % from.length, 1)[0];

  for (const one of steps) {
    switch (one.do) {
      case 'put': {
        ids += 1;
        if (queue.tryPutBytes(message(ids, one.size))) sent(ids, one.size);
        else expect(waiting.size + claimed.length + reserved.length).toBeGreaterThan(0);
        break;
      }
      case 'putMany': {
        const from = ids + 1;
        ids += one.sizes.length;
        const count = queue.tryPutBytesMany(one.sizes.map((bytes, i) => message(from + i, bytes)));
        for (let i = 0; i < count; i += 1) sent(from + i, one.sizes[i] ?? 0);
        break;
      }
      case 'reserve': {
        const view = queue.tryReserve(one.size);
        if (view === undefined) break;
        ids += 1;
        expect(view.view.length).toBe(one.size);
        message(ids, one.size).copy(view.view);
        reserved.push({ id: ids, view, by: queue });
        early.add(ids);
        break;
      }
      case 'commitWrite': {
        const mine = pick(reserved, one.which);
        if (mine === undefined) break;
        const keep = Math.min(one.keep, mine.view.view.length);
        mine.by.commitWrite(mine.view.cursor, keep);
        sent(mine.id, keep);
        break;
      }
      case 'abortWrite': {
        const mine = pick(reserved, one.which);
        if (mine !== undefined) mine.by.abortWrite(mine.view.cursor);
        break;
      }
      case 'take': {
        const bytes = queue.tryGetBytes();
        if (bytes === undefined) nothing();
        else received(bytes);
        break;
      }
      case 'takeMany': {
        const list = queue.tryGetBytesMany(one.max);
        expect(list.length).toBeLessThanOrEqual(one.max);
        if (list.length === 0) nothing();
        for (const bytes of list) received(bytes);
        break;
      }
      case 'claim': {
        const views = queue.tryRecvViews(one.max);
        expect(views.length).toBeLessThanOrEqual(one.max);
        if (views.length === 0) nothing();
        for (const view of views) {
          const id = received(view.view);
          expect(view.deliveries > 1).toBe(givenBack.has(id));
          claimed.push({ id, view, by: queue });
        }
        break;
      }
      case 'commitRead': {
        const mine = pick(claimed, one.which);
        if (mine === undefined) break;
        const whole = message(mine.id, lengths.get(mine.id) ?? 0);
        expect(mine.view.view.equals(whole), `message ${mine.id} is still whole`).toBe(true);
        mine.by.commitRead(mine.view.cursor);
        break;
      }
      case 'rejectRead': {
        const mine = pick(claimed, one.which);
        if (mine === undefined) break;
        mine.by.rejectRead(mine.view.cursor);
        waiting.add(mine.id);
        givenBack.add(mine.id);
        break;
      }
      case 'swap':
        queue = queue === first ? second : first;
        break;
    }
    expect(queue.length).toBeLessThanOrEqual(waiting.size + claimed.length);
  }

  for (const mine of reserved.splice(0)) {
    const { length } = mine.view.view;
    mine.by.commitWrite(mine.view.cursor);
    sent(mine.id, length);
  }
  for (const mine of claimed.splice(0)) mine.by.commitRead(mine.view.cursor);
  for (let bytes = queue.tryGetBytes(); bytes; bytes = queue.tryGetBytes()) received(bytes);
  expect([...waiting], 'everything came out').toEqual([]);
  expect(queue.stats()).toMatchObject({ messages: 0, bytes: 0, puts, gets: puts, blockedBytes: 0 });

  // All of the space has come back.
  for (let i = 0; i < 6; i += 1) expect(queue.tryPutBytes(Buffer.alloc(largest, i))).toBe(true);
  for (let i = 0; i < 6; i += 1) expect(queue.tryGetBytes()).toEqual(Buffer.alloc(largest, i));

  second.close();
  first.close();
  first.unlink();
}

describeEachStore('any sequence of operations', (store) => {
  it('gives every message once, whole and in order', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => play(store, steps)),
      { numRuns: 120 },
    );
  });

  it('gives every message once, whole and in order, over long runs', () => {
    // A seed stands for the run: a run this long is of no use in a message.
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const runs = fc.array(step, { minLength: 1500, maxLength: 2500, size: 'max' });
        for (const steps of fc.sample(runs, { seed, numRuns: 1 })) play(store, steps);
      }),
      { numRuns: 5, endOnFailure: true },
    );
  });
});

import { expect, it } from 'vitest';
import { describeEachStore, isPending, until, within } from '../support/index.js';

describeEachStore('statistics', (store) => {
  it('of a new queue are all zero', () => {
    const queue = store.create({ label: 'the maker' });
    const stats = queue.stats();
    expect(stats).toMatchObject({
      messages: 0,
      bytes: 0,
      puts: 0,
      gets: 0,
      redelivered: 0,
      dead: 0,
      deadGivenUp: 0,
      reaped: 0,
      recoveries: 0,
      blockedBytes: 0,
    });
    expect(stats.capacity).toBe(queue.capacity);
    expect(stats.oldestReservationMs).toBeUndefined();
    const groups = Object.values(stats.groups);
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({ backlog: 0, claimed: 0, dropped: 0 });
    expect(groups[0]?.oldestClaim).toBeUndefined();
    expect(stats.participants).toHaveLength(1);
    expect(stats.participants[0]).toMatchObject({
      pid: process.pid,
      label: 'the maker',
      writer: false,
      ended: false,
      waiting: false,
    });
    const since = stats.participants[0]?.since ?? 0;
    expect(Math.abs(Date.now() - since)).toBeLessThan(120_000);
  });

  it('count messages, their bytes, puts and gets', () => {
    const queue = store.create();
    queue.putBytesSync(Buffer.alloc(100));
    queue.putBytesManySync([Buffer.alloc(50), Buffer.alloc(0)]);
    const reserved = queue.reserveSync(200);
    expect(queue.stats()).toMatchObject({ puts: 3, gets: 0 });
    queue.commitWrite(reserved.cursor, 30);
    expect(queue.stats()).toMatchObject({ messages: 4, puts: 4, gets: 0 });
    expect(queue.stats().bytes).toBeGreaterThanOrEqual(180);
    queue.getBytesSync();
    queue.tryGetBytesMany(2);
    const view = queue.recvViewSync();
    queue.commitRead(view.cursor);
    expect(queue.stats()).toMatchObject({ messages: 0, bytes: 0, puts: 4, gets: 4 });
  });

  it('are plain data that can be sent on', () => {
    const queue = store.create();
    queue.putBytesSync(Buffer.alloc(1));
    const view = queue.recvViewSync();
    const stats = queue.stats();
    expect(JSON.parse(JSON.stringify(stats))).toMatchObject({ messages: 1, puts: 1 });
    expect(structuredClone(stats)).toEqual(stats);
    queue.commitRead(view.cursor);
  });

  it('say who holds the oldest message, since when, and what it blocks', async () => {
    const queue = store.create({ messages: 8, bytes: 256, label: 'producer' });
    const viewer = store.open(queue, { label: 'slow viewer' });
    queue.putBytesManySync([Buffer.alloc(256, 1), Buffer.alloc(256, 2), Buffer.alloc(256, 3)]);
    const held = viewer.recvViewSync();
    await until(
      () => (Object.values(queue.stats().groups)[0]?.oldestClaim?.ageMs ?? 0) >= 2,
      'the claim to grow old',
    );
    queue.tryGetBytesMany(2);
    const stats = queue.stats();
    const claim = Object.values(stats.groups)[0]?.oldestClaim;
    expect(claim).toMatchObject({ pid: process.pid, label: 'slow viewer' });
    const participant = stats.participants.find((one) => one.slot === claim?.slot);
    expect(participant?.label).toBe('slow viewer');
    expect(Object.values(stats.groups)[0]).toMatchObject({ backlog: 0, claimed: 1 });
    // A ring cannot use again what lies behind the held message; a slot hinders nobody.
    if (store.kind === 'ring') expect(stats.blockedBytes).toBeGreaterThanOrEqual(512);
    else expect(stats.blockedBytes).toBeLessThanOrEqual(256 + 64);
    viewer.commitRead(held.cursor);
    const after = queue.stats();
    expect(after.blockedBytes).toBe(0);
    expect(Object.values(after.groups)[0]?.oldestClaim).toBeUndefined();
  });

  it('say how old the oldest reservation is', async () => {
    const queue = store.create();
    const first = queue.reserveSync(10);
    await until(() => (queue.stats().oldestReservationMs ?? 0) >= 2, 'the reservation to grow old');
    const second = queue.reserveSync(10);
    expect(queue.stats().oldestReservationMs).toBeGreaterThanOrEqual(2);
    queue.commitWrite(first.cursor);
    expect(queue.stats().oldestReservationMs).toBeGreaterThanOrEqual(0);
    queue.abortWrite(second.cursor);
    expect(queue.stats().oldestReservationMs).toBeUndefined();
  });

  it('list every handle, what it does and when it leaves', async () => {
    const queue = store.create({ label: 'first' });
    store.open(queue, { label: 'second', writer: true });
    const third = store.open(queue, { label: 'third' });
    const waiting = third.get();
    expect(await isPending(waiting)).toBe(true);
    await until(
      () => queue.stats().participants.some((one) => one.label === 'third' && one.waiting),
      'the third handle to be seen waiting',
    );
    const rows = Object.fromEntries(queue.stats().participants.map((one) => [one.label, one]));
    expect(Object.keys(rows).sort()).toEqual(['first', 'second', 'third']);
    expect(new Set(queue.stats().participants.map((one) => one.slot)).size).toBe(3);
    expect([rows['first']?.writer, rows['second']?.writer]).toEqual([false, true]);
    await queue.put(1);
    expect(await within(waiting)).toBe(1);
    expect(queue.stats().participants.find((one) => one.label === 'first')?.writer).toBe(true);
    queue.end();
    expect(queue.stats().participants.find((one) => one.label === 'first')?.ended).toBe(true);
    third.close();
    expect(
      queue
        .stats()
        .participants.map((one) => one.label)
        .sort(),
    ).toEqual(['first', 'second']);
  });

  it('count redelivered and dead messages', () => {
    const queue = store.create({ maxDeliveries: 3 });
    queue.putBytesManySync([Buffer.from('a'), Buffer.from('b')]);
    const [a, b] = queue.recvViewsSync(2);
    if (a === undefined || b === undefined) throw new Error('two views were expected');
    queue.rejectRead(a.cursor);
    queue.rejectRead(b.cursor);
    for (const view of queue.recvViewsSync(2)) queue.commitRead(view.cursor);
    expect(queue.stats()).toMatchObject({ redelivered: 2, dead: 0, messages: 0 });
    queue.putBytesSync(Buffer.from('c'));
    for (let i = 0; i < 3; i += 1) queue.rejectRead(queue.recvViewSync().cursor);
    expect(queue.stats().dead).toBe(1);
  });
});

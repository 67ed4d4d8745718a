import type { ReadView, ZooQueue } from 'zoosync';
import { expect, it } from 'vitest';
import {
  codeOf,
  describeEachStore,
  isPending,
  patience,
  startPeer,
  startPeers,
  until,
  within,
} from '../support/index.js';
import { holdViews, openIn, untilWaiting } from '../support/waiting.js';

function putNumbered(queue: ZooQueue, from: number, to: number): void {
  for (let i = from; i < to; i += 1) queue.putBytesSync(Buffer.from([i]));
}

/** What was in the views, in order; commits them. */
function contents(queue: ZooQueue, views: readonly ReadView[]): number[] {
  return views.map(({ view, cursor }) => {
    const number = view[0] ?? -1;
    queue.commitRead(cursor);
    return number;
  });
}

describeEachStore('a consumer that is killed', (store) => {
  it('gives its views to one that waits on the event loop', async () => {
    const queue = store.create();
    const holder = await startPeer();
    await openIn(holder, queue.name);
    putNumbered(queue, 0, 3);
    await holdViews(holder, 3);
    const waiting = queue.recvView();
    expect(await isPending(waiting)).toBe(true);
    holder.kill();
    const views = [await within(waiting, 'what the killed consumer held')];
    while (views.length < 3) views.push(...(await within(queue.recvViews(3))));
    expect(views.map((view) => view.deliveries)).toEqual([2, 2, 2]);
    expect(views.map((view) => view.seq).sort()).toEqual(
      [...new Set(views.map((view) => view.seq))].sort(),
    );
    expect(contents(queue, views).sort()).toEqual([0, 1, 2]);
    expect(queue.stats()).toMatchObject({ messages: 0, redelivered: 3 });
    expect(queue.stats().reaped).toBeGreaterThan(0);
  });

  it('gives its views to one that blocks', async () => {
    const queue = store.create();
    const [holder, blocked] = (await startPeers(2)) as [
      Awaited<ReturnType<typeof startPeer>>,
      Awaited<ReturnType<typeof startPeer>>,
    ];
    await openIn(holder, queue.name);
    await openIn(blocked, queue.name);
    putNumbered(queue, 7, 8);
    await holdViews(holder, 1);
    const reading = blocked.run(({ state }) => {
      const view = state['queue'].recvViewSync();
      const answer = [view.view[0], view.deliveries];
      state['queue'].commitRead(view.cursor);
      return answer as number[];
    });
    await untilWaiting(queue, blocked.pid);
    holder.kill();
    expect(await within(reading, 'the view of the killed consumer')).toEqual([7, 2]);
  });

  // What is held keeps a ring from wrapping around, so there is room for plenty.
  const plenty = { messages: 50_000, bytes: 16 };

  it('gives its views to one that is always busy, on the event loop', async () => {
    const queue = store.create(plenty);
    const holder = await startPeer();
    await openIn(holder, queue.name);
    putNumbered(queue, 255, 256);
    await holdViews(holder, 1);
    holder.kill();
    let again: ReadView | undefined;
    const deadline = Date.now() + patience;
    for (let i = 0; again === undefined && Date.now() < deadline; i += 1) {
      queue.tryPutBytes(Buffer.from([i % 200]));
      const view = await queue.recvView();
      if (view.deliveries > 1) again = view;
      else queue.commitRead(view.cursor);
    }
    expect(again?.view[0]).toBe(255);
    expect(again?.deliveries).toBe(2);
    if (again !== undefined) queue.commitRead(again.cursor);
  });

  it('gives its views to one that is always busy and never waits', async () => {
    const queue = store.create(plenty);
    const holder = await startPeer();
    await openIn(holder, queue.name);
    putNumbered(queue, 255, 256);
    await holdViews(holder, 1);
    holder.kill();
    await holder.ended;
    let again: ReadView | undefined;
    const deadline = Date.now() + patience;
    for (let i = 0; again === undefined && Date.now() < deadline; i += 1) {
      queue.tryPutBytes(Buffer.from([i % 200]));
      const view = queue.tryRecvView();
      if (view === undefined) continue;
      if (view.deliveries > 1) again = view;
      else queue.commitRead(view.cursor);
    }
    expect(again?.view[0]).toBe(255);
    expect(again?.deliveries).toBe(2);
    if (again !== undefined) queue.commitRead(again.cursor);
  });

  it('gives back what it had not committed, and nothing else', async () => {
    const queue = store.create();
    const holder = await startPeer();
    await openIn(holder, queue.name);
    putNumbered(queue, 0, 6);
    await holdViews(holder, 6);
    await holder.run(({ state }) => {
      for (const which of [4, 0, 3]) state['queue'].commitRead(state['views'][which].cursor);
    });
    holder.kill();
    const views: ReadView[] = [];
    while (views.length < 3) views.push(...(await within(queue.recvViews(6))));
    expect(contents(queue, views).sort()).toEqual([1, 2, 5]);
    await holder.ended;
    expect(queue.stats().messages).toBe(0);
  });

  it('while it waits takes nothing with it', async () => {
    const queue = store.create<number>();
    const waiters = await startPeers(2);
    for (const [which, waiter] of waiters.entries()) {
      await openIn(waiter, queue.name);
      void waiter
        .run(async ({ state }, blocking) => {
          if (blocking) state['queue'].getSync();
          else await state['queue'].get();
        }, which === 0)
        .catch(() => undefined);
      await untilWaiting(queue, waiter.pid);
    }
    for (const waiter of waiters) waiter.kill();
    await Promise.all(waiters.map((waiter) => waiter.ended));
    await queue.put(1);
    expect(await within(queue.get())).toBe(1);
    await until(
      () => queue.tryGet() === undefined && queue.stats().participants.length === 1,
      'the dead to be forgotten',
    );
  });

  it('does not hold writers up: its room comes back with its messages', async () => {
    const queue = store.create({ messages: 4, bytes: 1000 });
    const holder = await startPeer();
    await openIn(holder, queue.name);
    const message = Buffer.alloc(1000, 1);
    let full = 0;
    while (queue.tryPutBytes(message)) full += 1;
    await holdViews(holder, full);
    const writing = queue.putBytes(message);
    expect(await isPending(writing)).toBe(true);
    holder.kill();
    for (let i = 0; i < full; i += 1) {
      const view = await within(queue.recvView());
      expect(view.deliveries).toBe(2);
      queue.commitRead(view.cursor);
    }
    await within(writing, 'room after the death of the consumer');
    expect((await queue.getBytes()).equals(message)).toBe(true);
  });

  it('again and again sends a message to the dead letters', async () => {
    const queue = store.create({ maxDeliveries: 2 });
    putNumbered(queue, 9, 10);
    for (let death = 1; death <= 2; death += 1) {
      const holder = await startPeer();
      await openIn(holder, queue.name);
      await holdViews(holder, 1);
      holder.kill();
      await holder.ended;
    }
    const dead = await until(
      () => (queue.tryGet() === undefined ? queue.tryGetDead() : undefined),
      'a dead letter',
    );
    expect(dead.view[0]).toBe(9);
    queue.commitRead(dead.cursor);
    expect(queue.tryRecvView()).toBeUndefined();
    expect(queue.stats().dead).toBe(1);
  });

  it('is told from one that is only stopped', async () => {
    const queue = store.create();
    const holder = await startPeer();
    await openIn(holder, queue.name);
    putNumbered(queue, 1, 2);
    await holdViews(holder, 1);
    holder.kill('SIGSTOP');
    expect(await codeOf(queue.recvView({ timeout: 300 }))).toBe('ERR_ZOO_TIMEOUT');
    holder.kill('SIGCONT');
    await holder.run(({ state }) => {
      state['queue'].commitRead(state['views'][0].cursor);
    });
    expect(queue.stats()).toMatchObject({ messages: 0, redelivered: 0 });
  });

  it('is noticed although children of it live on', async () => {
    const queue = store.create();
    const holder = await startPeer();
    await openIn(holder, queue.name);
    putNumbered(queue, 3, 4);
    await holdViews(holder, 1);
    const child = await holder.run(() => {
      const { spawn } = process.getBuiltinModule('node:child_process');
      const sleeper = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
      sleeper.unref();
      return sleeper.pid ?? 0;
    });
    try {
      holder.kill();
      const view = await within(queue.recvView(), 'the view of the killed parent');
      expect([view.view[0], view.deliveries]).toEqual([3, 2]);
      queue.commitRead(view.cursor);
    } finally {
      process.kill(child, 'SIGKILL');
    }
  });
});

describeEachStore('a consumer that ends with code 0', (store) => {
  it('gives back the views it had not committed', async () => {
    const queue = store.create();
    const holder = await startPeer();
    await openIn(holder, queue.name);
    putNumbered(queue, 5, 6);
    await holdViews(holder, 1);
    const waiting = queue.recvView();
    expect((await holder.leave()).code).toBe(0);
    const view = await within(waiting, 'the view that was out');
    expect(view.view[0]).toBe(5);
    queue.commitRead(view.cursor);
    expect(queue.stats().participants).toHaveLength(1);
  });
});

import { ZooQueue } from 'zoosync';
import { expect, it } from 'vitest';
import {
  describeEachStore,
  isPending,
  startPeer,
  startPeers,
  track,
  uniqueName,
  until,
  within,
  type Peer,
} from '../support/index.js';
import { holdViews, openIn } from '../support/waiting.js';

const groups = { detect: {}, encode: {}, preview: { overflow: 'latest' } } as const;

function numbered(number: number): Buffer {
  const bytes = Buffer.alloc(256, number & 255);
  bytes.writeUInt32LE(number);
  return bytes;
}

/**
 * Lets a peer read with views until the end. It reports `[number, deliveries]` before it commits,
 * and dies by itself when it is the first to hold message `fatal`.
 */
function work(peer: Peer, name: string, group: string, results: string, fatal = -1): Promise<void> {
  const working = peer.run(
    async ({ zoosync }, from, to, member, deadly) => {
      const source = zoosync.ZooQueue.open(from, { group: member });
      const target = zoosync.ZooQueue.open<[number, number]>(to);
      for await (const { view, deliveries } of source.views()) {
        const number = view.readUInt32LE(0);
        if (number === deadly && deliveries === 1) process.kill(process.pid, 'SIGKILL');
        if (view.subarray(4).some((byte) => byte !== (number & 255))) throw new Error('damaged');
        await target.put([number, deliveries]);
      }
    },
    name,
    results,
    group,
    fatal,
  );
  working.catch(() => undefined);
  return working;
}

describeEachStore('groups in several processes', (store) => {
  it('do not feel the deaths in another group', async () => {
    const total = 400;
    const queue = store.create({ messages: 8, bytes: 256, groups, group: 'preview', writer: true });
    const detected = track(
      ZooQueue.create<[number, number]>(uniqueName('detected'), { size: '256KiB' }),
    );
    const encoded = track(
      ZooQueue.create<[number, number]>(uniqueName('encoded'), { size: '256KiB' }),
    );
    const [first, second, encoder] = (await startPeers(3)) as [Peer, Peer, Peer];
    const encoding = work(encoder, queue.name, 'encode', encoded.name);
    void work(first, queue.name, 'detect', detected.name, 100);
    void work(second, queue.name, 'detect', detected.name, 100);
    const producing = (async () => {
      for (let i = 0; i < total; i += 1) await queue.putBytes(numbered(i));
      queue.end();
    })();
    // One of the two has met its end; one more takes its place.
    await within(Promise.race([first.ended, second.ended]), 'the death of a detector');
    const third = await startPeer();
    const detecting = work(third, queue.name, 'detect', detected.name);
    await within(producing, 'the producer');
    await within(encoding, 'the encoder');
    await until(() => queue.stats().groups['detect']?.backlog === 0, 'the detectors to be done');
    await Promise.race([detecting, third.ended]);

    const frames: [number, number][] = [];
    while (encoded.length > 0) frames.push(...encoded.tryGetMany(100));
    expect(frames).toEqual(Array.from({ length: total }, (_, i) => [i, 1]));

    await until(() => queue.stats().groups['detect']?.claimed === 0, 'no claims to be left');
    const found = new Map<number, number[]>();
    while (detected.length > 0) {
      for (const [number, deliveries] of detected.tryGetMany(100)) {
        found.set(number, [...(found.get(number) ?? []), deliveries]);
      }
    }
    expect([...found.keys()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: total }, (_, i) => i),
    );
    for (const [number, deliveries] of found) {
      // Twice only when the second time says so.
      expect(new Set(deliveries).size, `message ${number}`).toBe(deliveries.length);
    }
    expect(queue.stats().groups['encode']).toMatchObject({ backlog: 0, claimed: 0, dropped: 0 });
  });

  it('offer what a killed member held to its own group only', async () => {
    const queue = store.create({ groups, group: 'detect' });
    const encoder = store.open(queue, { group: 'encode' });
    const victim = await startPeer();
    await openIn(victim, queue.name, { group: 'detect', label: 'victim' });
    await queue.putBytes(numbered(1));
    await holdViews(victim, 1);
    expect(queue.stats().groups['detect']).toMatchObject({
      claimed: 1,
      oldestClaim: { pid: victim.pid, label: 'victim' },
    });
    const encoded = await encoder.recvView();
    expect(encoded.deliveries).toBe(1);
    encoder.commitRead(encoded.cursor);
    const waitingDetect = queue.recvView();
    const waitingEncode = encoder.recvView();
    victim.kill();
    const view = await within(waitingDetect);
    expect([view.view.readUInt32LE(0), view.deliveries]).toEqual([1, 2]);
    queue.commitRead(view.cursor);
    expect(await isPending(waitingEncode)).toBe(true);
    await queue.putBytes(numbered(2));
    const next = await within(waitingEncode);
    expect([next.view.readUInt32LE(0), next.deliveries]).toEqual([2, 1]);
    encoder.commitRead(next.cursor);
    const mine = await queue.recvView();
    queue.commitRead(mine.cursor);
  });

  it('a blocking group holds the writer up until its member is dead, and its room is back', async () => {
    const queue = store.create({ messages: 4, bytes: 256, groups, group: 'detect' });
    const encoder = store.open(queue, { group: 'encode' });
    const victim = await startPeer();
    await openIn(victim, queue.name, { group: 'detect' });
    let full = 0;
    while (queue.tryPutBytes(numbered(full))) full += 1;
    await holdViews(victim, full);
    for (let i = 0; i < full; i += 1) await encoder.getBytes();
    const writing = queue.putBytes(numbered(full));
    expect(await isPending(writing)).toBe(true);
    victim.kill();
    for (let i = 0; i < full; i += 1) {
      const view = await within(queue.recvView());
      expect(view.deliveries).toBe(2);
      queue.commitRead(view.cursor);
    }
    await within(writing, 'room');
    expect((await encoder.getBytes()).readUInt32LE(0)).toBe(full);
    expect((await queue.getBytes()).readUInt32LE(0)).toBe(full);
  });

  it('a slow viewer of the latest holds nobody up, stopped or killed', async () => {
    const total = 200;
    const queue = store.create({ messages: 6, bytes: 256, groups, group: 'detect' });
    const encoder = store.open(queue, { group: 'encode' });
    const [slow, stopped, killed] = (await startPeers(3)) as [Peer, Peer, Peer];
    for (const viewer of [slow, stopped, killed]) {
      await openIn(viewer, queue.name, { group: 'preview' });
      await queue.putBytes(numbered(0));
      // What is held blocks one slot of the frames, but all of a ring behind it.
      if (store.kind === 'frames') await holdViews(viewer, 1);
    }
    stopped.kill('SIGSTOP');
    killed.kill();
    for (let i = 0; i < 3; i += 1) {
      await encoder.getBytes();
      await queue.getBytes();
    }
    for (let i = 1; i <= total; i += 1) {
      await within(queue.putBytes(numbered(i)), `room for message ${i}`);
      expect((await within(encoder.getBytes())).readUInt32LE(0)).toBe(i);
      expect((await within(queue.getBytes())).readUInt32LE(0)).toBe(i);
    }
    const { dropped } = queue.stats().groups['preview'] ?? {};
    expect(dropped).toBeGreaterThan(total / 2);
    // What the slow one held is still whole, and the next it gets is the newest.
    const seen = await slow.run(async ({ state }) => {
      const held = state['views']?.[0].view.readUInt32LE(0) ?? 0;
      if (state['views'] !== undefined) state['queue'].commitRead(state['views'][0].cursor);
      let newest = 0;
      for (let view; (view = state['queue'].tryRecvView()) !== undefined;) {
        newest = Math.max(newest, view.view.readUInt32LE(0));
        state['queue'].commitRead(view.cursor);
      }
      return [held, newest] as number[];
    });
    expect(seen).toEqual([0, total]);
    stopped.kill('SIGCONT');
  });
});

import { expect, it } from 'vitest';
import { describeEachStore, startPeer, startPeers, within } from '../support/index.js';
import { openIn, untilWaiting } from '../support/waiting.js';

const waitingReads = [
  'get',
  'getSync',
  'getMany',
  'getManySync',
  'getBytes',
  'getBytesSync',
  'getBytesMany',
  'getBytesManySync',
  'recvView',
  'recvViewSync',
  'recvViews',
  'recvViewsSync',
  'iterator',
  'views',
];

const waitingWrites = [
  'put',
  'putSync',
  'putMany',
  'putManySync',
  'putBytes',
  'putBytesSync',
  'putBytesMany',
  'putBytesManySync',
  'reserve',
  'reserveSync',
];

describeEachStore('messages between processes', (store) => {
  it('come through every way to put them', async () => {
    const queue = store.create<string>({ messages: 64, bytes: 256, codec: 'json' });
    const peer = await startPeer();
    await openIn(peer, queue.name, { codec: 'json' });
    await peer.run(async ({ state }) => {
      const { queue } = state;
      const bytes = (text: string): Buffer => Buffer.from(JSON.stringify(text));
      await queue.put('put');
      queue.putSync('putSync');
      queue.tryPut('tryPut');
      await queue.putMany(['putMany 1', 'putMany 2']);
      queue.putManySync(['putManySync 1', 'putManySync 2']);
      queue.tryPutMany(['tryPutMany 1', 'tryPutMany 2']);
      await queue.putBytes(bytes('putBytes'));
      queue.putBytesSync(bytes('putBytesSync'));
      queue.tryPutBytes(bytes('tryPutBytes'));
      await queue.putBytesMany([bytes('putBytesMany 1'), bytes('putBytesMany 2')]);
      queue.putBytesManySync([bytes('putBytesManySync 1'), bytes('putBytesManySync 2')]);
      queue.tryPutBytesMany([bytes('tryPutBytesMany 1'), bytes('tryPutBytesMany 2')]);
      for (const form of ['reserve', 'reserveSync', 'tryReserve']) {
        const place = await queue[form](100);
        const length = bytes(form).copy(place.view);
        queue.commitWrite(place.cursor, length);
      }
      queue.end();
    });
    const seen: string[] = [];
    for await (const text of queue) seen.push(text);
    expect(seen).toEqual([
      'put',
      'putSync',
      'tryPut',
      'putMany 1',
      'putMany 2',
      'putManySync 1',
      'putManySync 2',
      'tryPutMany 1',
      'tryPutMany 2',
      'putBytes',
      'putBytesSync',
      'tryPutBytes',
      'putBytesMany 1',
      'putBytesMany 2',
      'putBytesManySync 1',
      'putBytesManySync 2',
      'tryPutBytesMany 1',
      'tryPutBytesMany 2',
      'reserve',
      'reserveSync',
      'tryReserve',
    ]);
  });

  it('wake every way to wait for them', async () => {
    const queue = store.create<string>({ codec: 'json' });
    const peer = await startPeer();
    await openIn(peer, queue.name, { codec: 'json' });
    for (const form of waitingReads) {
      const reading = peer.run(async ({ state }, way) => {
        const { queue } = state;
        if (way === 'iterator') {
          for await (const value of queue) return value;
        }
        if (way === 'views') {
          for await (const view of queue.views()) {
            // Leaving the loop gives the view back, so the second round has to commit it.
            if (view.deliveries > 1) {
              const text = JSON.parse(view.view.toString());
              queue.commitRead(view.cursor);
              return text;
            }
            queue.rejectRead(view.cursor);
          }
        }
        const answer = await (way.includes('Many') || way.includes('Views')
          ? queue[way](10)
          : queue[way]());
        const one = Array.isArray(answer) ? answer[0] : answer;
        if (typeof one === 'string') return one;
        if (way.includes('Bytes')) return JSON.parse(one.toString());
        const text = JSON.parse(one.view.toString());
        queue.commitRead(one.cursor);
        return text;
      }, form);
      await untilWaiting(queue, peer.pid);
      await queue.put(form);
      expect(await within(reading, form)).toBe(form);
    }
    expect(queue.length).toBe(0);
  });

  it('wait for room in every way to put them', async () => {
    const queue = store.create<string>({ messages: 2, bytes: 1200, codec: 'json' });
    const peer = await startPeer();
    await openIn(peer, queue.name, { codec: 'json' });
    const filler = 'x'.repeat(1000);
    for (const form of waitingWrites) {
      let full = 0;
      while (queue.tryPut(filler)) full += 1;
      const writing = peer.run(
        async ({ state }, way, text) => {
          const { queue } = state;
          const bytes = Buffer.from(JSON.stringify(text));
          if (way.startsWith('reserve')) {
            const place = await queue[way](bytes.length);
            bytes.copy(place.view);
            queue.commitWrite(place.cursor);
            return;
          }
          const content = way.includes('Bytes') ? bytes : text;
          await queue[way](way.includes('Many') ? [content] : content);
        },
        form,
        `${form} ${filler}`,
      );
      await untilWaiting(queue, peer.pid);
      for (let i = 0; i < full; i += 1) expect(await queue.get()).toBe(filler);
      await within(writing, form);
      expect(await queue.get()).toBe(`${form} ${filler}`);
    }
    expect(queue.length).toBe(0);
  });

  it('carry every byte, whatever their length', async () => {
    const bytes = 100_000;
    const queue = store.create({ messages: 4, bytes });
    const answers = store.create({ messages: 4, bytes });
    const peer = await startPeer();
    const echoing = peer.run(
      async ({ zoosync }, from, to) => {
        const source = zoosync.ZooQueue.open(from);
        const target = zoosync.ZooQueue.open(to);
        for await (const { view } of source.views()) {
          const place = await target.reserve(view.length);
          place.view.set(view);
          target.commitWrite(place.cursor);
        }
      },
      queue.name,
      answers.name,
    );
    for (const length of [0, 1, 7, 63, 64, 65, 4095, 4096, 4097, 65_536, 99_999, bytes]) {
      const message = Buffer.alloc(length);
      for (let i = 0; i < length; i += 1) message[i] = (i * 31 + length) & 255;
      await queue.putBytes(message);
      const back = await within(answers.getBytes(), `${length} bytes to come back`);
      expect(back.equals(message), `${length} bytes`).toBe(true);
    }
    queue.end();
    await within(echoing);
  });

  it('have the size that the commit gave them, not the one that was reserved', async () => {
    const total = 3000;
    const queue = store.create({ messages: 8, bytes: 200 });
    const peer = await startPeer();
    await openIn(peer, queue.name);
    const writing = peer.run(({ state }, count) => {
      for (let i = 0; i < count; i += 1) {
        const place = state['queue'].reserveSync(200);
        place.view.writeUInt32LE(i);
        state['queue'].commitWrite(place.cursor, 4 + (i % 100));
      }
    }, total);
    for (let i = 0; i < total;) {
      for (const { view, cursor } of await within(queue.recvViews(8))) {
        expect([view.readUInt32LE(0), view.length]).toEqual([i, 4 + (i % 100)]);
        queue.commitRead(cursor);
        i += 1;
      }
    }
    await within(writing);
  });

  it('keep the order of each writer, and are shared among readers', async () => {
    const count = 1500;
    const queue = store.create<[writer: number, number: number]>({ messages: 32, bytes: 64 });
    const results = store.create<[writer: number, number: number][]>({
      messages: 4,
      bytes: 65_536,
    });
    const readers = await startPeers(2);
    const writers = await startPeers(2);
    const reading = readers.map((reader, blocking) =>
      reader.run(
        async ({ zoosync }, from, to, sync) => {
          const source = zoosync.ZooQueue.open<[number, number]>(from);
          const mine: [number, number][] = [];
          try {
            for (;;) mine.push(sync ? source.getSync() : await source.get());
          } catch (error) {
            if ((error as { code?: string }).code !== 'ERR_ZOO_ENDED') throw error;
          }
          await zoosync.ZooQueue.open(to).put(mine);
        },
        queue.name,
        results.name,
        blocking === 1,
      ),
    );
    await Promise.all(writers.map((writer) => openIn(writer, queue.name, { writer: true })));
    await Promise.all(
      writers.map((writer, which) =>
        writer.run(
          async ({ state }, id, total) => {
            for (let i = 0; i < total; i += 1) {
              if (id === 0) state['queue'].putSync([id, i]);
              else await state['queue'].put([id, i]);
            }
            state['queue'].close();
          },
          which,
          count,
        ),
      ),
    );
    await within(Promise.all(reading), 'the readers');
    const seen = [await results.get(), await results.get()];
    const all = new Set<string>();
    for (const list of seen) {
      const last = [-1, -1];
      for (const [writer, number] of list) {
        expect(number).toBeGreaterThan(last[writer] ?? Infinity);
        last[writer] = number;
        all.add(`${writer} ${number}`);
      }
    }
    expect(seen.flat()).toHaveLength(2 * count);
    expect(all.size).toBe(2 * count);
  });
});

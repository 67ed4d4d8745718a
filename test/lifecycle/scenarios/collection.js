/** Handles that nobody closes, of each kind, and the collector of garbage. */
import { check, load, mappedSegments, until } from '../context.js';
import { scenariosOf } from '../scenario.js';

/**
 * A scenario: many handles are made and dropped, and their mappings go.
 * @param {string} kind
 * @param {(zoo: import('../context.js').ZooSync, name: string) => unknown} make
 * @returns {import('../scenario.js').Scenario}
 */
const dropping = (kind, make) => ({
  name: `${kind} that nobody closes`,
  async run(t) {
    const zoo = await load();
    const before = mappedSegments().length;
    for (let i = 0; i < 20; i += 1) await make(zoo, t.name(`own${i}`));
    check(mappedSegments().length > before, 'nothing was mapped');
    await until(
      async () => {
        globalThis.gc?.();
        await new Promise((resolve) => setImmediate(resolve));
        return mappedSegments().length <= before;
      },
      () => `the mappings to go: ${mappedSegments().join(', ')}`,
    );
    await t.removeNames('own');
  },
});

export const scenarios = scenariosOf([
  dropping('rings', ({ ZooQueue }, name) => ZooQueue.create(name, { size: '64KiB' })),
  dropping('frames', ({ ZooQueue }, name) => ZooQueue.create(name, { slots: 2, slotSize: 100 })),
  dropping('rings with views out', ({ ZooQueue }, name) => {
    const queue = ZooQueue.create(name, { size: '64KiB' });
    queue.putSync(1);
    queue.recvViewSync();
    queue.reserveSync(10);
  }),
  dropping('locks', ({ ZooLock }, name) => new ZooLock(name)),
  dropping('memories', ({ ZooMemory }, name) => ZooMemory.create(name, 4096)),
  dropping('pipes', async ({ ZooPipe }, name) => {
    const writer = ZooPipe.create(name);
    await ZooPipe.open(name);
    await writer.write(Buffer.alloc(10));
  }),
  dropping('channels', async ({ Channel }, name) => {
    await Channel.create(name, { bytes: '64KiB' }).send(1);
  }),
  dropping('iterations left half way', async ({ ZooQueue, Stream }, name) => {
    const queue = ZooQueue.create(name, { size: '64KiB' });
    await queue.putMany([1, 2, 3]);
    await queue[Symbol.asyncIterator]().next();
    await queue.views()[Symbol.asyncIterator]().next();
    await Stream.from(queue).map(String)[Symbol.asyncIterator]().next();
  }),
  {
    name: 'a view keeps its memory when the handle is gone',
    async run(t) {
      const { ZooQueue, ZooMemory } = await load();
      /** @returns {[Uint8Array, Uint8Array]} */
      const make = () => {
        const memory = ZooMemory.create(t.name('memory'), 4096);
        const bytes = new Uint8Array(memory.buffer).fill(5);
        const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
        queue.putBytesSync(Buffer.alloc(100, 6));
        return [bytes, queue.recvViewSync().view];
      };
      let views = make();
      for (let i = 0; i < 20; i += 1) {
        globalThis.gc?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
      const [bytes, view] = views;
      check(
        bytes.every((byte) => byte === 5),
        'the memory changed',
      );
      check(
        view.every((byte) => byte === 6),
        'the view changed',
      );
      views = [new Uint8Array(), new Uint8Array()];
      ZooMemory.unlink(t.name('memory'));
      ZooQueue.unlink(t.name('queue'));
    },
  },
  {
    name: 'a pending wait keeps its handle',
    async run(t) {
      const { ZooQueue } = await load();
      ZooQueue.create(t.name('queue'), { size: '64KiB', writer: true, persist: true }).close();
      ZooQueue.unlink(t.name('queue'));
      const sender = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      const waiting = ZooQueue.open(t.name('queue')).get();
      for (let i = 0; i < 20; i += 1) {
        globalThis.gc?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await sender.put('kept');
      check((await waiting) === 'kept', 'the wait was lost');
      sender[Symbol.dispose]();
    },
  },
  {
    name: 'finalizers run although the program awaits in a loop',
    async run(t) {
      const { ZooMemory } = await load();
      ZooMemory.create(t.name('memory'), 4096);
      const before = mappedSegments().length;
      for (let i = 0; i < 3000; i += 1) {
        const memory = ZooMemory.open(t.name('memory'));
        memory.close();
        if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
        else await Promise.resolve();
      }
      check(mappedSegments().length < before + 1600, 'closed memory stays mapped');
      ZooMemory.unlink(t.name('memory'));
    },
  },
]);

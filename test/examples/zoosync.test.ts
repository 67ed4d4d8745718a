/** The patterns of the ZooSync user guide: the tank lock, the video pipeline, the fire hose. */
import { expect, it } from 'vitest';
import { Channel, Stream, ZooLock, ZooMemory, ZooQueue } from 'zoosync';
import { afterThisTest, startPeer, track, uniqueName } from '../support/index.js';

it('the tank lock: whoever comes after a crash repairs the data, and still does its own work', async () => {
  const name = uniqueName('lock');
  const data = uniqueName('journal');
  const memory = track(ZooMemory.create(data, 64));
  const journal = 0;
  const database = 1;
  const words = new Int32Array(memory.buffer);
  const lock = new ZooLock(name);
  afterThisTest(() => {
    lock.close();
    ZooLock.unlink(name);
  });

  const writer = await startPeer();
  await writer.run(
    async ({ zoosync, state }, name, data) => {
      state['lock'] = new zoosync.ZooLock(name);
      await state['lock'].acquire();
      state['memory'] = zoosync.ZooMemory.open(data);
      new Int32Array(state['memory'].buffer)[0] = 41; // in the journal, not yet in the database
    },
    name,
    data,
  );
  writer.kill();
  await writer.ended;

  let recovered = 0;
  await lock.withLock(
    () => {
      words[database] = (words[database] ?? 0) + 1;
    },
    {
      recover: ({ deadPid }) => {
        recovered = deadPid;
        words[database] = words[journal] ?? 0;
        words[journal] = 0;
      },
    },
  );
  expect(recovered).toBe(writer.pid);
  expect([words[journal], words[database]]).toEqual([0, 42]);
  // Recovered once: the next owner gets the lock as if nothing had happened.
  const guard = lock.tryAcquire();
  expect(guard).toBeDefined();
  guard?.release();
});

it('the video pipeline: a frame that cannot be processed does not stop the others', async () => {
  const frames = track(
    ZooQueue.create<Uint8Array>(uniqueName('frames'), {
      slots: 4,
      slotSize: 1024,
      maxDeliveries: 2,
    }),
  );
  for (let frame = 0; frame < 4; frame += 1) await frames.putBytes(Buffer.alloc(1024, frame));
  frames.end();

  const processed: number[] = [];
  let failures = 0;
  for (let isOver = false; !isOver;) {
    try {
      for await (const { view } of frames.views()) {
        const [frame = -1] = view;
        if (frame === 1) throw new Error('cannot decode');
        processed.push(frame);
      }
      isOver = true;
    } catch {
      failures += 1;
    }
  }

  expect(processed).toEqual([0, 2, 3]);
  expect(failures).toBe(2);
  const dead = frames.tryGetDead();
  expect(dead?.view[0]).toBe(1);
  if (dead) frames.commitRead(dead.cursor);
});

it('the fire hose: batches of exactly 1000, and the last 345 are sent, too', async () => {
  const channel = Channel.create<number>(uniqueName('hose'), { bytes: 2 ** 20, prefetch: 64 });
  afterThisTest(() => channel[Symbol.asyncDispose]());
  const [sent, sizes] = await Promise.all([
    Stream.range(0, 12_345).to(channel),
    channel
      .batch(1_000)
      .map(({ length }) => length)
      .toArray(),
  ]);
  expect(sent).toBe(12_345);
  expect(sizes).toEqual([...Array.from({ length: 12 }, () => 1_000), 345]);
});

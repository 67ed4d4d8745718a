/** Channels, pipes, broadcasts and streams within one process. */
import { Broadcast, Channel, Stream, ZooPipe, assemble, hash, segments } from '../../dist/index.js';
import { bytesFor } from '../torture/support/random.js';
import { demand, disposing, freshName, refusedWith } from './scope.js';

/** @type {import('./scope.js').Traffic} */
export async function channels(scope) {
  const { random } = scope;
  const name = freshName(scope, 'channel');
  const channel = Channel.create(name, { bytes: '128KiB', capacity: random.between(1, 50) });
  const reader = await Channel.open(name, { prefetch: random.between(1, 20) });
  const count = 200;
  await disposing([channel, reader], async () => {
    const sent = Stream.range(0, count).to(channel);
    const sum = await reader.map((number) => number).reduce((total, number) => total + number, 0);
    await sent;
    demand(sum === (count * (count - 1)) / 2, 'the sum of a channel');
    await refusedWith('ERR_ZOO_ENDED', () => reader.receive());
  });
  scope.count('items', count);
}

/** A channel that is left half read, and one that fails. @type {import('./scope.js').Traffic} */
export async function interrupted(scope) {
  const name = freshName(scope, 'interrupted');
  const channel = Channel.create(name, { bytes: '64KiB' });
  const reader = await Channel.open(name);
  await disposing([channel, reader], async () => {
    await channel.sendMany([1, 2, 3, 4]);
    for await (const number of reader) {
      if (number === 2) break;
    }
    const controller = new AbortController();
    const { signal } = controller;
    await refusedWith('ABORT_ERR', () =>
      reader.map((number) => number * 2).subscribe(() => controller.abort(), { signal }),
    );
    await channel.close(new RangeError('enough'));
  });
  scope.count('items', 4);
}

/** @type {import('./scope.js').Traffic} */
export async function pipes(scope) {
  const { random } = scope;
  const name = freshName(scope, 'pipe');
  const pipe = ZooPipe.create(name, { memoryLimit: '256KiB' });
  const reader = await ZooPipe.open(name);
  const content = bytesFor(7, random.logarithmic(1000, 1_000_000));
  await disposing([pipe, reader], async () => {
    const written = (async () => {
      for (let at = 0; at < content.length; at += 30_000)
        await pipe.write(content.subarray(at, at + 30_000));
      await pipe.end();
    })();
    const chunks = [];
    for await (const chunk of reader) chunks.push(Buffer.from(chunk));
    await written;
    demand(Buffer.concat(chunks).equals(content), 'the bytes of a pipe');
  });
  scope.count('pipe bytes', content.length);
}

/** @type {import('./scope.js').Traffic} */
export async function local(scope) {
  const items = Array.from({ length: 50 }, (_, id) => ({
    id: String(id),
    bytes: bytesFor(id, 5000),
  }));
  const broadcast = new Broadcast(Stream.from(items).through(segments(1000)).through(assemble()));
  const all = broadcast.stream({ buffer: 5 });
  let delivered = 0;
  broadcast.subscribe(() => {
    delivered += 1;
  });
  const done = broadcast.run();
  const filter = hash('sha256');
  for await (const part of all.map(({ bytes }) => bytes).through(filter))
    demand(part.length > 0, 'a part');
  await done;
  demand(delivered === 50 && filter.bytes === 250_000, 'a broadcast');
  scope.count('items', 100);
}

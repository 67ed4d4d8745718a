/** Queues of both stores within one process: every way to put, to take, to wait and to leave. */
import { ZooQueue } from '../../dist/index.js';
import { bytesFor, isFor } from '../torture/support/random.js';
import { demand, disposing, freshName, refusedWith } from './scope.js';

/** @typedef {import('./scope.js').Scope} Scope */

/** @param {Scope} scope */
function anyStore({ random }) {
  return random.happens(0.5)
    ? { size: random.one(['64KiB', '1MiB', '4MiB']), prefault: random.happens(0.3) }
    : { slots: random.between(4, 33), slotSize: random.logarithmic(20_000, 200_000) };
}

/** Values and bytes, alone and in batches, between two handles. @type {import('./scope.js').Traffic} */
export async function values(scope) {
  const { random } = scope;
  const name = freshName(scope, 'values');
  const codec = random.one(/** @type {const} */ (['msgpack', 'json', 'v8']));
  /** @type {ZooQueue<any>} */
  const queue = ZooQueue.create(name, { ...anyStore(scope), codec });
  /** @type {ZooQueue<any>} */
  const other = ZooQueue.open(name, { codec });
  await disposing([queue, other], async () => {
    for (let round = 0; round < 30; round += 1) {
      const value = { round, text: 'x'.repeat(random.logarithmic(1, 2000)), list: [1, 2.5, null] };
      await queue.put(value);
      demand((await other.get()).text === value.text, 'a value');
      queue.putManySync([round, 'two', [3]]);
      demand((await other.getMany(3)).length === 3, 'values of a batch');
      const bytes = bytesFor(round, random.logarithmic(1, 15_000));
      other.putBytesSync(bytes);
      demand(isFor(queue.getBytesSync(), round, bytes.length), 'bytes');
      await queue.putBytesMany([bytes, bytes.subarray(0, 1)]);
      demand((await other.getBytesMany(2)).length === 2, 'bytes of a batch');
      await queue.putPacked({ bytes, sizes: Uint32Array.of(bytes.length - 1, 1) });
      // What does not fit into the rest of a block comes with the next call.
      const packed = [...(await other.getPacked(2)).sizes];
      if (packed.length === 1) packed.push(...(await other.getPacked(1)).sizes);
      demand(packed[0] === bytes.length - 1 && packed[1] === 1, 'packed messages');
    }
    await refusedWith('ERR_ZOO_TOO_LARGE', () => queue.putBytes(Buffer.alloc(8 << 20)));
    queue.end();
    other.end();
    await refusedWith('ERR_ZOO_ENDED', () => other.get());
  });
  scope.count('messages', 30 * 9);
}

/** In place: reservations, views, dead letters. @type {import('./scope.js').Traffic} */
export async function views(scope) {
  const { random } = scope;
  const name = freshName(scope, 'views');
  const queue = ZooQueue.create(name, { ...anyStore(scope), codec: 'bytes', maxDeliveries: 2 });
  const other = ZooQueue.open(name, { codec: 'bytes' });
  await disposing([queue, other], async () => {
    for (let round = 0; round < 20; round += 1) {
      const size = random.logarithmic(1, 15_000);
      const place = await queue.reserve(size + 10);
      place.view.set(bytesFor(round, size));
      if (random.happens(0.1)) {
        queue.abortWrite(place.cursor);
        continue;
      }
      queue.commitWrite(place.cursor, size);
      await readOne(other, scope, round, size);
    }
    demand(queue.stats().messages === 0, 'nothing left');
    // What is out when a handle closes goes back.
    queue.putBytesManySync([bytesFor(1, 100), bytesFor(2, 100)]);
    const third = ZooQueue.open(name);
    await third.recvViews(2);
    queue.reserveSync(50);
    third.close();
    demand((await other.getBytesMany(2)).length === 2, 'given back by close');
  });
  scope.count('messages', 22);
}

/** @param {ZooQueue} queue @param {Scope} scope @param {number} number @param {number} size */
async function readOne(queue, { random }, number, size) {
  const way = random.between(0, 4);
  if (way === 0) {
    // Given back until it is a dead letter.
    for (let time = 0; time < 2; time += 1) queue.rejectRead(queue.recvViewSync().cursor);
    const dead = queue.tryGetDead();
    demand(dead !== undefined && isFor(dead.view, number, size), 'a dead letter');
    if (dead !== undefined) queue.commitRead(dead.cursor);
    return;
  }
  if (way === 1) {
    for await (const { view } of queue.views()) {
      demand(isFor(view, number, size), 'a view in a loop');
      break; // gives it back
    }
  }
  const read = await queue.recvView();
  demand(read.deliveries === (way === 1 ? 2 : 1) && isFor(read.view, number, size), 'a view');
  queue.commitRead(read.cursor);
}

/** Groups that wait and groups that drop. @type {import('./scope.js').Traffic} */
export async function groups(scope) {
  const name = freshName(scope, 'groups');
  /** @type {ZooQueue<any>} */
  const queue = ZooQueue.create(name, {
    size: '64KiB',
    groups: { all: {}, old: { overflow: 'dropOldest' }, new: { overflow: 'latest' } },
    group: 'all',
  });
  const old = ZooQueue.open(name, { group: 'old' });
  /** @type {ZooQueue<any>} */
  const newest = ZooQueue.open(name, { group: 'new' });
  await disposing([queue, old, newest], async () => {
    for (let number = 0; number < 400; number += 1) {
      queue.putSync({ number, filler: 'x'.repeat(300) });
      demand((await queue.get()).number === number, 'the order of a group that waits');
    }
    demand((await newest.get()).number === 399, 'the newest');
    let count = 0;
    while (old.tryGet() !== undefined) count += 1;
    demand(count > 10 && count < 400, 'what a dropping group keeps');
  });
  scope.count('messages', 400);
}

/** Waits that end by a timeout, a signal, `close()` and a name made anew. @type {import('./scope.js').Traffic} */
export async function waits(scope) {
  const name = freshName(scope, 'waits');
  const queue = ZooQueue.create(name, anyStore(scope));
  await refusedWith('ERR_ZOO_TIMEOUT', () => queue.get({ timeout: 3 }));
  await refusedWith('ERR_ZOO_TIMEOUT', () => queue.getSync({ timeout: 3 }));
  for (let round = 0; round < 5; round += 1) {
    const controller = new AbortController();
    const waiting = refusedWith('ABORT_ERR', () => queue.recvView({ signal: controller.signal }));
    setImmediate(() => controller.abort());
    await waiting;
  }
  const old = ZooQueue.open(name);
  const told = refusedWith('ERR_ZOO_GONE', () => old.get());
  queue.unlink();
  const fresh = ZooQueue.create(name, anyStore(scope));
  await told;
  const closing = refusedWith('ERR_ZOO_CLOSED', () => fresh.get());
  fresh.close();
  await closing;
  old.close();
  queue.close();
  ZooQueue.unlink(name);
  await refusedWith('ERR_ZOO_NOT_FOUND', () => ZooQueue.open(name));
  await refusedWith('ERR_ZOO_TIMEOUT', () => ZooQueue.waitFor(name, { timeout: 5 }));
  scope.count('waits that ended early', 11);
}

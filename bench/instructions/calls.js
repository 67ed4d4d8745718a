/**
 * Hot calls from JavaScript, each a fixed number of times, for others to count what they cost.
 *
 *   node calls.js crossings      calls into the addon, which it counts itself
 *   node calls.js instructions   a section lies between two calls of the addon's `room`
 *   node calls.js system-calls   a section lies between two looks for a file: /section/NAME, /between
 *
 * Prints the sections in their order, as JSON.
 */
import { existsSync } from 'node:fs';
import { ZooLock, ZooQueue } from '../../dist/index.js';
import { native } from '../../dist/native.js';

/**
 * @typedef {object} Operation
 * @property {string} name
 * @property {number} messages of one operation
 * @property {boolean} [allocates] memory for large buffers, for which Node calls the system
 * @property {() => unknown} once
 *
 * @typedef {object} Section
 * @property {string} name
 * @property {number} times how often the operation was done
 * @property {number} messages of one operation
 * @property {number} crossings calls into the addon
 */

const purpose = process.argv[2];
const prefix = `zoosync-instructions-${process.pid}`;
const addon = native();
let crossings = 0;

/** @template {object} Handle @param {Handle} handle @returns {Handle} itself, counting its calls */
function counting(handle) {
  const properties = /** @type {Record<string, unknown>} */ (handle);
  for (const [name, call] of Object.entries(properties)) {
    if (typeof call !== 'function') continue;
    properties[name] = (/** @type {unknown[]} */ ...values) => {
      crossings += 1;
      return call(...values);
    };
  }
  return handle;
}

if (purpose === 'crossings') {
  const { openQueue, openLock } = addon;
  addon.openQueue = (name, options) => counting(openQueue(name, options));
  addon.openLock = (name, options) => counting(openLock(name, options));
}

/**
 * A queue that this process both writes and reads.
 * @param {string} name @param {import('../../dist/index.js').QueueOptions} options
 */
function openPair(name, options) {
  const writer = ZooQueue.create(`${prefix}-${name}`, options);
  return { writer, reader: ZooQueue.open(`${prefix}-${name}`) };
}

const ring = openPair('ring', { size: '1MiB' });
const frames = openPair('frames', { slots: 8, slotSize: 65536 });
const empty = openPair('empty', { size: '64KiB' });
const full = openPair('full', { size: '64KiB' });
const lock = new ZooLock(`${prefix}-lock`);

const message = Buffer.alloc(64, 1);
const large = Buffer.alloc(65536, 1);
const value = { id: 1, kind: 'resize', file: 'a.jpg', sizes: [100, 200] };
const batch = Array.from({ length: 256 }, () => message);
const packed = { bytes: Buffer.concat(batch), sizes: new Uint32Array(256).fill(message.length) };
while (full.writer.tryPutBytes(message)) continue;

/** @type {Operation[]} */
const operations = [
  {
    name: 'putBytesSync + getBytesSync, 64 B',
    messages: 1,
    once() {
      ring.writer.putBytesSync(message);
      ring.reader.getBytesSync();
    },
  },
  {
    name: 'putBytesSync + getBytesSync, 64 KiB',
    messages: 1,
    allocates: true,
    once() {
      ring.writer.putBytesSync(large);
      ring.reader.getBytesSync();
    },
  },
  {
    name: 'putSync + getSync, an object',
    messages: 1,
    once() {
      ring.writer.putSync(value);
      ring.reader.getSync();
    },
  },
  {
    name: 'await put + await get, an object',
    messages: 1,
    async once() {
      await ring.writer.put(value);
      await ring.reader.get();
    },
  },
  {
    name: 'reserveSync to commitRead, 64 KiB in a slot',
    messages: 1,
    once() {
      frames.writer.commitWrite(frames.writer.reserveSync(large.length).cursor);
      frames.reader.commitRead(frames.reader.recvViewSync().cursor);
    },
  },
  {
    name: 'putBytesManySync + getBytesManySync, 256',
    messages: batch.length,
    once() {
      ring.writer.putBytesManySync(batch);
      // What is copied at once fits into a slab, which may be fewer.
      for (let left = batch.length; left > 0;) left -= ring.reader.getBytesManySync(left).length;
    },
  },
  {
    name: 'putBytesManySync to commitReadMany, 256',
    messages: batch.length,
    once() {
      ring.writer.putBytesManySync(batch);
      ring.reader.commitReadMany(ring.reader.recvViewsSync(batch.length));
    },
  },
  {
    name: 'putPackedSync + getPackedSync, 256',
    messages: batch.length,
    once() {
      ring.writer.putPackedSync(packed);
      for (let left = batch.length; left > 0;) left -= ring.reader.getPackedSync(left).sizes.length;
    },
  },
  { name: 'tryGetBytes, empty', messages: 1, once: () => empty.reader.tryGetBytes() },
  { name: 'tryPutBytes, full', messages: 1, once: () => full.writer.tryPutBytes(message) },
  {
    name: 'acquireSync + release of a lock',
    messages: 1,
    once() {
      lock.acquireSync();
      lock.release();
    },
  },
];

/** @param {Operation} operation @returns {number} how often it is done */
function timesOf({ messages }) {
  if (purpose === 'system-calls') return Math.ceil(100_000 / messages);
  return messages === 1 ? 200 : 4;
}

// On the addon itself: it is called for nothing else here.
const mark = addon.openQueue(`${prefix}-mark`, { openMode: 'create', bytes: 4096 });

/** @param {string} path that nobody has */
function border(path) {
  if (purpose === 'instructions') mark.room();
  if (purpose === 'system-calls') existsSync(path);
}

/** @type {Section[]} */
const sections = [];
for (const operation of operations) {
  const { name, messages, allocates, once } = operation;
  if (allocates && purpose === 'system-calls') continue;
  const times = timesOf(operation);
  // What happens only once (buffers that grow, slabs) is not counted.
  for (let index = 0; index < 10; index += 1) await once();
  crossings = 0;
  border(`/section/${name}`);
  for (let index = 0; index < times; index += 1) await once();
  border('/between');
  sections.push({ name, times, messages, crossings });
}

mark.close();
mark.unlink();
for (const { writer, reader } of [ring, frames, empty, full]) {
  reader.close();
  writer.close();
  ZooQueue.unlink(writer.name);
}
lock.close();
ZooLock.unlink(lock.name);
process.stdout.write(`${JSON.stringify(sections)}\n`);

/**
 * Messages of all sizes through rings between two processes: copied in and out, copied in and
 * viewed, or filled and viewed in place. The ring has its default size, or room for two messages.
 */
import { ZooError, ZooQueue } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { curve, runFor } from '../support/over-time.js';
import { createQueues, openQueues, removeQueues } from '../support/queue-pair.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** @typedef {'copied out' | 'viewed' | 'in place'} Way */
/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { sizes: number[], way: Way }} Options */

/** @param {number} size of a message @returns {number} */
const ringBytes = (size) => Math.max(10 * 2 ** 20, 2 * (size + 4096));

/** @param {string} prefix @param {number} bytes of the ring */
const ringName = (prefix, bytes) => `${prefix}-${bytes}`;

/** @param {string} prefix @param {number} bytes @returns {ZooQueue | undefined} nothing: no room for it here */
function createRing(prefix, bytes) {
  try {
    const name = ringName(prefix, bytes);
    return ZooQueue.create(name, { size: bytes, prefault: true, writer: true });
  } catch (error) {
    if (error instanceof ZooError && error.code === 'ERR_ZOO_NO_SPACE') return undefined;
    throw error;
  }
}

/** @param {ZooQueue} ring @param {Way} way @param {Buffer} message @param {number} amount */
function produce(ring, way, message, amount) {
  ring.putBytesSync(announce(amount));
  for (let index = 0; index < amount; index += 1) {
    if (way === 'in place') {
      const { view, cursor } = ring.reserveSync(message.length);
      view.fill(index & 0xff);
      ring.commitWrite(cursor);
    } else {
      message[0] = index;
      ring.putBytesSync(message);
    }
  }
}

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const { prefix, way } = options;
  // The queue of messages says which ring is next.
  const queues = createQueues(prefix);
  /** @type {Map<number, ZooQueue>} */
  const rings = new Map();
  for (const bytes of new Set(options.sizes.map(ringBytes))) {
    const ring = createRing(prefix, bytes);
    if (ring) rings.set(bytes, ring);
  }
  const sizes = options.sizes.filter((size) => rings.has(ringBytes(size)));
  const child = startProcess(import.meta.url, { ...options, sizes });
  place(options.processors, 0, 2);
  const known = new Map();
  return {
    run: () =>
      curve(sizes, async (size) => {
        const ring = /** @type {ZooQueue} */ (rings.get(ringBytes(size)));
        const message = Buffer.alloc(size, 1);
        const { operations, seconds } = await runFor(known, size, (amount) => {
          queues.messages.putBytesSync(announce(size));
          const elapsed = stopwatch();
          produce(ring, way, message, amount);
          checkAnswer(queues.answers.getBytesSync(), amount);
          return { operations: amount, seconds: elapsed() };
        });
        return (operations * size) / seconds;
      }),
    async close() {
      queues.messages.end();
      await ended(child);
      for (const ring of rings.values()) {
        ring.close();
        ring.unlink();
      }
      removeQueues(queues);
    },
  };
}

/** @param {Options} options */
export function partner({ prefix, processors, sizes, way }) {
  const { messages, answers } = openQueues(prefix);
  const rings = new Map(
    [...new Set(sizes.map(ringBytes))].map((bytes) => [
      bytes,
      ZooQueue.open(ringName(prefix, bytes)),
    ]),
  );
  place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();
  while (true) {
    const size = messages.getBytesSync().readDoubleLE(0);
    const ring = /** @type {ZooQueue} */ (rings.get(ringBytes(size)));
    for (let isLast = false; !isLast;) {
      if (way === 'copied out') {
        isLast = tally.take(ring.getBytesSync());
      } else {
        const { view, cursor } = ring.recvViewSync();
        isLast = tally.touch(view);
        ring.commitRead(cursor);
      }
    }
    answers.putBytesSync(tally.answer);
  }
}

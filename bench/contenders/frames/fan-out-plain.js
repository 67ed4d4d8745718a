/**
 * What the processors allow: the same copy and the same reading by threads of one process, on memory
 * without a queue. Two counters for each slot are all there is; nobody may die.
 */
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { place } from '../../harness/processors.js';
import { startThread } from '../../harness/start-partner.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/**
 * @typedef {import('../../harness/types.d.ts').ContenderOptions & { slots: number }} Options
 * @typedef {{ memory: SharedArrayBuffer, viewer: number }} ViewerOptions
 */

const viewers = 3;
/** Counters lie far apart, so that nobody takes a cache line from another without need. */
const stride = 32;

/** Frames that were published, and for each slot how many viewers are done with it. */
class Slots {
  /** @param {SharedArrayBuffer} memory @param {number} bytes @param {number} slots */
  constructor(memory, bytes, slots) {
    this.bytes = bytes;
    this.slots = slots;
    this.counters = new Int32Array(memory, 0, (1 + slots) * stride);
    this.frames = Array.from({ length: slots }, (_, slot) =>
      Buffer.from(memory, Slots.headerBytes(slots) + slot * bytes, bytes),
    );
  }

  /** @param {number} slots */
  static headerBytes(slots) {
    return Math.ceil(((1 + slots) * stride * 4) / 4096) * 4096;
  }

  /** @param {number} frame */
  view(frame) {
    return /** @type {Buffer} */ (this.frames[frame % this.slots]);
  }

  /** How often the slot of a frame was read to its end, all viewers together. @param {number} frame */
  doneIndex(frame) {
    return (1 + (frame % this.slots)) * stride;
  }

  /** Waits until `counters[index]` is at least `least`. @param {number} index @param {number} least */
  waitFor(index, least) {
    while (true) {
      const now = Atomics.load(this.counters, index);
      if (now >= least) return;
      Atomics.wait(this.counters, index, now);
    }
  }
}

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  const { bytes, slots, processors } = options;
  const memory = new SharedArrayBuffer(Slots.headerBytes(slots) + slots * bytes);
  const store = new Slots(memory, bytes, slots);
  const threads = Array.from({ length: viewers }, (_, viewer) =>
    startThread(import.meta.url, { ...options, memory, viewer }),
  );
  await Promise.all(threads.map((thread) => once(thread, 'message')));
  place(processors, 0, 1 + viewers);
  const source = Buffer.alloc(bytes, 1);
  let published = 0;
  const put = (/** @type {Buffer} */ message) => {
    store.waitFor(store.doneIndex(published), viewers * Math.floor(published / slots));
    message.copy(store.view(published));
    published += 1;
    Atomics.store(store.counters, 0, published);
    Atomics.notify(store.counters, 0);
  };
  return {
    async run(amount) {
      const answered = Promise.all(threads.map((thread) => once(thread, 'message')));
      const elapsed = stopwatch();
      put(announce(amount));
      for (let index = 0; index < amount; index += 1) {
        source[0] = index;
        put(source);
      }
      for (const [answer] of await answered) checkAnswer(answer, amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

/** @param {Options & ViewerOptions} options */
export function partner({ memory, bytes, slots, processors, viewer }) {
  const store = new Slots(memory, bytes, slots);
  place(processors, 1 + viewer, 1 + viewers);
  const tally = new Tally();
  parentPort?.postMessage('ready');
  for (let seen = 0; ; seen += 1) {
    store.waitFor(0, seen + 1);
    const frame = store.view(seen);
    const isLast = tally.touch(frame);
    Atomics.add(store.counters, store.doneIndex(seen), 1);
    Atomics.notify(store.counters, store.doneIndex(seen));
    if (isLast) parentPort?.postMessage(new Uint8Array(tally.answer));
  }
}

/**
 * What a pipe to a slow reader holds: the bytes in the ring, and what writer and reader keep of their
 * chunks beside it. Garbage is collected before each look, since it is held by nobody.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Stream, ZooPipe } from '../../../dist/index.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { median } from '../../harness/statistics.js';
import { answer, ask, onOrder } from '../support/orders.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { ringBytes: number }} Options */

const MiB = 2 ** 20;
const lookEveryMs = 100;
/** How long the reader takes for a chunk. */
const readerMs = 1;

v8.setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collectGarbage = vm.runInNewContext('gc');

/** Bytes of all buffers that somebody still has. */
function heldNow() {
  let held = Infinity;
  // Buffers are freed beside the program, some time after the collection that found them.
  while (true) {
    collectGarbage();
    collectGarbage();
    const { arrayBuffers } = process.memoryUsage();
    if (arrayBuffers >= held) return held;
    held = arrayBuffers;
  }
}

/** @typedef {{ at: number, bytes: number, inRing: number }} Look */

/** Looks again and again at what is held more than at the beginning. */
class Watch {
  /** @type {Look[]} */
  looks = [];
  #base = heldNow();
  #timer;

  /** @param {() => number} [inRing] */
  constructor(inRing = () => 0) {
    const look = () => {
      this.looks.push({ at: Date.now(), bytes: heldNow() - this.#base, inRing: inRing() });
    };
    this.#timer = setInterval(look, lookEveryMs);
  }

  stop() {
    clearInterval(this.#timer);
    return this.looks;
  }
}

/** As a file would be read: one chunk after the other. @param {number} count @param {number} bytes */
async function* chunks(count, bytes) {
  for (let index = 0; index < count; index += 1) yield Buffer.alloc(bytes, index);
}

/** @param {AsyncIterable<Uint8Array>} source */
async function* filter(source) {
  yield* source;
}

/** @param {Look} look */
const beside = ({ bytes }) => bytes / MiB;

/** @param {Look} look */
const inAll = ({ bytes, inRing }) => (bytes + inRing) / MiB;

/**
 * What both hold at the same time.
 * @param {readonly Look[]} these @param {readonly Look[]} those @returns {Look[]}
 */
function together(these, those) {
  return these.map(({ at, bytes, inRing }) => {
    const nearest = those.reduce((best, look) =>
      Math.abs(look.at - at) < Math.abs(best.at - at) ? look : best,
    );
    return { at, bytes: bytes + nearest.bytes, inRing };
  });
}

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const child = startProcess(import.meta.url, options);
  let runs = 0;
  return {
    async run(amount) {
      runs += 1;
      const name = `${options.prefix}-${runs}`;
      const pipe = ZooPipe.create(name, {
        memoryLimit: options.ringBytes,
        chunkSize: options.bytes,
      });
      try {
        await ask(child, { name });
        const watch = new Watch(() => pipe.stats().bytes);
        const answered = answer(child);
        const elapsed = stopwatch();
        await Stream.from(chunks(amount, options.bytes)).through(filter).to(pipe);
        const { bytes, looks: readerLooks } = await answered;
        const seconds = elapsed();
        const looks = together(watch.stop(), readerLooks);
        if (bytes !== amount * options.bytes) throw new Error(`${bytes} bytes arrived`);
        const third = Math.ceil(looks.length / 3);
        return {
          operations: amount,
          seconds,
          figures: {
            // The median: single looks see buffers that nobody has, and that are not freed yet.
            held: median(looks.slice(third).map(inAll)),
            besideSecondThird: median(looks.slice(third, 2 * third).map(beside)),
            besideLastThird: median(looks.slice(2 * third).map(beside)),
            peak: Math.max(...looks.map(inAll)),
          },
        };
      } finally {
        await pipe[Symbol.asyncDispose]();
      }
    },
    async close() {
      child.disconnect();
      await ended(child);
    },
  };
}

export function partner() {
  onOrder(async (/** @type {{ name: string }} */ { name }, say) => {
    const pipe = await ZooPipe.open(name);
    const watch = new Watch();
    say('ready');
    let bytes = 0;
    for await (const chunk of pipe.through(filter)) {
      bytes += chunk.length;
      await sleep(readerMs);
    }
    await pipe[Symbol.asyncDispose]();
    say({ bytes, looks: watch.stop() });
  });
}

/** Chunks through a `ZooPipe`, looked at in place or as Buffers of their own. */
import { Stream, ZooPipe } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { answer, ask, onOrder } from '../support/orders.js';
import { stopwatch } from '../support/stopwatch.js';
import { touchLines } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { ringBytes: number, inPlace: boolean }} Options */

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  const chunk = Buffer.alloc(options.bytes, 1);
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
        const answered = answer(child);
        const elapsed = stopwatch();
        await Stream.range(0, amount)
          .map((index) => {
            chunk[0] = index;
            return chunk;
          })
          .to(pipe);
        const bytes = await answered;
        const seconds = elapsed();
        if (bytes !== amount * options.bytes) throw new Error(`${bytes} bytes arrived`);
        return { operations: amount, seconds };
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

/** @param {Options} options */
export function partner({ processors, inPlace }) {
  place(processors, 1, 2);
  let touched = 0;
  onOrder(async (/** @type {{ name: string }} */ { name }, say) => {
    const pipe = await ZooPipe.open(name);
    say('ready');
    let bytes = 0;
    /** @param {Uint8Array} chunk */
    const look = (chunk) => {
      touched = (touched + touchLines(chunk)) & 0xffff;
      bytes += chunk.length;
    };
    if (inPlace) for await (const { view } of pipe.views()) look(view);
    else for await (const chunk of pipe) look(chunk);
    await pipe[Symbol.asyncDispose]();
    say(bytes);
  });
}

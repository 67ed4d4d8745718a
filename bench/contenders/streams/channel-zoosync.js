/** Objects from a stream into a channel; the other process takes them out of it with a stream. */
import { Channel, Stream } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { answer, ask, onOrder } from '../support/orders.js';
import { checkSum, measurement } from '../support/measurements.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { batched: boolean }} Options */

const prefetch = 256;

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  let runs = 0;
  return {
    async run(amount) {
      runs += 1;
      const name = `${options.prefix}-${runs}`;
      const channel = Channel.create(name, { bytes: '4MiB' });
      try {
        await ask(child, { name });
        const answered = answer(child);
        const elapsed = stopwatch();
        if (options.batched) await Stream.range(0, amount).map(measurement).to(channel);
        else {
          for (let id = 0; id < amount; id += 1) await channel.send(measurement(id));
          await channel.close();
        }
        checkSum(await answered, amount);
        return { operations: amount, seconds: elapsed() };
      } finally {
        await channel[Symbol.asyncDispose]();
      }
    },
    async close() {
      child.disconnect();
      await ended(child);
    },
  };
}

/** @param {Options} options */
export function partner({ processors, batched }) {
  place(processors, 1, 2);
  onOrder(async (/** @type {{ name: string }} */ { name }, say) => {
    /** @type {Channel<import('../support/measurements.js').Measurement>} */
    const channel = await Channel.open(name, batched ? { prefetch } : {});
    say('ready');
    let sum = 0;
    if (batched) sum = await channel.reduce((sum, { id }) => sum + id, 0);
    else for await (const { id } of channel) sum += id;
    await channel[Symbol.asyncDispose]();
    say(sum);
  });
}

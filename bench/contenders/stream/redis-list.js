/** A list of Redis: RPUSH here, BLPOP there. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { connectRedis, startRedis } from '../support/redis.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/**
 * `awaited`: every RPUSH is, as `put` is beside it; otherwise the client pipelines those of one turn
 * of the event loop. `batch`: elements per RPUSH and, with BLMPOP, per answer.
 *
 * @typedef {import('../../harness/types.d.ts').ContenderOptions & { socket: string, batch: number, awaited: boolean }} Options
 */

/** Commands of one turn. */
const window = 256;

/** @param {Options} given @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(given) {
  const { socket, stop } = await startRedis(given.prefix);
  const options = { ...given, socket };
  const client = await connectRedis(socket);
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  const { batch, bytes } = options;
  const perTurn = options.awaited ? 1 : Math.max(1, window / batch);

  /** @param {number} first @param {number} count */
  const messages = (first, count) =>
    Array.from({ length: count }, (_, index) => Buffer.alloc(bytes, first + index));

  return {
    async run(amount) {
      const elapsed = stopwatch();
      await client.rPush('messages', announce(amount));
      for (let index = 0; index < amount;) {
        const commands = [];
        while (commands.length < perTurn && index < amount) {
          const count = Math.min(batch, amount - index);
          commands.push(client.rPush('messages', messages(index, count)));
          index += count;
        }
        await Promise.all(commands);
      }
      const { element } = await client.blPop('answers', 0);
      checkAnswer(element, amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      // No message of this length is a count or a payload: it says that nothing follows.
      await client.rPush('messages', '');
      await ended(child);
      client.destroy();
      await stop();
    },
  };
}

/** @param {Options} options */
export async function partner({ processors, socket, batch }) {
  const client = await connectRedis(socket);
  place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();

  /** @returns {Promise<Buffer[]>} */
  async function next() {
    if (batch === 1) return [(await client.blPop('messages', 0)).element];
    const [, elements] = await client.blmPop(0, 'messages', 'LEFT', { COUNT: batch });
    return elements;
  }

  while (true) {
    for (const message of await next()) {
      if (message.length === 0) return client.destroy();
      if (tally.take(message)) await client.rPush('answers', tally.answer);
    }
  }
}

/** A stream of Redis with a consumer group: XADD here, XREADGROUP and XACK there. */
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { connectRedis, startRedis } from '../support/redis.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/**
 * `awaited`: every XADD is, as `put` is beside it; otherwise the client pipelines those of one turn
 * of the event loop. `batch`: entries per XREADGROUP and XACK.
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
  await client.xGroupCreate('messages', 'readers', '$', { MKSTREAM: true });
  const child = startProcess(import.meta.url, options);
  place(options.processors, 0, 2);
  const message = Buffer.alloc(options.bytes);
  const perTurn = options.awaited ? 1 : window;

  /** @param {Buffer} value */
  const add = (value) => client.xAdd('messages', '*', { message: value });

  return {
    async run(amount) {
      const elapsed = stopwatch();
      await add(announce(amount));
      for (let index = 0; index < amount;) {
        const commands = [];
        while (commands.length < perTurn && index < amount) {
          message[0] = index;
          commands.push(add(Buffer.from(message)));
          index += 1;
        }
        await Promise.all(commands);
      }
      const { element } = await client.blPop('answers', 0);
      checkAnswer(element, amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      // No message of this length is a count or a payload: it says that nothing follows.
      await add(Buffer.alloc(0));
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
  const wanted = { COUNT: batch, BLOCK: 0 };
  while (true) {
    const [{ messages }] = await client.xReadGroup(
      'readers',
      'reader',
      { key: 'messages', id: '>' },
      wanted,
    );
    const ids = [];
    for (const { id, message } of messages) {
      if (message.message.length === 0) return client.destroy();
      ids.push(id);
      if (tally.take(message.message)) {
        // What was read stays in a stream, and no run shall find that of another.
        await client.xTrim('messages', 'MAXLEN', 0);
        await client.rPush('answers', tally.answer);
      }
    }
    await client.xAck('messages', 'readers', ids);
  }
}

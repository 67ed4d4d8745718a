/** Puts numbered messages in every way there is. Its journal has `+ first last` before and `= first last` after each put. */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { messageOf, packedOf, writeMessage } from './support/messages.js';
import { Opened } from './support/opened.js';

/** @typedef {import('./peer.js').Scope} Scope */

/** @param {Scope} scope */
export async function run({ id, plan, random, note, state }) {
  const opened = new Opened(plan, { writer: true, label: `producer ${id}` }, state);
  let number = 0;
  const size = () => random.logarithmic(16, plan.largest);

  /** @param {number} count @returns {Buffer[]} */
  const next = (count) => {
    note(`+ ${number} ${number + count - 1}`);
    const batch = Array.from({ length: count }, (_, i) => messageOf(id, number + i, size()));
    number += count;
    return batch;
  };
  /** @param {number} first @param {number} [count] */
  const done = (first, count = number - first) => {
    if (count > 0) note(`= ${first} ${first + count - 1}`);
  };
  const wait = () => ({ timeout: random.between(1, 200) });

  /** @param {import('../../dist/index.js').ZooQueue} queue @param {import('../../dist/index.js').WriteView} place */
  const fill = async (queue, place) => {
    if (random.happens(0.1)) await sleep(random.between(0, 30));
    if (random.happens(0.1)) {
      queue.abortWrite(place.cursor);
      return;
    }
    const bytes = random.happens(0.5)
      ? place.view.length
      : random.between(16, place.view.length + 1);
    const first = number;
    note(`+ ${number} ${number}`);
    writeMessage(place.view.subarray(0, bytes), id, number);
    number += 1;
    queue.commitWrite(place.cursor, bytes);
    done(first);
  };

  while (!state.stop) {
    const queue = await opened.get();
    if (queue === undefined) break;
    const first = number;
    try {
      switch (random.between(0, 13)) {
        case 0:
          queue.putBytesSync(next(1)[0] ?? Buffer.alloc(0), wait());
          done(first);
          break;
        case 1:
          await queue.putBytes(next(1)[0] ?? Buffer.alloc(0), wait());
          done(first);
          break;
        case 2:
          queue.putBytesManySync(next(random.between(1, 40)), wait());
          done(first);
          break;
        case 3:
          await queue.putBytesMany(next(random.between(1, 40)), wait());
          done(first);
          break;
        case 4:
          if (queue.tryPutBytes(next(1)[0] ?? Buffer.alloc(0))) done(first);
          break;
        case 5:
          done(first, queue.tryPutBytesMany(next(random.between(1, 20))));
          break;
        case 6:
          await fill(queue, queue.reserveSync(size(), wait()));
          break;
        case 7:
          await fill(queue, await queue.reserve(size(), wait()));
          break;
        case 8: {
          const signal = AbortSignal.timeout(random.between(0, 50));
          await queue.putBytes(next(1)[0] ?? Buffer.alloc(0), { signal });
          done(first);
          break;
        }
        case 9: {
          // Several waits at a time, in order.
          const batch = next(3);
          const puts = batch.map((bytes) => queue.putBytes(bytes, { timeout: 2000 }));
          const settled = await Promise.allSettled(puts);
          settled.forEach(({ status }, i) => {
            if (status === 'fulfilled') done(first + i, 1);
          });
          const failed = settled.find(({ status }) => status === 'rejected');
          if (failed?.status === 'rejected') throw failed.reason;
          break;
        }
        case 10:
          await queue.putPacked(packedOf(next(random.between(1, 100))), wait());
          done(first);
          break;
        case 11:
          done(first, queue.tryPutPacked(packedOf(next(random.between(1, 100)))));
          break;
        default:
          if (random.happens(0.1)) await opened.close(random.happens(0.3));
          else await sleep(random.between(0, 5));
      }
    } catch (error) {
      const { code, sent } = /** @type {any} */ (error);
      if (sent > 0) done(first, sent);
      if (code === 'ERR_ZOO_GONE') opened.close(false);
      else if (code !== 'ERR_ZOO_TIMEOUT' && code !== 'ABORT_ERR') throw error;
    }
    await turn();
  }
  await opened.close(false);
}

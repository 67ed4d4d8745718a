/**
 * Receives what a writer sends. Its journal has `g FIRST NUMBER` for numbers FIRST up to and without
 * NUMBER of a channel or bytes of a pipe, and `end CODE`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Channel, ZooPipe } from '../../dist/index.js';
import { isAt } from './stream-content.js';

/** @typedef {import('./peer.js').Scope} Scope */

/** @param {Scope} scope */
export async function run(scope) {
  const { plan, note } = scope;
  const timeout = 20_000;
  try {
    if (plan.medium === 'channel') {
      const options = { prefetch: plan.prefetch };
      const channel =
        plan.maker === 'reader' && plan.first
          ? Channel.create(plan.name, {
              ...options,
              bytes: plan.bytes,
              ...(plan.capacity > 0 && { capacity: plan.capacity }),
            })
          : await Channel.open(plan.name, { ...options, timeout });
      note('opened');
      if (plan.maker === 'reader' && plan.first) {
        // The creator counts as a writer: it says that it is none once the other has begun.
        while (channel.stats().sent === 0) await sleep(1);
        await channel.close();
      }
      await receiveAll(channel, scope);
    } else {
      const pipe =
        plan.maker === 'reader'
          ? ZooPipe.create(plan.name, { memoryLimit: plan.bytes, as: 'reader' })
          : await ZooPipe.open(plan.name, { timeout });
      note('opened');
      await readAll(pipe, scope);
    }
    note('end closed');
  } catch (error) {
    note(`end ${/** @type {any} */ (error).code ?? /** @type {Error} */ (error).name}`);
  }
  while (!scope.state.stop) await sleep(5);
}

/** @param {any} channel @param {Scope} scope */
async function receiveAll(channel, { plan, note, random }) {
  /** @param {any} item */
  const got = (item) => {
    if (item.text.length !== (item.n * 37) % plan.text)
      throw new Error(`number ${item.n} is damaged`);
    note(`g ${item.n} ${item.n + 1}`);
  };
  if (plan.through === 'stream') {
    await channel.map((/** @type {any} */ item) => item).subscribe(got);
    return;
  }
  if (plan.through === 'views') {
    for await (const view of channel.views()) {
      void view;
      note('v');
    }
    return;
  }
  for (;;) {
    if (random.happens(0.5)) {
      let left = random.between(1, 30);
      for await (const item of channel) {
        got(item);
        left -= 1;
        if (left === 0) break;
      }
      if (left > 0) return;
    } else {
      try {
        got(await channel.receive({ timeout: random.between(1, 100) }));
      } catch (error) {
        const { code } = /** @type {any} */ (error);
        if (code === 'ERR_ZOO_ENDED') return;
        if (code !== 'ERR_ZOO_TIMEOUT') throw error;
      }
    }
  }
}

/** @param {any} pipe @param {Scope} scope */
async function readAll(pipe, { plan, note, random }) {
  let position = 0;
  for (;;) {
    const most = random.logarithmic(1, 9000);
    const bytes =
      plan.through === 'stream' || random.happens(0.5) ? await pipe.read() : await pipe.read(most);
    if (bytes === null) return;
    if (!isAt(bytes, position)) throw new Error(`damaged at ${position}`);
    note(`g ${position} ${position + bytes.length}`);
    position += bytes.length;
  }
}

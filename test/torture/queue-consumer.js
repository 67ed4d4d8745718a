/**
 * Reads messages in every way there is. Its journal:
 *
 *      t MOST            up to so many are taken by copy now
 *      g SENDER NUMBER   one of them, for good
 *      f                 that call is over
 *      v SENDER NUMBER DELIVERIES   a view was handed out
 *      C, c SENDER NUMBER           it is about to be, it was committed
 *      r SENDER NUMBER              it is given back
 *      h                 another handle: order begins anew
 */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { readMessage, unpacked } from './support/messages.js';
import { Opened } from './support/opened.js';

/** @typedef {import('./peer.js').Scope} Scope */
/** @typedef {import('../../dist/index.js').ReadView} ReadView */

/** @param {Scope} scope */
export async function run({ id, plan, random, note, state }) {
  const opened = new Opened(plan, { group: plan.group, label: `consumer ${id}` }, state);
  /** @type {{ view: ReadView, sender: number, number: number }[]} */
  let held = [];
  const wait = () => ({ timeout: random.between(1, 200) });

  /** @param {ReadView[]} views */
  const hold = (views) => {
    for (const view of views) {
      const { sender, number } = readMessage(view.view);
      note(`v ${sender} ${number} ${view.deliveries}`);
      held.push({ view, sender, number });
    }
  };

  /** @param {import('../../dist/index.js').ZooQueue} queue @param {number} most are kept */
  const settle = (queue, most) => {
    while (held.length > most) {
      const [one] = held.splice(random.happens(0.7) ? 0 : random.between(0, held.length), 1);
      if (one === undefined) return;
      const now = readMessage(one.view.view);
      if (now.sender !== one.sender || now.number !== one.number) {
        throw new Error(
          `a view changed while it was held: ${JSON.stringify([now, one.sender, one.number])}`,
        );
      }
      if (random.happens(plan.rejects)) {
        note(`r ${one.sender} ${one.number}`);
        queue.rejectRead(one.view.cursor);
      } else {
        note(`C ${one.sender} ${one.number}`);
        queue.commitRead(one.view.cursor);
        note(`c ${one.sender} ${one.number}`);
      }
    }
  };

  /** Takes by copy, up to `most`. @param {number} most @param {() => unknown} take */
  const copy = async (most, take) => {
    note(`t ${most}`);
    try {
      const taken = await take();
      const list = taken === undefined ? [] : Array.isArray(taken) ? taken : [taken];
      for (const bytes of list) {
        const { sender, number } = readMessage(bytes);
        note(`g ${sender} ${number}`);
      }
    } finally {
      note('f');
    }
  };

  const letGo = () => {
    for (const { sender, number } of held) note(`r ${sender} ${number}`);
    const views = held.map(({ view }) => view.view);
    held = [];
    opened.close(false);
    if (views.some((view) => view.length !== 0)) throw new Error('a view outlived its handle');
    note('h');
  };

  for (;;) {
    const queue = await opened.get();
    if (queue === undefined || state.stop) break;
    try {
      switch (random.between(0, plan.copies ? 14 : 8)) {
        case 0:
          hold([queue.recvViewSync(wait())]);
          break;
        case 1:
          hold([await queue.recvView(wait())]);
          break;
        case 2:
          hold(queue.recvViewsSync(random.between(1, 20), wait()));
          break;
        case 3:
          hold(await queue.recvViews(random.between(1, 20), wait()));
          break;
        case 4:
          hold(queue.tryRecvViews(random.between(1, 8)));
          break;
        case 5: {
          // Leaving the loop gives the last one back.
          let left = random.between(1, 10);
          const signal = AbortSignal.timeout(random.between(1, 100));
          for await (const view of queue.views({ signal })) {
            const { sender, number } = readMessage(view.view);
            note(`v ${sender} ${number} ${view.deliveries}`);
            left -= 1;
            if (left === 0) {
              note(`r ${sender} ${number}`);
              break;
            }
            // It is committed some time after this line: when the loop asks for the next.
            note(`C ${sender} ${number}`);
          }
          break;
        }
        case 6:
          if (random.happens(0.1)) letGo();
          break;
        case 7:
          await sleep(random.between(0, 8));
          break;
        case 8:
          await copy(1, () => queue.getBytesSync(wait()));
          break;
        case 9:
          await copy(1, () => queue.getBytes(wait()));
          break;
        case 10: {
          const most = random.between(1, 30);
          await copy(most, () => queue.getBytesManySync(most, wait()));
          break;
        }
        case 11: {
          const most = random.between(1, 30);
          await copy(most, () =>
            queue.getBytesMany(most, { signal: AbortSignal.timeout(random.between(1, 100)) }),
          );
          break;
        }
        case 12: {
          const most = random.between(1, 60);
          await copy(most, async () => unpacked(await queue.getPacked(most, wait())));
          break;
        }
        default:
          await copy(1, () => queue.tryGetBytes());
      }
      settle(queue, random.between(0, plan.held + 1));
    } catch (error) {
      const { code } = /** @type {any} */ (error);
      if (code === 'ERR_ZOO_GONE') {
        settle(queue, 0);
        letGo();
      } else if (code === 'ERR_ZOO_TIMEOUT' || code === 'ABORT_ERR')
        settle(queue, random.between(0, 2));
      else throw error;
    }
    await turn();
  }
  const queue = state.stop && held.length > 0 ? await opened.get() : undefined;
  if (queue) settle(queue, 0);
  opened.close(false);
}

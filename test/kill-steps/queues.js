/** A writer or a reader of a queue dies at a step. */
import { expect, within } from './trial.js';
import { accepted, checkEnd, drain, load, nextName, openOrGone, startVictim } from './victims.js';

/** @typedef {import('./trial.js').Scenario} Scenario */

/** @param {object} options @returns {Scenario} */
function queueWriter(options) {
  return {
    name: `queue writer: ${JSON.stringify(options)}`,
    async run(trial) {
      const { ZooQueue } = await load();
      const name = nextName();
      trial.afterwards(() => ZooQueue.unlink(name));
      const victim = startVictim(trial, 'put', name, options);
      const queue = await openOrGone(
        () => ZooQueue.waitFor(name, { codec: 'bytes', timeout: 200 }),
        victim.isGone,
      );
      victim.release();
      const { items, end } = queue
        ? await within(
            drain(() => queue),
            'the end',
          )
        : { items: [], end: undefined };
      const died = await victim.gone;
      items.forEach((bytes, i) =>
        expect(bytes.equals(Buffer.from([i, i, i])), `message ${i} is ${bytes.toString('hex')}`),
      );
      expect(
        items.length >= accepted(trial),
        `${accepted(trial)} were accepted, and ${items.length} came`,
      );
      if (!queue) return;
      checkEnd(trial, end, died);
      const { messages, blockedBytes } = queue.stats();
      expect(
        messages === 0 && blockedBytes === 0,
        `${messages} messages and ${blockedBytes} blocked bytes are left`,
      );
      queue.close();
    },
  };
}

/** @param {object} options @returns {Scenario} */
function overflowing(options) {
  return {
    name: `queue whose older messages give way: ${JSON.stringify(options)}`,
    async run(trial) {
      const { ZooQueue } = await load();
      const name = nextName();
      const groups = { all: { overflow: 'dropOldest' }, last: { overflow: 'latest' } };
      const queue = ZooQueue.create(name, { ...options, codec: 'bytes', groups });
      trial.afterwards(() => queue[Symbol.dispose]());
      const victim = startVictim(trial, 'overflow', name, {});
      victim.release();
      const died = await within(victim.gone, 'the end of the writer');
      const last = ZooQueue.open(name, { codec: 'bytes', group: 'last' });
      for (const reader of [queue, last]) {
        const { items, end } = await within(
          drain(() => reader),
          'the end',
        );
        const numbers = items.map((bytes) => bytes[0]);
        expect(
          items.every((bytes) => bytes.every((/** @type {number} */ byte) => byte === bytes[0])),
          'a damaged message',
        );
        expect(
          numbers.every((n, i) => i === 0 || n > numbers[i - 1]),
          `out of order: ${numbers}`,
        );
        const put = accepted(trial);
        if (put > 0)
          expect((numbers.at(-1) ?? -1) >= put - 1, `the newest of ${put} is missing: ${numbers}`);
        checkEnd(trial, end, died);
      }
      const { messages, blockedBytes } = queue.stats();
      expect(
        messages === 0 && blockedBytes === 0,
        `${messages} messages and ${blockedBytes} blocked bytes are left`,
      );
      last.close();
    },
  };
}

/** @param {object} options @param {string} role @returns {Scenario} */
function queueReader(options, role = 'take') {
  return {
    name: `queue reader: ${role}${JSON.stringify(options)}`,
    async run(trial) {
      const { ZooQueue } = await load();
      const name = nextName();
      const queue = ZooQueue.create(name, {
        ...options,
        codec: 'bytes',
        groups: { one: {}, two: {} },
        group: 'two',
      });
      trial.afterwards(() => queue[Symbol.dispose]());
      for (let n = 0; n < 7; n += 1) queue.putBytesSync(Buffer.from([n, n, n]));
      const victim = startVictim(trial, role, name, { group: 'one' });
      victim.release();
      const died = await within(victim.gone, 'the end of the reader');
      queue.end();
      const others = await within(
        drain(() => queue),
        'the other group',
      );
      expect(
        others.items.length === 7 && others.end === undefined,
        `the other group got ${others.items.length}, ${others.end}`,
      );
      const next = ZooQueue.open(name, { codec: 'bytes', group: 'one' });
      /** Number to deliveries. @type {Map<number, number>} */
      const offered = new Map();
      const views = async function* () {
        for await (const { view, deliveries } of next.views()) {
          offered.set(view[0], deliveries);
          yield view[0];
        }
      };
      const { items, end } = await within(drain(views), 'the end');
      expect(end === undefined, `the next reader learnt ${end}`);
      const said = trial.lines('journal');
      const taken = said
        .filter((line) => line.startsWith('g '))
        .map((line) => Number(line.slice(2)));
      const seen = said
        .filter((line) => line.startsWith('v '))
        .map((line) => Number(line.split(' ')[1]));
      // What nobody committed in time is a dead letter.
      const dead = [];
      for (let letter = next.tryGetDead(); letter; letter = next.tryGetDead()) {
        dead.push(letter.view[0]);
        next.commitRead(letter.cursor);
      }
      // The views that were asked for are of 3, 4 and 5; one that died taking them has had them.
      expect(
        dead.every((n) => [3, 4, 5].includes(n)),
        `dead letters that nobody had: ${dead}`,
      );
      const mine = [...items, ...dead];
      expect(new Set(mine).size === mine.length, `twice: ${mine}`);
      for (const n of seen) {
        const deliveries = offered.get(n) ?? 2;
        expect(deliveries === 2, `message ${n}, which was seen, came as delivery ${deliveries}`);
      }
      const twice = mine.filter((n) => taken.includes(n));
      expect(twice.length === 0, `${twice} came again after they were done with`);
      const missing = [0, 1, 2, 3, 4, 5, 6].filter((n) => !taken.includes(n) && !mine.includes(n));
      // What was taken by copy is in the hand; what was seen in place may have been committed, and not written down.
      const mayMiss = died ? (seen.length === 0 ? 2 : 1) : 0;
      expect(
        missing.length <= mayMiss,
        `${missing} are lost: taken ${taken}, seen ${seen}, came ${mine}`,
      );
      const { messages, blockedBytes } = next.stats();
      expect(
        messages === 0 && blockedBytes === 0,
        `${messages} messages and ${blockedBytes} blocked bytes are left`,
      );
      next.close();
    },
  };
}

export const scenarios = [
  queueWriter({ size: '64KiB' }),
  queueWriter({ slots: 8, slotSize: 100 }),
  queueReader({ size: '64KiB' }),
  queueReader({ slots: 8, slotSize: 100 }),
  queueReader({ size: '64KiB' }, 'takeSync'),
  queueReader({ size: '64KiB', maxDeliveries: 1 }),
  overflowing({ size: '4KiB' }),
  overflowing({ slots: 4, slotSize: 1000 }),
];

/** A writer or a reader of a channel, a pipeline or a broadcast dies at a step. */
import { Trial, expect, until, within } from './trial.js';
import { accepted, checkEnd, drain, load, nextName, openOrGone, startVictim } from './victims.js';

/** @typedef {import('./trial.js').Scenario} Scenario */

/** @param {string} role @param {object} [options] @param {string[]} [suffixes] @returns {Scenario} */
function channelWriter(role, options = {}, suffixes = ['']) {
  return {
    name: `channel writer: ${role}`,
    async run(trial) {
      const { Channel } = await load();
      const name = nextName();
      trial.afterwards(() => suffixes.forEach((suffix) => Channel.unlink(name + suffix)));
      const victim = startVictim(trial, role, name, options);
      let opened = 0;
      const ends = await within(
        Promise.all(
          suffixes.map(async (suffix) => {
            const channel = await openOrGone(
              () => Channel.open(name + suffix, { timeout: 200 }),
              victim.isGone,
            );
            if (!channel) return undefined;
            opened += 1;
            if (opened === suffixes.length) victim.release();
            const result = await drain(() => channel);
            await channel[Symbol.asyncDispose]();
            return result;
          }),
        ),
        'the end of the channel',
      );
      const died = await victim.gone;
      for (const result of ends) {
        if (result === undefined) {
          expect(died && accepted(trial) === 0, 'a channel with values in it was not found');
          continue;
        }
        const { items, end } = result;
        items.forEach(({ n, text }, i) =>
          expect(n === i && text.length === n * 10, `number ${n} came as ${i}`),
        );
        expect(
          items.length >= accepted(trial),
          `${accepted(trial)} were accepted, and ${items.length} came`,
        );
        checkEnd(trial, end, died);
      }
      // The name can be used again, whatever was left of it.
      const again = Channel.create(name);
      await again.send(1);
      expect((await again.receive()) === 1, 'a channel that was made anew does not work');
      await again[Symbol.asyncDispose]();
    },
  };
}

/** Numbers that were in the hand of a reader that died: one that was taken, and not yet written down. */
const inHand = 1;

/** @param {string} role @param {object} [options] @returns {Scenario} */
function channelReader(role, options = {}) {
  return {
    name: `channel reader: ${role}${JSON.stringify(options)}`,
    async run(trial) {
      const { Channel } = await load();
      const name = nextName();
      const channel = Channel.create(name, { bytes: '64KiB' });
      trial.afterwards(() => channel[Symbol.asyncDispose]());
      for (let n = 0; n < 8; n += 1) await channel.send({ n, text: '' });
      const victim = startVictim(trial, role, name, options);
      victim.release();
      const died = await within(victim.gone, 'the end of the reader');
      for (let n = 8; n < 10; n += 1)
        await within(channel.send({ n, text: '' }), 'a value after the death');
      await channel.close();
      const { items, end } = await within(
        drain(() => channel),
        'the end of the channel',
      );
      expect(end === undefined, `the next reader learnt ${end}`);
      const theirs = trial
        .lines('journal')
        .filter((line) => line.startsWith('g '))
        .map((line) => Number(line.slice(2)));
      const views = trial.lines('journal').filter((line) => line.startsWith('v ')).length;
      const all = [...theirs, ...items.map(({ n }) => n)];
      const seen = new Set(all);
      expect(seen.size === all.length, `twice: ${all}`);
      // The last one that a loop over views has seen is committed or given back.
      const mayMiss = views > 0 ? views : died ? inHand : 0;
      const missing = 10 - seen.size;
      expect(
        missing <= mayMiss,
        `${missing} are lost, and ${mayMiss} may be: ${all}, ${views} views`,
      );
      if (views > 0)
        expect(
          missing >= views - 1,
          `${views} were seen, and ${items.map(({ n }) => n)} came again`,
        );
      const mine = items.map(({ n }) => n);
      expect(
        mine.every((n, i) => i === 0 || n > mine[i - 1]),
        `out of order: ${mine}`,
      );
    },
  };
}

/** A reader dies while it clears up after a writer that died in the middle of a put. @type {Scenario} */
const readerAfterWriter = {
  name: 'channel reader after a writer that died',
  async run(trial) {
    const { Channel } = await load();
    const name = nextName();
    trial.afterwards(() => Channel.unlink(name));
    const first = new Trial(4, 'put.header');
    trial.afterwards(() => first.clear());
    expect(
      await within(startVictim(first, 'send', name, {}).gone, 'the death of the writer'),
      'the writer lives',
    );
    const victim = startVictim(trial, 'drain', name, {});
    victim.release();
    const died = await within(victim.gone, 'the end of the reader');
    const theirs = trial
      .lines('journal')
      .filter((line) => line.startsWith('g '))
      .map((line) => Number(line.slice(2)));
    const channel = await Channel.open(name, { timeout: 10_000 });
    trial.afterwards(() => channel[Symbol.asyncDispose]());
    const { items, end } = await within(
      drain(() => channel),
      'the end of the channel',
    );
    expect(end === 'ERR_ZOO_PEER_DIED', `the second reader learnt ${end}`);
    expect(died || trial.lines('journal').includes('learnt'), 'the first reader learnt nothing');
    const all = [...theirs, ...items.map(({ n }) => n)];
    expect(
      all.every((n, i) => i === 0 || n > all[i - 1]),
      `out of order: ${all}`,
    );
    const missing = 3 - all.length;
    expect(missing >= 0 && missing <= (died ? inHand : 0), `of 0 to 2 came ${all}`);
  },
};

/** @type {Scenario} */
const replacing = {
  name: 'channel that is made in place of a dead one',
  async run(trial) {
    const { Channel } = await load();
    const name = nextName();
    trial.afterwards(() => Channel.unlink(name));
    const first = new Trial(4, 'put.header');
    trial.afterwards(() => first.clear());
    expect(
      await within(startVictim(first, 'send', name, {}).gone, 'the death of the writer'),
      'the writer lives',
    );
    const victim = startVictim(trial, 'replace', name, {});
    await until(
      () => victim.isGone() || trial.lines('journal').includes('closed'),
      'the second writer',
    );
    const channel = await openOrGone(() => Channel.open(name, { timeout: 200 }), victim.isGone);
    victim.release();
    const died = await victim.gone;
    expect(channel !== undefined || died, 'a channel that was made is not there');
    if (channel) {
      const { items, end } = await within(
        drain(() => channel),
        'the end of the channel',
      );
      const numbers = items.map(({ n }) => n);
      const isOld = numbers.every((n, i) => n === i) && numbers.length === 3;
      const isNew = numbers.every((n) => n === 100) && numbers.length >= accepted(trial);
      expect(isNew || (died && isOld), `neither the old one nor the new one: ${numbers}`);
      if (!isOld) checkEnd(trial, end, died);
      await channel[Symbol.asyncDispose]();
    }
    const again = Channel.create(name);
    await again[Symbol.asyncDispose]();
  },
};

export const scenarios = [
  replacing,
  readerAfterWriter,
  channelWriter('send'),
  channelWriter('sendMany'),
  channelWriter('trySend'),
  channelWriter('waits', { capacity: 2 }),
  channelWriter('pipeline', { bytes: '64KiB' }),
  channelWriter('broadcast', { bytes: '64KiB' }, ['', '.too']),
  channelReader('receive'),
  channelReader('receive', { prefetch: 16 }),
  channelReader('loop'),
  channelReader('loop', { prefetch: 16 }),
  channelReader('views'),
];

/** Sends numbers over a channel, or bytes over a pipe. Its journal has `= N`: so many were accepted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Channel, Stream, ZooPipe } from '../../dist/index.js';
import { fillAt } from './stream-content.js';

/** @typedef {import('./peer.js').Scope} Scope */

/** @param {Scope} scope */
export async function run(scope) {
  const { plan, note } = scope;
  const timeout = 20_000;
  if (plan.medium === 'channel') {
    const channel =
      plan.maker === 'writer'
        ? Channel.create(plan.name, {
            bytes: plan.bytes,
            ...(plan.capacity > 0 && { capacity: plan.capacity }),
          })
        : await Channel.open(plan.name, { timeout });
    note('opened');
    await sendAll(channel, scope);
  } else {
    const options = { memoryLimit: plan.bytes };
    const pipe =
      plan.maker === 'writer'
        ? ZooPipe.create(plan.name, options)
        : await ZooPipe.open(plan.name, { timeout });
    note('opened');
    await writeAll(pipe, scope);
  }
  // Who leaves with code 0 takes along the names that it has made: the others first have to come.
  while (plan.maker === 'writer' && !scope.state.stop) await sleep(5);
}

/** @param {any} channel @param {Scope} scope */
async function sendAll(channel, { plan, note, random }) {
  let accepted = 0;
  const value = () => ({ n: accepted, text: 'x'.repeat((accepted * 37) % plan.text) });
  try {
    if (plan.through === 'stream') {
      const counted = async function* () {
        for (; accepted < plan.count; accepted += 1) yield value();
      };
      await Stream.from(counted()).to(channel);
      note(`= ${plan.count}`);
      note('end closed');
      return;
    }
    while (accepted < plan.count) {
      const way = random.between(0, 3);
      if (way === 0) {
        await channel.send(value());
        accepted += 1;
      } else if (way === 1) {
        if (channel.trySend(value())) accepted += 1;
        else await sleep(1);
      } else {
        const batch = [];
        const first = accepted;
        for (; accepted < Math.min(plan.count, first + 20); accepted += 1) batch.push(value());
        accepted = first;
        await channel.sendMany(batch);
        accepted += batch.length;
      }
      note(`= ${accepted}`);
    }
    if (plan.end === 'error') await channel.close(new RangeError('no more'));
    else await channel.close();
    note('end closed');
  } catch (error) {
    note(`end ${/** @type {any} */ (error).code}`);
  }
}

/** @param {any} pipe @param {Scope} scope */
async function writeAll(pipe, { plan, note, random }) {
  let accepted = 0;
  try {
    while (accepted < plan.count * 100) {
      const bytes = Buffer.allocUnsafe(random.logarithmic(1, 20_000));
      fillAt(bytes, accepted);
      if (random.happens(0.5)) await pipe.write(bytes);
      else if (!pipe.writeSync(bytes)) {
        await sleep(1);
        continue;
      }
      accepted += bytes.length;
      note(`= ${accepted}`);
    }
    if (plan.end === 'error') pipe.fail(new RangeError('no more'));
    else await pipe.end();
    note('end closed');
  } catch (error) {
    note(`end ${/** @type {any} */ (error).code}`);
  }
}

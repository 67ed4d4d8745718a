/** From SIGKILL of the owner of a lock to `LockRecovered` in the process that waits for it. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { LockRecovered, ZooLock } from '../../../dist/index.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { blocking: boolean, role: 'owner' | 'waiter' }} Options */

/** Starting a process takes far longer than what is measured, so some are kept ready. */
const spares = 2;

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  const name = `${options.prefix}-lock`;
  const lock = new ZooLock(name);
  /** @param {Options['role']} role */
  const start = (role) => {
    const child = startProcess(import.meta.url, { ...options, role });
    return { child, ready: once(child, 'message') };
  };
  const waiter = start('waiter');
  const owners = Array.from({ length: spares }, () => start('owner'));
  await waiter.ready;

  /** @returns {Promise<number>} nanoseconds */
  async function killOneOwner() {
    const owner = owners.shift() ?? start('owner');
    // A process that is starting needs two processors for tens of milliseconds: the dead one's exit
    // and the waiter's wake would stand in line behind it.
    await Promise.all([owner, ...owners].map(({ ready }) => ready));
    owner.child.send('take');
    await once(owner.child, 'message');
    waiter.child.send('wait');
    await once(waiter.child, 'message');
    // The waiter goes to sleep meanwhile, at another moment of its checks each time.
    await sleep(20 + Math.random() * 50);
    const noticed = once(waiter.child, 'message');
    const killed = process.hrtime.bigint();
    owner.child.kill('SIGKILL');
    const [recovered] = await noticed;
    owners.push(start('owner'));
    return Number(BigInt(recovered) - killed);
  }

  return {
    async run(amount) {
      const elapsed = stopwatch();
      const latencies = [];
      while (latencies.length < amount) latencies.push(await killOneOwner());
      return { operations: amount, seconds: elapsed(), latencies };
    },
    async close() {
      // Those that are still starting would make the lock anew.
      await Promise.all(owners.map(({ ready }) => ready));
      const children = [waiter, ...owners].map(({ child }) => child);
      for (const child of children) child.disconnect();
      await Promise.all(children.map((child) => ended(child)));
      lock.close();
      ZooLock.unlink(name);
    },
  };
}

/** @param {Options} options */
export function partner({ prefix, role, blocking }) {
  const lock = new ZooLock(`${prefix}-lock`);
  process.on('message', async () => {
    if (role === 'owner') {
      lock.acquireSync();
      process.send?.('held');
      return;
    }
    process.send?.('waiting');
    try {
      if (blocking) lock.acquireSync();
      else await lock.acquire();
      throw new Error('the owner was killed, but the lock says nothing of it');
    } catch (error) {
      const recovered = process.hrtime.bigint();
      if (!(error instanceof LockRecovered)) throw error;
      lock.release();
      process.send?.(String(recovered));
    }
  });
  process.send?.('ready');
}

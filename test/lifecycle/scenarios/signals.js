/** Signals, with everything open, waiting and blocked. */
import { load } from '../context.js';
import { openEverything, startPool, waitEverywhere } from '../everything.js';
import { scenariosOf } from '../scenario.js';

const segments = /^zoo-lifecycle-/;

/** @param {import('../context.js').Context} t */
async function openAll(t) {
  await openEverything(t);
  await waitEverywhere(t);
  t.say('ready');
}

/** @param {import('../context.js').Context} t */
async function block(t) {
  const { ZooQueue } = await load();
  await openEverything(t);
  const queue = ZooQueue.create(t.name('empty'), { size: '64KiB' });
  t.say('ready');
  queue.getSync();
}

export const scenarios = scenariosOf([
  .../** @type {const} */ (['SIGINT', 'SIGTERM']).flatMap((signal) => [
    { name: `${signal} with everything open`, signal, ends: { signal }, exits: true, run: openAll },
    { name: `${signal} in a wait that blocks`, signal, ends: { signal }, exits: true, run: block },
    {
      name: `${signal} while a thread blocks and another waits`,
      signal,
      ends: { signal },
      exits: true,
      threads: {
        /** @param {import('../context.js').ThreadContext} t */
        async blocks(t) {
          const { ZooQueue } = await load();
          const queue = ZooQueue.create(t.name('empty'), { size: '64KiB' });
          t.say('open');
          queue.getSync();
        },
        /** @param {import('../context.js').ThreadContext} t */
        async waits(t) {
          await openEverything(t, 'thread');
          await waitEverywhere(t, 'thread.waits');
          t.say('open');
        },
      },
      /** @param {import('../context.js').Context} t */
      async run(t) {
        await t.thread('blocks').said;
        await t.thread('waits').said;
        await openAll(t);
      },
    },
    {
      name: `${signal} handled by the program`,
      signal,
      exits: true,
      /** @param {import('../context.js').Context} t */
      async run(t) {
        const everything = await openEverything(t);
        const waits = await waitEverywhere(t);
        process.on(signal, () => {
          void everything
            .close()
            .then(() => waits.close())
            .then(() => process.removeAllListeners(signal));
        });
        t.say('ready');
      },
    },
  ]),
  {
    name: 'SIGTERM with a pool of processes at work',
    signal: 'SIGTERM',
    ends: { signal: 'SIGTERM' },
    exits: true,
    leavesBell: true,
    async run(t) {
      await startPool('process');
      t.say('ready');
    },
  },
  {
    name: 'SIGHUP with everything open is a death',
    signal: 'SIGHUP',
    ends: { signal: 'SIGHUP' },
    exits: true,
    leaves: segments,
    leavesBell: true,
    run: openAll,
  },
  {
    name: 'a stop and a continuation in the middle of waits',
    async run(t) {
      const { spawn } = await import('node:child_process');
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      const waiting = queue.get();
      const helper = spawn('/bin/sh', [
        '-c',
        `kill -STOP ${process.pid}; sleep 0.05; kill -CONT ${process.pid}`,
      ]);
      await new Promise((resolve) => helper.once('exit', resolve));
      await queue.put('after the stop');
      if ((await waiting) !== 'after the stop') throw new Error('another message came');
      queue[Symbol.dispose]();
    },
  },
]);

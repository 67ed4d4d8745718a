/** A worker of a pool dies at a step. */
import { workersOf } from './pool-workers.js';
import { judge, operations } from './pool-operations.js';
import { packageUrl, workerUrl } from './prepare.js';
import { expect, segments, until, within } from './trial.js';

/** @typedef {import('./trial.js').Scenario} Scenario */
/** @typedef {import('./trial.js').Trial} Trial */

/** @returns {Promise<any>} */
const load = () => import(packageUrl);
const ours = new RegExp(`^zoosync-pool-${process.pid}-`);

/** @param {Trial} trial @param {object} options */
async function open(trial, options) {
  const { ZooPool } = await load();
  const pool = new ZooPool(new URL('tasks.js', import.meta.url), {
    data: { directory: trial.directory, workerUrl },
    env: { ...process.env, ZOO_KILL_CONTROL: trial.control.path },
    stdio: 'ignore',
    ...options,
  });
  trial.afterwards(() => pool.destroy());
  return pool;
}

/** Of what is in /dev/shm now, nothing stays: other pools of this process are closed, too. @param {Trial} trial */
async function leavesNothing(trial) {
  const left = new Set(segments(ours));
  await until(() => workersOf(trial).length === 0, 'the end of the workers');
  await until(() => !segments(ours).some((name) => left.has(name)), `the end of ${[...left]}`);
}

/** The pool goes on, and leaves nothing behind. @param {any} pool @param {Trial} trial */
async function goesOn(pool, trial) {
  trial.control.disarm();
  const value = await within(pool.run('same', ['afterwards', 7]), 'a task after the death');
  expect(value === 7, `a task after the death answered ${value}`);
  await within(pool.close(), 'the end of the pool');
  await leavesNothing(trial);
}

/** @param {string} name @param {number} workers @param {number} retries @returns {Scenario} */
function atWork(name, workers, retries) {
  return {
    name: `worker, ${workers} of them, ${retries} retries: ${name}`,
    async run(trial) {
      const pool = await open(trial, { workers, retries, size: '64KiB' });
      await within(pool.ready(), 'the workers');
      trial.arm();
      const calls = operations[name]?.(pool) ?? [];
      const lost = await within(
        judge(calls, retries, () => trial.lines('starts')),
        'every promise',
      );
      expect(lost === 0 || trial.control.read().died, 'a task was lost and nobody died');
      await goesOn(pool, trial);
    },
  };
}

/** @type {Scenario[]} */
const others = [
  {
    name: 'worker: its start',
    async run(trial) {
      trial.arm();
      const pool = await open(trial, { workers: 1 });
      await within(pool.ready(), 'a worker that is ready');
      await goesOn(pool, trial);
    },
  },
  {
    name: 'worker: a call that all of them make',
    async run(trial) {
      const pool = await open(trial, { workers: 2 });
      await within(pool.ready(), 'the workers');
      trial.arm();
      await within(pool.broadcast('told', ['told']), 'the broadcast');
      await goesOn(pool, trial);
    },
  },
  {
    name: 'worker: its end',
    async run(trial) {
      const pool = await open(trial, { workers: 2 });
      await within(
        Promise.all([
          pool.ready(),
          pool.run('same', ['first', 1]),
          pool.run('large', ['second', 100_000]),
        ]),
        'tasks',
      );
      trial.arm();
      await within(pool.close(), 'the end of the pool');
      await leavesNothing(trial);
    },
  },
];

export const scenarios = [
  ...Object.keys(operations).map((name, i) => atWork(name, 1 + (i % 2), i % 3 === 0 ? 0 : 2)),
  ...Object.keys(operations).map((name, i) => atWork(name, 2 - (i % 2), i % 3 === 0 ? 2 : 0)),
  ...others,
];

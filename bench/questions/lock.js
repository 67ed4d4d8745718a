/** What the lock is asked. */
import { latencyAt, nanosecondsEach } from '../harness/statistics.js';
import { timeUnder } from '../harness/verdict.js';

/** @typedef {import('../harness/types.d.ts').Question} Question */

/** @type {Question} */
const uncontended = {
  id: 'lock-uncontended',
  part: 'lock',
  title: 'lock and unlock, nobody else about',
  touched: 'nothing',
  unit: 'ns',
  better: 'less',
  bytes: 0,
  contenders: [
    {
      name: 'zoosync, acquireSync',
      role: 'ours',
      file: 'lock/zoosync-lock.js',
      options: { call: 'acquireSync' },
    },
    {
      name: 'zoosync, tryAcquire',
      role: 'beside',
      file: 'lock/zoosync-lock.js',
      options: { call: 'tryAcquire' },
    },
    { name: 'flock with fs-ext', role: 'peer', file: 'lock/fs-ext-flock.js' },
    { name: 'proper-lockfile', role: 'peer', file: 'lock/proper-lockfile.js' },
    { name: 'Atomics between threads', role: 'beside', file: 'lock/atomics-lock.js' },
  ],
  value: nanosecondsEach,
  verdict: timeUnder(({ median }) => median, 150),
};

/**
 * @param {{ id: string, title: string, blocking: boolean, limit: number }} question `limit` in ns
 * @returns {Question}
 */
const recovery = ({ id, title, blocking, limit }) => ({
  id,
  part: 'lock',
  title,
  touched: 'nothing',
  unit: 'ns',
  better: 'less',
  bytes: 0,
  contenders: [
    { name: 'zoosync', role: 'ours', file: 'lock/zoosync-recovery.js', options: { blocking } },
  ],
  amount: ({ quick, long }) => (quick ? 2 : long ? 40 : 20),
  forecast: 1.8,
  value: latencyAt(50),
  verdict: timeUnder(({ latency }) => latency?.p99 ?? Number.NaN, limit, 'p99 '),
});

export const lockQuestions = [
  uncontended,
  recovery({
    id: 'lock-recovery-blocking',
    title: 'SIGKILL of the owner to LockRecovered, acquireSync, median of each round',
    blocking: true,
    limit: 5e6,
  }),
  recovery({
    id: 'lock-recovery-event-loop',
    title: 'SIGKILL of the owner to LockRecovered, await acquire, median of each round',
    blocking: false,
    limit: 50e6,
  }),
];

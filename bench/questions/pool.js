/** What the pool is asked. */
import { latencyAt, perSecond } from '../harness/statistics.js';
import { timeUnder } from '../harness/verdict.js';
import { againstBothKinds, againstSameKind, processes, threads } from './pool-verdict.js';

/** @typedef {import('../harness/types.d.ts').Question} Question */
/** @typedef {import('../harness/types.d.ts').ContenderDescription} ContenderDescription */

const MiB = 2 ** 20;

/** Each has two workers; `pool` is the adapter in `contenders/pool`. */
const pools = /** @type {const} */ ([
  { name: threads.ours, role: 'ours', pool: 'zoosync', kind: 'thread' },
  { name: processes.ours, role: 'ours', pool: 'zoosync', kind: 'process' },
  { name: 'piscina', role: 'peer', pool: 'piscina', kind: 'thread' },
  { name: 'tinypool, threads', role: 'peer', pool: 'tinypool', kind: 'thread' },
  { name: 'workerpool, threads', role: 'peer', pool: 'workerpool', kind: 'thread' },
  { name: 'jest-worker, threads', role: 'peer', pool: 'jest-worker', kind: 'thread' },
  { name: threads.floor, role: 'limit', pool: 'raw', kind: 'thread' },
  { name: 'tinypool, child_process', role: 'peer', pool: 'tinypool', kind: 'process' },
  { name: 'workerpool, processes', role: 'peer', pool: 'workerpool', kind: 'process' },
  { name: 'jest-worker, processes', role: 'peer', pool: 'jest-worker', kind: 'process' },
  { name: processes.floor, role: 'limit', pool: 'raw', kind: 'process' },
]);

/** @param {string} file @param {Record<string, unknown>} [options] @returns {ContenderDescription[]} */
const everyPool = (file, options = {}) =>
  pools.map(({ name, role, pool, kind }) => ({
    name,
    role,
    file: `pool/${file}`,
    options: { pool, kind, ...options },
  }));

const rate = /** @type {const} */ ({
  part: 'pool',
  unit: 'tasks/s',
  better: 'more',
  bytes: 0,
  value: perSecond,
});

const time = /** @type {const} */ ({
  part: 'pool',
  unit: 'ns',
  better: 'less',
  value: latencyAt(50),
});

/** @type {Question} */
const oneAtATime = {
  ...rate,
  id: 'pool-noop-one',
  title: 'a task that does nothing, one at a time',
  touched: 'a number there and back',
  contenders: everyPool('one-at-a-time.js', { task: 'noop' }),
  verdict: againstBothKinds({ ...rate, threads: 1, processes: 3 }),
};

/** @type {Question} */
const inFlight = {
  ...rate,
  id: 'pool-noop-many',
  title: 'a task that does nothing, 10,000 in flight',
  touched: 'a number there and back',
  contenders: everyPool('in-flight.js', { task: 'noop', inFlight: 10_000 }),
  verdict: againstBothKinds({ ...rate, threads: 3, processes: 6, floor: true }),
};

/** @type {Question} */
const objects = {
  ...rate,
  id: 'pool-object-many',
  title: 'an object of 1 KiB, a number back, 10,000 in flight',
  touched: 'the object encoded and decoded in full',
  contenders: everyPool('in-flight.js', { task: 'countItems', inFlight: 10_000 }),
  verdict: againstBothKinds({ ...rate, threads: 3, processes: 4 }),
};

/** @type {Question} */
const bytesIn = {
  ...time,
  id: 'pool-bytes-in',
  title: '8 MiB there, a number back, one at a time, median of each round',
  touched: 'the sender keeps its bytes; one byte of each cache line read',
  bytes: 8 * MiB,
  contenders: everyPool('one-at-a-time.js', { task: 'touch' }),
  verdict: againstBothKinds({ ...time, threads: 0.5, processes: 0.15 }),
};

/** @type {Question} */
const bytesEcho = {
  ...time,
  id: 'pool-bytes-echo',
  title: '8 MiB there and back, one at a time, median of each round',
  touched: 'the sender keeps its bytes; one byte of each cache line read on both sides',
  bytes: 8 * MiB,
  contenders: [
    ...everyPool('one-at-a-time.js', { task: 'echo' }),
    {
      name: 'piscina, result moved',
      role: 'beside',
      file: 'pool/one-at-a-time.js',
      options: { pool: 'piscina', kind: 'thread', task: 'echo', move: true },
    },
  ],
  verdict: againstBothKinds({ ...time, threads: 0.4, processes: 0.2 }),
};

/** @type {Question} */
const killed = {
  ...time,
  id: 'pool-killed',
  title: 'SIGKILL of a busy worker until its task rejects, median of each round',
  touched: 'nothing',
  bytes: 0,
  contenders: [
    ...everyPool('killed.js').filter(
      ({ role, options }) =>
        role !== 'limit' &&
        options?.kind === 'process' &&
        // It rejects the task and puts nobody in the place of the worker.
        options.pool !== 'jest-worker',
    ),
    {
      name: 'zoosync threads, process.exit in the task',
      role: 'beside',
      file: 'pool/killed.js',
      options: { pool: 'zoosync', kind: 'thread' },
    },
  ],
  amount: ({ quick, long }) => (quick ? 2 : long ? 10 : 4),
  forecast: 0.6,
  verdict: timeUnder(({ median }) => median, 10e6),
};

/** @type {Question} */
const coldStart = {
  ...time,
  id: 'pool-cold-start',
  title: 'constructor until both workers have answered, median of each round',
  touched: 'nothing',
  bytes: 0,
  contenders: everyPool('cold-start.js'),
  amount: ({ quick, long }) => (quick ? 1 : long ? 5 : 1),
  forecast: 0.3,
  verdict: againstSameKind(1.2),
};

export const poolQuestions = [oneAtATime, inFlight, objects, bytesIn, bytesEcho, killed, coldStart];

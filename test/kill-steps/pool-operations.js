/** Short things to do with a pool, and what they answer. */
import { expect } from './trial.js';

const kilobyte = { text: 'x'.repeat(1000), list: [1, 2, 3] };
const megabyte = Buffer.alloc(2 ** 20, 3);

/**
 * One task: its name in the books, the call, and whether the answer is right.
 * @typedef {object} Call
 * @property {string} task
 * @property {() => Promise<unknown>} answer
 * @property {(value: any) => boolean} isRight
 * @property {boolean} [stream] it is not run again once it gave something
 */

/** @param {any} iterable */
async function all(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

/** @param {any} pool @param {string} name @param {number} count @param {(i: number) => any[]} args @param {string} task @param {(value: any) => boolean} isRight @returns {Call[]} */
function times(pool, name, count, args, task, isRight) {
  return Array.from({ length: count }, (_, i) => ({
    task: `${task} ${i}`,
    answer: () => pool.run(name, [`${task} ${i}`, ...args(i)]),
    isRight,
  }));
}

/** @type {Record<string, (pool: any) => Call[]>} */
export const operations = {
  'tasks without values': (pool) =>
    times(
      pool,
      'nothing',
      3,
      () => [],
      'nothing',
      (value) => value === undefined,
    ),
  'objects of 1 KiB': (pool) =>
    times(
      pool,
      'same',
      2,
      () => [kilobyte],
      'same',
      (value) => value.text === kilobyte.text && value.list.length === 3,
    ),
  'async tasks': (pool) =>
    times(
      pool,
      'later',
      3,
      (i) => [{ i }],
      'later',
      (value) => typeof value.i === 'number',
    ),
  '1 MiB in': (pool) =>
    times(
      pool,
      'sum',
      2,
      () => [megabyte],
      'sum',
      (value) => value === 3 * 2 ** 20,
    ),
  '1 MiB out': (pool) =>
    times(
      pool,
      'large',
      2,
      () => [2 ** 20],
      'large',
      (value) => megabyte.equals(value),
    ),
  '1 MiB in and out': (pool) =>
    times(
      pool,
      'same',
      2,
      () => [megabyte],
      'back',
      (value) => megabyte.equals(value),
    ),
  'text of 300 KiB': (pool) =>
    times(
      pool,
      'same',
      2,
      () => ['y'.repeat(300_000)],
      'text',
      (value) => value.length === 300_000,
    ),
  stream: (pool) => [
    {
      task: 'items',
      stream: true,
      answer: () => all(pool.stream('items', ['items', 40, 100])),
      isRight: (list) =>
        list.length === 40 &&
        list.every(
          (/** @type {any} */ item, /** @type {number} */ i) =>
            item.i === i && item.bytes.length === 100,
        ),
    },
  ],
  'stream of large items': (pool) => [
    {
      task: 'large items',
      stream: true,
      answer: () => all(pool.stream('items', ['large items', 4, 100_000])),
      isRight: (list) =>
        list.length === 4 &&
        list.every(
          (/** @type {any} */ item, /** @type {number} */ i) =>
            item.i === i && item.bytes.length === 100_000,
        ),
    },
  ],
  map: (pool) => {
    const names = Array.from({ length: 6 }, (_, i) => `map ${i}`);
    return [
      {
        task: 'map 0',
        answer: () => pool.map('twice', names, { concurrency: 4, chunk: 2 }).toArray(),
        isRight: (list) => list.join() === names.map((name) => `${name} ${name}`).join(),
      },
    ];
  },
};

/**
 * Makes the calls, and judges what comes of them when at most one worker has died.
 * @param {Call[]} calls
 * @param {number} retries
 * @param {() => string[]} starts the names of the tasks that were started, in order
 */
export async function judge(calls, retries, starts) {
  const settled = await Promise.allSettled(calls.map(({ answer }) => answer()));
  const runs = starts();
  let lost = 0;
  settled.forEach((outcome, i) => {
    const { task, isRight, stream } = /** @type {Call} */ (calls[i]);
    const started = runs.filter((name) => name === task).length;
    expect(
      started <= retries + 1,
      `'${task}' was started ${started} times with ${retries} retries`,
    );
    if (outcome.status === 'fulfilled') {
      expect(
        isRight(outcome.value),
        `'${task}' answered ${JSON.stringify(outcome.value)?.slice(0, 200)}`,
      );
      expect(started > 0, `'${task}' answered and was never started`);
      return;
    }
    const { code, attempts, stack } = outcome.reason;
    expect(code === 'ERR_ZOO_WORKER_DIED', `'${task}' was rejected: ${stack}`);
    expect(
      stream === true || retries === 0,
      `'${task}' was given up although ${retries} retries are allowed`,
    );
    expect(
      stream === true || attempts === retries + 1,
      `'${task}' was given up after ${attempts} attempts`,
    );
    lost += 1;
  });
  // The others had not started, or were done.
  expect(lost <= 1, `${lost} tasks were lost with one worker`);
  return lost;
}

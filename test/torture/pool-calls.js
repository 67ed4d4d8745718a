/** Every kind of call of a pool, with what each may answer. */
import { statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stream } from '../../dist/index.js';
import { bytesFor, isFor } from './support/random.js';

/** @typedef {import('./pool-round.js').PoolRound} PoolRound */
/** @typedef {(round: PoolRound) => Promise<void>} Call */

const deaths = ['SIGKILL', 'SIGSEGV', 'abort', 'exit', 'exit 0', 'throw'];
const threadDeaths = ['exit', 'exit 0', 'throw'];

/** A hundredth of what is free, so that many fit side by side, and large ones do not always. */
const largest = Math.max(200_000, Math.min(6_000_000, statfsSync('/dev/shm').bavail * 40));

/** Mostly small, now and then several megabytes. @param {PoolRound} round */
function anySize({ random }) {
  return random.happens(0.1) ? random.logarithmic(60_000, largest) : random.logarithmic(1, 60_000);
}

/** @type {Record<string, { weight: number, call: Call }>} */
export const calls = {
  small: {
    weight: 40,
    async call(round) {
      const number = round.number();
      const list = Array.from({ length: round.random.between(0, 100) }, (_, i) => i + number);
      const sum = list.reduce((total, item) => total + item, 0);
      const known = [...round.announced];
      await round.expect(
        'small',
        number,
        round.someOptions(),
        (options) => round.pool.run('small', [number, list], options),
        (/** @type {any} */ answer) =>
          answer.number === number && answer.sum === sum && round.heardAll(answer.heard, known),
      );
    },
  },
  keyed: {
    weight: 10,
    async call(round) {
      const key = `key ${round.random.between(0, 4)}`;
      const number = round.number();
      round.keyed.push({ key, number });
      await round.expect(
        'keyed',
        number,
        { ...round.someOptions(), key, priority: 0 },
        (options) => round.pool.run('small', [number, []], options),
        (/** @type {any} */ answer) => answer.number === number,
      );
    },
  },
  bytes: {
    weight: 12,
    async call(round) {
      const number = round.number();
      const size = anySize(round);
      const argument = bytesFor(number, size);
      await round.expect(
        'bytes',
        number,
        { ...round.someOptions(), large: size },
        (options) => {
          const answer = round.pool.run('bytes', [number, argument, size], options);
          // They are the caller's own again as soon as the call has returned.
          argument.fill(7);
          return answer;
        },
        (/** @type {any} */ answer) => answer.number === number && answer.size === size,
      );
    },
  },
  back: {
    weight: 6,
    async call(round) {
      const number = round.number();
      const size = anySize(round);
      await round.expect(
        'back',
        number,
        { ...round.someOptions(), large: size },
        (options) => round.pool.run('back', [number, bytesFor(number, size)], options),
        (/** @type {any} */ answer) => isFor(answer, number, size),
      );
    },
  },
  grows: {
    weight: 6,
    async call(round) {
      const number = round.number();
      const size = anySize(round);
      await round.expect(
        'grows',
        number,
        { ...round.someOptions(), large: size },
        (options) => round.pool.run('grows', [number, size], options),
        (/** @type {any} */ answer) => isFor(answer, number, size),
      );
    },
  },
  mixed: {
    weight: 5,
    async call(round) {
      const number = round.number();
      const sizes = Array.from({ length: round.random.between(1, 4) }, () => anySize(round));
      const [first = Buffer.alloc(0), ...rest] = sizes.map((size, i) => bytesFor(number + i, size));
      await round.expect(
        'mixed',
        number,
        { ...round.someOptions(), large: Math.max(...sizes) },
        (options) => round.pool.run('mixed', [number, { first, rest }], options),
        (/** @type {any} */ answer) =>
          answer.number === number &&
          isFor(answer.own, number, 70_000) &&
          isFor(answer.last, number + sizes.length - 1, sizes.at(-1) ?? 0),
      );
    },
  },
  waits: {
    weight: 6,
    async call(round) {
      const number = round.number();
      await round.expect(
        'waits',
        number,
        round.someOptions(),
        (options) => round.pool.run('waits', [number, round.random.between(0, 40)], options),
        (answer) => answer === number,
      );
    },
  },
  spins: {
    weight: 2,
    async call(round) {
      const number = round.number();
      await round.expect(
        'spins',
        number,
        round.someOptions(),
        (options) => round.pool.run('spins', [number, round.random.between(0, 60)], options),
        (answer) => answer === number,
      );
    },
  },
  stuck: {
    weight: 0.3,
    async call(round) {
      const number = round.number();
      const timeout = round.random.between(20, 200);
      await round.expect(
        'stuck',
        number,
        { timeout, retries: 0 },
        (options) => round.pool.run('spins', [number, 3_600_000], options),
        () => false,
      );
    },
  },
  fails: {
    weight: 4,
    async call(round) {
      const number = round.number();
      await round.expect(
        'fails',
        number,
        round.someOptions(),
        (options) => round.pool.run('fails', [number], options),
        () => false,
        (/** @type {any} */ error) =>
          error instanceof RangeError &&
          /** @type {any} */ (error).number === number &&
          /** @type {any} */ (error.cause).message === `cause ${number}`,
      );
    },
  },
  refuses: {
    weight: 2,
    async call(round) {
      const number = round.number();
      await round.expect(
        'refuses',
        number,
        round.someOptions(),
        (options) => round.pool.run('refuses', [number], options),
        () => false,
        (/** @type {any} */ error) => error.code === 'ERR_ZOO_UNSENDABLE',
      );
    },
  },
  progresses: {
    weight: 2,
    async call(round) {
      const number = round.number();
      const count = round.random.between(0, 60);
      let last = -1;
      const onProgress = (/** @type {any} */ value) => {
        const i = value instanceof Uint8Array ? last + 1 : value.i;
        if (!(value instanceof Uint8Array) && value.number !== number) {
          round.violation(`progress of task ${value.number} came to task ${number}`);
        }
        last = Math.max(last, i);
      };
      await round.expect(
        'progresses',
        number,
        { ...round.someOptions(), onProgress },
        (options) => round.pool.run('progresses', [number, count], options),
        (answer) => answer === number,
      );
    },
  },
  keeps: {
    weight: 1,
    async call(round) {
      const number = round.number();
      await round.expect(
        'keeps',
        number,
        round.someOptions(),
        (options) => round.pool.run('keeps', [number, 4_000_000], options),
        (answer) => answer === number,
      );
    },
  },
  dies: {
    weight: 0.4,
    async call(round) {
      const number = round.number();
      const way = round.random.one(round.kind === 'process' ? deaths : threadDeaths);
      await round.expect(
        'dies',
        number,
        { retries: round.random.between(0, 3) },
        (options) => round.pool.run('dies', [number, way], options),
        () => false,
      );
    },
  },
  stream: {
    weight: 5,
    async call(round) {
      const number = round.number();
      const count = round.random.between(0, 200);
      const size = round.random.happens(0.2) ? 80_000 : round.random.between(0, 500);
      const most = round.random.happens(0.3) ? round.random.between(0, count + 1) : Infinity;
      await round.expect(
        'stream',
        number,
        { ...round.someOptions(), stream: true, large: size },
        async (options) => {
          let next = 0;
          if (most === 0) return 0;
          for await (const item of round.pool.stream('items', [number, count, size], options)) {
            if (item.i !== next || !isFor(item.bytes, number + next, size)) return -1;
            next += 1;
            if (next === most) break;
            if (next % 40 === 0) await sleep(1);
          }
          return next;
        },
        (answer) => answer === Math.min(most, count),
      );
    },
  },
  numbers: {
    weight: 3,
    async call(round) {
      const number = round.number();
      const count = round.random.between(0, 500);
      await round.expect(
        'numbers',
        number,
        { ...round.someOptions(), stream: true },
        async (options) => {
          let next = 0;
          for await (const item of round.pool.stream('numbers', [number, count], options)) {
            if (item !== number * 1000 + next) return -1;
            next += 1;
          }
          return next;
        },
        (answer) => answer === count,
      );
    },
  },
  map: {
    weight: 4,
    async call(round) {
      const { random } = round;
      const count = random.between(0, 200);
      const items = Array.from({ length: count }, () => round.number());
      const ordered = random.happens(0.5);
      const most = random.happens(0.2) ? random.between(1, count + 2) : Infinity;
      const shape = { ordered, concurrency: random.between(1, 60), chunk: random.between(1, 20) };
      await round.expect(
        'map',
        items[0] ?? round.number(),
        { ...round.someOptions(), map: true },
        async (options) => {
          const got = [];
          for await (const one of round.pool.map('waits0', items, { ...shape, ...options })) {
            got.push(one);
            if (got.length === most) break;
          }
          return got;
        },
        (/** @type {any} */ got) => {
          if (got.length !== Math.min(most, count)) return false;
          if (ordered)
            return got.every(
              (/** @type {number} */ one, /** @type {number} */ i) => one === items[i],
            );
          return (
            new Set(got).size === got.length &&
            got.every((/** @type {number} */ one) => items.includes(one))
          );
        },
      );
    },
  },
  stage: {
    weight: 2,
    async call(round) {
      const { random } = round;
      const count = random.between(1, 100);
      const items = Array.from({ length: count }, () => round.number());
      const ordered = random.happens(0.5);
      const options = { retries: random.between(0, 3) };
      await round.expect(
        'stage',
        items[0] ?? 0,
        { ...options, map: true },
        () =>
          Stream.from(items)
            .stage(round.pool.task('waits0', options), { workers: random.between(1, 10), ordered })
            .toArray(),
        (/** @type {any} */ got) =>
          got.length === count &&
          (ordered
            ? got.every((/** @type {number} */ one, /** @type {number} */ i) => one === items[i])
            : new Set(got).size === count),
      );
    },
  },
  broadcast: {
    weight: 0.5,
    async call(round) {
      const number = round.number();
      await round.expect(
        'broadcast',
        number,
        { announcement: true },
        async () => {
          await round.pool.broadcast('announced', [number]);
          round.announced.push(number);
          return number;
        },
        (answer) => answer === number,
      );
    },
  },
};

const total = Object.values(calls).reduce((sum, { weight }) => sum + weight, 0);

/** @param {PoolRound} round @returns {[string, Call]} */
export function anyCall(round) {
  let point = round.random.next() * total;
  for (const [name, { weight, call }] of Object.entries(calls)) {
    point -= weight;
    if (point < 0) return [name, call];
  }
  return ['small', /** @type {{ call: Call }} */ (calls['small']).call];
}

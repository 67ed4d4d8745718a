/** What frames and fan-out are asked. */
import { duration, quantity, times } from '../harness/format.js';
import { median, nanosecondsEach, perSecond } from '../harness/statistics.js';
import { named, rateTimesBest, withHighestRate } from '../harness/verdict.js';

/** @typedef {import('../harness/types.d.ts').Question} Question */

const slots = 8;
const frames = /** @type {const} */ ({
  part: 'frames',
  unit: 'frames/s',
  better: 'more',
  bytes: 1920 * 1080 * 3,
});

/** @type {Question} */
const fanOut = {
  ...frames,
  id: 'frames-fan-out',
  title: '1080p rgb24 to three groups of one process each',
  touched: 'filled by one copy, one byte of each cache line read by each viewer',
  contenders: [
    { name: 'zoosync', role: 'ours', file: 'frames/fan-out.js', options: { slots } },
    {
      name: 'threads and plain memory',
      role: 'beside',
      file: 'frames/fan-out-plain.js',
      options: { slots },
    },
    {
      name: 'Buffer.copy, once',
      role: 'limit',
      file: 'copy/buffer-copy.js',
      options: { ringBytes: slots * frames.bytes },
    },
  ],
  value: perSecond,
  verdict: rateTimesBest(0.7, { ...frames, against: 'limit' }),
};

/** @type {Question} */
const answer = {
  ...frames,
  id: 'frames-answer',
  title: '1080p rgb24 to a worker and an answer back, one at a time',
  touched: 'filled by one copy, one byte of each cache line read',
  contenders: [
    { name: 'zoosync', role: 'ours', file: 'frames/answer-zoosync.js', options: { slots } },
    { name: 'fork, advanced', role: 'peer', file: 'frames/answer-child-process.js' },
    {
      name: 'worker postMessage, copied',
      role: 'peer',
      file: 'frames/answer-worker-thread.js',
      options: { transfer: false },
    },
    {
      name: 'worker postMessage, copied and transferred',
      role: 'peer',
      file: 'frames/answer-worker-thread.js',
      options: { transfer: true },
    },
    { name: 'pipe', role: 'peer', file: 'frames/answer-pipe.js' },
    { name: 'unix socket', role: 'peer', file: 'frames/answer-unix-socket.js' },
  ],
  value: perSecond,
  verdict(outcomes) {
    const ours = named(outcomes, 'zoosync');
    const best = withHighestRate(outcomes, 'peer');
    if (!ours || !best) return undefined;
    return {
      figure: quantity(ours.median, frames.unit),
      bar: `${quantity(best.median, frames.unit)} (${best.name})`,
      ratio: times(ours.median / best.median),
      target: '≥ 1000 frames/s',
      reached: ours.median >= 1000,
    };
  },
};

/** @type {Question} */
const groupCost = {
  ...frames,
  id: 'frames-groups',
  title: 'a frame with one, two and three groups of one consumer, one thread',
  touched: 'nothing',
  unit: 'ns',
  better: 'less',
  contenders: [
    ['one group', ['a']],
    ['two groups', ['a', 'b']],
    ['three groups', ['a', 'b', 'c']],
  ].map(([name, groups]) => ({
    name: String(name),
    role: 'ours',
    file: 'frames/groups.js',
    options: { slots, groups },
  })),
  value: nanosecondsEach,
  verdict(outcomes) {
    const [one, two, three] = ['one', 'two', 'three'].map((count) =>
      named(outcomes, count === 'one' ? 'one group' : `${count} groups`),
    );
    if (!one || !two || !three) return undefined;
    const second = two.median - one.median;
    const third = three.median - two.median;
    const more = Math.max(second, third);
    return {
      figure: `second ${duration(second)}, third ${duration(third)}`,
      bar: `${duration(one.median)} (one group)`,
      ratio: times(more / 500),
      target: '≤ 0.5 µs each',
      reached: more <= 500,
    };
  },
};

/** @type {Question} */
const latest = {
  ...frames,
  id: 'frames-latest',
  title: "1080p rgb24 to a fast viewer beside a 'latest' viewer that holds each for 1 s",
  touched: 'filled by one copy, one byte of each cache line read',
  seconds: 1.5,
  contenders: [
    {
      name: 'beside a sleeper',
      role: 'ours',
      file: 'frames/latest.js',
      options: { slots, sleeper: true },
    },
    {
      name: 'alone',
      role: 'limit',
      file: 'frames/latest.js',
      options: { slots, sleeper: false },
    },
  ],
  value: perSecond,
  verdict(outcomes) {
    const beside = named(outcomes, 'beside a sleeper');
    const alone = named(outcomes, 'alone');
    if (!beside || !alone) return undefined;
    // Of each round by itself: what is slow for a while on this machine is slow for both.
    const ratios = beside.values.map((value, round) => value / (alone.values[round] ?? Number.NaN));
    const fall = (1 - median(ratios)) * 100;
    return {
      figure: quantity(beside.median, frames.unit),
      bar: `${quantity(alone.median, frames.unit)} (alone)`,
      ratio: `${Math.abs(fall).toFixed(1)} % ${fall < 0 ? 'more' : 'less'}, median of the rounds`,
      target: '< 2 % less',
      reached: fall < 2,
    };
  },
};

/** @param {readonly number[] | undefined} values */
const sum = (values = []) => values.reduce((total, value) => total + value, 0);

/** @type {Question} */
const killed = {
  ...frames,
  id: 'frames-killed',
  title: 'viewers killed at random, producer at full speed',
  touched: 'filled by one copy, one byte of each cache line read',
  contenders: [
    {
      name: 'viewers killed',
      role: 'ours',
      file: 'frames/killed.js',
      options: { slots, kill: true },
    },
    {
      name: 'viewers left alone',
      role: 'beside',
      file: 'frames/killed.js',
      options: { slots, kill: false },
    },
  ],
  amount: ({ quick, long, rounds }) => (quick ? 5 : long ? Math.ceil(1000 / rounds) : 5),
  forecast: 1.5,
  value: perSecond,
  verdict(outcomes) {
    const ours = named(outcomes, 'viewers killed');
    if (!ours) return undefined;
    const { figures } = ours;
    const lost = sum(figures.lost);
    const longest = Math.max(...(figures.longestWait ?? []));
    const undisturbed = named(outcomes, 'viewers left alone')?.figures.longestWait ?? [];
    return {
      figure: `${sum(figures.kills)} kills, ${lost} of ${sum(figures.frames)} frames lost, longest wait ${duration(longest)}`,
      bar: `longest wait ${duration(Math.max(...undisturbed))} (left alone)`,
      ratio: times(longest / 100e6),
      target: '0 lost, ≤ 100 ms',
      reached: lost === 0 && longest <= 100e6,
    };
  },
};

export const framesQuestions = [fanOut, answer, groupCost, latest, killed];

/** How the cost of a message grows: with its size, and with what else there is. */
import { duration, quantity, times } from '../harness/format.js';
import { named } from '../harness/verdict.js';

/** @typedef {import('../harness/types.d.ts').Question} Question */
/** @typedef {import('../harness/types.d.ts').Outcome} Outcome */
/** @typedef {import('../harness/types.d.ts').ContenderDescription} ContenderDescription */

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** What stands for a curve where there is room for one number: its value at `x`. @param {number} x */
const valueAt =
  (x) =>
  (/** @type {import('../harness/types.d.ts').Sample} */ { points = [] }) =>
    points.find((point) => point.x === x)?.value ?? Number.NaN;

/** @param {Outcome | undefined} outcome @returns {number[]} medians from the left to the right */
const mediansOf = (outcome) => outcome?.points?.map(({ median }) => median) ?? [];

/** A curve is measured once a round, whatever the pace. */
const once = /** @type {const} */ ({ amount: () => 1, part: 'queue', verdict: () => undefined });

const sizes = [1, 8, 64, 512, 4 * KiB, 32 * KiB, 256 * KiB, MiB, 8 * MiB, 64 * MiB];

/** @param {string} name @param {string} way @param {'ours' | 'beside'} role @returns {ContenderDescription} */
const zoosyncSizes = (name, way, role) => ({
  name: `zoosync, ${name}`,
  role,
  file: 'scaling/size-zoosync.js',
  options: { sizes, way },
});

/** @param {string} name @param {string} file @param {object} [options] @returns {ContenderDescription} */
const peerSizes = (name, file, options = {}) => ({
  name,
  role: 'peer',
  file: 'scaling/size-peer.js',
  options: { sizes, file, ...options },
});

/** @type {Question} */
const size = {
  ...once,
  id: 'scaling-size',
  title: 'messages of 1 B to 64 MiB, one at a time, two processes',
  touched:
    'written in full by one copy or, in place, by fill; copied out in full, or one byte of each cache line of the view read',
  unit: 'B/s',
  better: 'more',
  bytes: MiB,
  forecast: 1,
  curve: { x: 'bytes of a message', y: 'throughput', scale: 'log' },
  contenders: [
    zoosyncSizes('copied in, viewed', 'viewed', 'ours'),
    zoosyncSizes('copied in and out', 'copied out', 'beside'),
    zoosyncSizes('filled and viewed in place', 'in place', 'beside'),
    {
      name: 'Buffer.copy, once',
      role: 'limit',
      file: 'scaling/size-buffer-copy.js',
      options: { sizes },
    },
    peerSizes('worker postMessage, copied', 'worker-thread.js', { transfer: false }),
    peerSizes('unix socket', 'unix-socket.js', { corked: false }),
    // Beyond a MiB one message takes as long as all other points together.
    peerSizes('child_process, advanced', 'child-process.js', {
      serialization: 'advanced',
      sizes: sizes.filter((bytes) => bytes <= MiB),
    }),
  ],
  value: valueAt(MiB),
};

const counts = [1, 2, 4, 8];

/** @param {'producers' | 'consumers'} side @returns {ContenderDescription[]} */
const many = (side) =>
  [1, 64].flatMap((batch) => {
    const how = batch === 1 ? 'one at a time' : `${batch} at a time`;
    const options = { counts, side, batch };
    return /** @type {ContenderDescription[]} */ ([
      {
        name: `zoosync, ${how}`,
        role: batch === 1 ? 'ours' : 'beside',
        file: 'scaling/many-zoosync.js',
        options,
      },
      {
        name: `unix socket, ${batch === 1 ? how : `${batch} corked`}`,
        role: batch === 1 ? 'peer' : 'beside',
        file: 'scaling/many-unix-socket.js',
        options,
      },
    ]);
  });

const manyProcesses = /** @type {const} */ ({
  ...once,
  touched: 'written in full, copied out, first byte read and its sum checked',
  unit: 'msg/s',
  better: 'more',
  bytes: 64,
  forecast: 0.4,
});

/** @type {Question} */
const producers = {
  ...manyProcesses,
  id: 'scaling-producers',
  title: '64 B from 1 to 8 producers to one consumer, a process each',
  curve: { x: 'producers', y: 'messages of all together', scale: 'log' },
  contenders: many('producers'),
  value: valueAt(8),
};

/** @type {Question} */
const consumers = {
  ...manyProcesses,
  id: 'scaling-consumers',
  title: '64 B from one producer to 1 to 8 consumers that share them, a process each',
  curve: { x: 'consumers', y: 'messages of all together', scale: 'log' },
  contenders: many('consumers'),
  value: valueAt(8),
};

const groupCounts = [1, 2, 3, 4];
const mostForAGroup = 500;

/** @type {Question} */
const groups = {
  ...once,
  id: 'scaling-groups',
  title: 'a message for one to four groups of one consumer each, in place, one thread',
  touched: 'nothing',
  unit: 'ns',
  better: 'less',
  bytes: 64,
  forecast: 0.3,
  curve: { x: 'groups', y: 'time of a message, put and taken by all', scale: 'linear' },
  contenders: [
    {
      name: 'ring',
      role: 'ours',
      file: 'scaling/groups.js',
      options: { counts: groupCounts, queue: {} },
    },
    {
      name: 'frames',
      role: 'ours',
      file: 'scaling/groups.js',
      options: { counts: groupCounts, queue: { slots: 8, slotSize: 64 } },
    },
  ],
  value: valueAt(4),
  verdict(outcomes) {
    const ours = ['ring', 'frames'].map((name) => ({
      name,
      medians: mediansOf(named(outcomes, name)),
    }));
    if (ours.some(({ medians }) => medians.length < groupCounts.length)) return undefined;
    const further = ours.map(({ name, medians }) => {
      const [first = 0] = medians;
      return { name, first, cost: ((medians.at(-1) ?? 0) - first) / (medians.length - 1) };
    });
    const most = Math.max(...further.map(({ cost }) => cost));
    return {
      figure: `${further.map(({ name, cost }) => `${name} ${duration(cost)}`).join(', ')} for each further group`,
      bar: `${further.map(({ name, first }) => `${name} ${duration(first)}`).join(', ')} with one`,
      ratio: times(most / mostForAGroup),
      target: `≤ ${duration(mostForAGroup)} each`,
      reached: most <= mostForAGroup,
    };
  },
};

const flat = 1.5;

/** @type {Question} */
const fill = {
  ...once,
  id: 'scaling-fill',
  title: '64 B put and got by one thread while the ring holds others',
  touched: 'copied in and out',
  unit: 'ns',
  better: 'less',
  bytes: 64,
  forecast: 0.4,
  curve: { x: 'percent of the ring that is full', y: 'time of a put and a get', scale: 'linear' },
  contenders: [
    {
      name: 'zoosync',
      role: 'ours',
      file: 'scaling/fill.js',
      options: { percents: [0, 25, 50, 75, 95] },
    },
  ],
  value: valueAt(95),
  verdict(outcomes) {
    const medians = mediansOf(named(outcomes, 'zoosync'));
    if (medians.length === 0) return undefined;
    const ratio = Math.max(...medians) / Math.min(...medians);
    return {
      figure: `${duration(Math.max(...medians))} at the slowest fill`,
      bar: `${duration(Math.min(...medians))} at the fastest`,
      ratio: times(ratio),
      target: `≤ ${flat}x`,
      reached: ratio <= flat,
    };
  },
};

const mostIdleUse = 0.5;

/** @type {Question} */
const queues = {
  ...once,
  id: 'scaling-queues',
  title: '1 to 256 queues open in one process, a promise waiting for each',
  touched: 'nothing',
  unit: '% of a processor',
  better: 'less',
  bytes: 64,
  forecast: 3.5,
  curve: { x: 'queues', y: 'processor time while waiting', scale: 'log' },
  contenders: [
    {
      name: 'zoosync',
      role: 'ours',
      file: 'scaling/queues.js',
      options: { counts: [1, 4, 16, 64, 256] },
    },
  ],
  value: valueAt(256),
  verdict(outcomes) {
    const ours = named(outcomes, 'zoosync');
    if (!ours) return undefined;
    /** @param {string} name */
    const most = (name) => Math.max(...(ours.figures[name] ?? []));
    return {
      figure: `${quantity(ours.median, 'percent')}, ${most('threads')} threads, ${most('doorbells')} doorbell, ${most('descriptors')} descriptors`,
      bar: `${most('queues')} queues`,
      ratio: times(ours.median / mostIdleUse),
      target: `≤ ${mostIdleUse} percent, no thread, one doorbell`,
      reached: ours.median <= mostIdleUse && most('threads') <= 0 && most('doorbells') === 1,
    };
  },
};

const passes = [1, 2, 3, 4];

/** @param {string} how @param {object} queue @returns {ContenderDescription[]} */
const pagesOf = (how, queue) =>
  [64, 64 * KiB].map((bytes) => ({
    name: `${bytes === 64 ? '64 B' : '64 KiB'}, ${how}`,
    role: 'ours',
    file: 'scaling/pages.js',
    options: { passes, size: 16 * MiB, bytes, queue },
  }));

/** @type {Question} */
const pages = {
  ...once,
  id: 'scaling-pages',
  title: 'passes over a fresh ring of 16 MiB, copied in and viewed, one thread, two handles',
  touched: 'written in full by one copy, one byte of each cache line read',
  unit: 'ns',
  better: 'less',
  bytes: 64,
  forecast: 0.4,
  curve: { x: 'pass over the ring', y: 'time for a page of messages', scale: 'linear' },
  contenders: [
    ...pagesOf('as it comes', {}),
    ...pagesOf('reserve: false', { reserve: false }),
    ...pagesOf('prefault: true', { prefault: true }),
  ],
  value: valueAt(1),
};

export const scalingQuestions = [size, producers, consumers, groups, fill, queues, pages];

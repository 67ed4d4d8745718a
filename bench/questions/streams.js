/** What streams, channels and pipes are asked. */
import { quantity, times } from '../harness/format.js';
import { nanosecondsEach, perSecond } from '../harness/statistics.js';
import { named, rateTimesBest, withHighestRate } from '../harness/verdict.js';

/** @typedef {import('../harness/types.d.ts').Question} Question */

const MiB = 2 ** 20;
const part = 'streams';

/** @type {Question} */
const operators = {
  id: 'streams-operators',
  part,
  title: 'map, filter, map over an array, for each item',
  touched: 'every item, and the sum checked',
  unit: 'ns',
  better: 'less',
  bytes: 0,
  contenders: [
    { name: 'zoosync', role: 'ours', file: 'streams/operators-zoosync.js' },
    { name: 'async generators', role: 'peer', file: 'streams/operators-generators.js' },
    { name: 'Readable operators', role: 'peer', file: 'streams/operators-readable.js' },
  ],
  value: nanosecondsEach,
  verdict(outcomes) {
    const ours = named(outcomes, 'zoosync');
    const generators = named(outcomes, 'async generators');
    const readable = named(outcomes, 'Readable operators');
    if (!ours || !generators || !readable) return undefined;
    const faster = [generators, readable].map(({ median }) => median / ours.median);
    const [thanGenerators = 0, thanReadable = 0] = faster;
    return {
      figure: quantity(ours.median, 'ns'),
      bar: `${quantity(generators.median, 'ns')} (generators), ${quantity(readable.median, 'ns')} (Readable)`,
      ratio: `${times(thanGenerators)} and ${times(thanReadable)} faster`,
      target: '≤ 80 ns, ≥ 3x and ≥ 10x faster',
      reached: ours.median <= 80 && thanGenerators >= 3 && thanReadable >= 10,
    };
  },
};

/** @type {Question} */
const channel = {
  id: 'streams-channel',
  part,
  title: 'small objects through a Channel, two processes',
  touched: 'made, encoded, decoded; the sum of one property checked',
  unit: 'items/s',
  better: 'more',
  bytes: 0,
  contenders: [
    {
      name: 'zoosync, to(channel)',
      role: 'ours',
      file: 'streams/channel-zoosync.js',
      options: { batched: true },
    },
    {
      name: 'zoosync, await send',
      role: 'beside',
      file: 'streams/channel-zoosync.js',
      options: { batched: false },
    },
    { name: 'child_process, advanced', role: 'peer', file: 'streams/channel-child-process.js' },
  ],
  value: perSecond,
  verdict: rateTimesBest(5, { unit: 'items/s' }),
};

const chunk = 64 * 1024;
/** As large as the guide's, so that neither side of the copy stays in the processor's cache. */
const pipeRing = 50 * MiB;
/** What a pipe has when nobody says otherwise: most of it stays in the cache. */
const defaultPipeRing = 10 * MiB;

/** @type {Question} */
const pipe = {
  id: 'streams-pipe',
  part,
  title: '64 KiB chunks through a ZooPipe, two processes',
  touched: 'written in full, one byte of each cache line read, in place or copied out first',
  unit: 'B/s',
  better: 'more',
  bytes: chunk,
  contenders: [
    {
      name: 'zoosync, views',
      role: 'ours',
      file: 'streams/pipe-zoosync.js',
      options: { ringBytes: pipeRing, inPlace: true },
    },
    {
      name: 'zoosync, views, 10 MiB',
      role: 'beside',
      file: 'streams/pipe-zoosync.js',
      options: { ringBytes: defaultPipeRing, inPlace: true },
    },
    {
      name: 'zoosync, copied out',
      role: 'beside',
      file: 'streams/pipe-zoosync.js',
      options: { ringBytes: pipeRing, inPlace: false },
    },
    {
      name: 'unix socket, onread',
      role: 'peer',
      file: 'streams/pipe-unix-socket.js',
      options: { inPlace: true },
    },
    {
      name: 'unix socket',
      role: 'peer',
      file: 'streams/pipe-unix-socket.js',
      options: { inPlace: false },
    },
    {
      name: 'Buffer.copy',
      role: 'limit',
      file: 'copy/buffer-copy.js',
      options: { ringBytes: pipeRing },
    },
  ],
  value: (sample) => perSecond(sample) * chunk,
  verdict(outcomes) {
    const ours = named(outcomes, 'zoosync, views');
    const copy = named(outcomes, 'Buffer.copy');
    const socket = withHighestRate(outcomes, 'peer');
    if (!ours || !socket || !copy) return undefined;
    const timesSocket = ours.median / socket.median;
    const timesCopy = ours.median / copy.median;
    return {
      figure: quantity(ours.median, 'B/s'),
      bar: `${quantity(socket.median, 'B/s')} (${socket.name}), ${quantity(copy.median, 'B/s')} (Buffer.copy)`,
      ratio: `${times(timesSocket)} and ${times(timesCopy)}`,
      target: '≥ 2x and ≥ 0.5x',
      reached: timesSocket >= 2 && timesCopy >= 0.5,
    };
  },
};

const workers = 4;

/** @type {Question} */
const stage = {
  id: 'streams-stage',
  part,
  title: `a stage with ${workers} process workers, about 1 ms of work for each item`,
  touched: 'a number there and a number back',
  unit: 'items/s',
  better: 'more',
  bytes: 0,
  // The ideal has to be long beside the moment in which its processes start and end together.
  seconds: 1,
  contenders: [
    {
      name: 'zoosync',
      role: 'ours',
      file: 'streams/stage-zoosync.js',
      options: { workers, each: 4 },
    },
    {
      name: 'the work alone',
      role: 'limit',
      file: 'streams/stage-ideal.js',
      options: { workers },
    },
  ],
  value: perSecond,
  verdict: rateTimesBest(0.95, { unit: 'items/s', against: 'limit' }),
};

const memoryLimit = 50 * MiB;
const memoryChunk = MiB;
/** One filter on each side. */
const filters = 2;

/** @type {Question} */
const memory = {
  id: 'streams-memory',
  part,
  title: 'memory held by a pipe of 50 MiB that moves 2 GiB to a slow reader',
  touched: 'written in full',
  unit: 'MiB',
  better: 'less',
  bytes: memoryChunk,
  contenders: [
    {
      name: 'zoosync',
      role: 'ours',
      file: 'streams/memory-zoosync.js',
      options: { ringBytes: memoryLimit },
    },
  ],
  amount: ({ quick }) => (quick ? 64 : 2048),
  forecast: 4,
  value: ({ figures = {} }) => figures.held ?? Number.NaN,
  verdict(outcomes) {
    const ours = named(outcomes, 'zoosync');
    if (!ours) return undefined;
    const { besideSecondThird = [], besideLastThird = [], peak = [] } = ours.figures;
    const allowed = (memoryLimit + 2 * filters * memoryChunk) / MiB;
    const growths = besideLastThird.map((late, run) => late - (besideSecondThird[run] ?? 0));
    const growth = Math.max(0, ...growths);
    return {
      figure: `${quantity(ours.highest, 'MiB')}, at single moments ${quantity(Math.max(...peak), 'MiB')}`,
      bar: `${quantity(allowed, 'MiB')} (ring, 2 chunks for each filter)`,
      ratio: `${times(ours.highest / allowed)}, beside the ring ${quantity(growth, 'MiB')} more at the end`,
      target: '≤ 1x, flat',
      reached: ours.highest <= allowed && growth <= (2 * memoryChunk) / MiB,
    };
  },
};

export const streamsQuestions = [operators, channel, pipe, stage, memory];

/** What the queue is asked. */
import { latencyAt, nanosecondsEach, perSecond } from '../harness/statistics.js';
import {
  allOf,
  rateScaledFrom,
  rateTimesBest,
  rateTimesOther,
  timeTimesOther,
} from '../harness/verdict.js';

/** @typedef {import('../harness/types.d.ts').Question} Question */

const MiB = 2 ** 20;
const frameBytes = 1920 * 1080 * 3;

/** Everybody who sends one message after the other. */
const streamPeers = /** @type {const} */ ([
  {
    name: 'child_process, json',
    role: 'peer',
    file: 'stream/child-process.js',
    options: { serialization: 'json' },
  },
  {
    name: 'child_process, advanced',
    role: 'peer',
    file: 'stream/child-process.js',
    options: { serialization: 'advanced' },
  },
  {
    name: 'worker postMessage, copied',
    role: 'peer',
    file: 'stream/worker-thread.js',
    options: { transfer: false },
  },
  {
    name: 'worker postMessage, transferred',
    role: 'peer',
    file: 'stream/worker-thread.js',
    options: { transfer: true },
  },
  { name: 'pipe', role: 'peer', file: 'stream/pipe.js', options: { corked: false } },
  {
    name: 'unix socket',
    role: 'peer',
    file: 'stream/unix-socket.js',
    options: { corked: false },
  },
  { name: 'zeromq.js push/pull', role: 'peer', file: 'stream/zeromq.js' },
]);

/**
 * @param {{ batch: number, awaited: boolean }} options
 * @returns {import('../harness/types.d.ts').ContenderDescription[]}
 */
const redis = (options) => [
  { name: 'Redis list', role: 'peer', file: 'stream/redis-list.js', options },
  { name: 'Redis stream', role: 'peer', file: 'stream/redis-stream.js', options },
];

/** Between the threads of one process only, so it is not what the others are measured by. */
const threadRing = /** @type {const} */ ({
  name: 'SharedArrayBuffer ring, threads',
  role: 'beside',
  file: 'stream/shared-array-ring.js',
});

const corked = /** @type {const} */ ([
  {
    name: 'pipe, 256 corked',
    role: 'beside',
    file: 'stream/pipe.js',
    options: { corked: true },
  },
  {
    name: 'unix socket, 256 corked',
    role: 'beside',
    file: 'stream/unix-socket.js',
    options: { corked: true },
  },
]);

const stream = /** @type {const} */ ({
  part: 'queue',
  touched: 'written in full, first byte read and its sum checked',
  unit: 'msg/s',
  better: 'more',
  bytes: 64,
});

/** In a ring as large as that of a queue for which no size is given. */
const bareRing = /** @type {const} */ ({
  name: 'C++ SPSC ring',
  role: 'limit',
  file: 'native/spsc-ring.js',
  options: { ringBytes: 10 * MiB, take: 'copy' },
});

/** Queues of other languages. */
const nativeQueues = /** @type {const} */ ([
  {
    name: 'Boost message_queue, C++',
    role: 'limit',
    file: 'native/boost-message-queue.js',
  },
  { name: 'iceoryx, C++, polling', role: 'limit', file: 'native/iceoryx.js' },
]);

/** What the same queue reached in Python, in messages a second, with a bare ring beside it. */
const pythonOriginal = {
  name: 'the Rust core of the Python original, scaled',
  rate: 5.8e6,
  scale: { name: bareRing.name, rate: 59e6 },
};

/** @type {Question} */
const single = {
  ...stream,
  id: 'queue-single',
  title: '64 B one at a time, putBytesSync / getBytesSync, two processes',
  contenders: [
    { name: 'zoosync', role: 'ours', file: 'stream/zoosync-single.js' },
    ...streamPeers,
    ...redis({ batch: 1, awaited: false }),
    ...corked,
    threadRing,
    ...nativeQueues,
    bareRing,
  ],
  value: perSecond,
  verdict: allOf(
    rateTimesBest(8, stream),
    rateTimesOther(1, 'Boost message_queue, C++', stream),
    rateScaledFrom(pythonOriginal, stream),
  ),
};

/** @type {Question} */
const batch = {
  ...stream,
  id: 'queue-batch',
  title: '64 B, 256 at a time, putPackedSync / getPackedSync, two processes',
  contenders: [
    { name: 'zoosync, packed', role: 'ours', file: 'stream/zoosync-packed.js' },
    {
      name: 'zoosync, views',
      role: 'beside',
      file: 'stream/zoosync-batch.js',
      options: { touch: true },
    },
    {
      name: 'zoosync, views not touched',
      role: 'beside',
      file: 'stream/zoosync-batch.js',
      options: { touch: false },
    },
    ...streamPeers,
    ...redis({ batch: 256, awaited: false }),
    ...corked,
    threadRing,
    bareRing,
  ],
  value: perSecond,
  verdict: allOf(rateTimesBest(40, stream), rateTimesOther(0.5, bareRing.name, stream)),
};

/** @type {Question} */
const awaited = {
  ...stream,
  id: 'queue-await',
  title: '64 B one at a time, await put / for await, two processes',
  contenders: [
    {
      name: 'zoosync, bytes',
      role: 'ours',
      file: 'stream/zoosync-await.js',
      options: { codec: 'bytes' },
    },
    {
      name: 'zoosync, msgpack',
      role: 'beside',
      file: 'stream/zoosync-await.js',
      options: { codec: 'msgpack' },
    },
    ...streamPeers,
    ...redis({ batch: 1, awaited: true }),
  ],
  value: perSecond,
  verdict: rateTimesBest(2, stream),
};

/**
 * @param {{ id: string, title: string, bytes: number, ringBytes: number }} question
 * @returns {Question}
 */
const copyOf = ({ id, title, bytes, ringBytes }) => ({
  id,
  part: 'queue',
  title: `${title} put by copy, view read, two processes`,
  touched: 'written in full by one copy, one byte of each cache line read',
  unit: 'msg/s',
  better: 'more',
  bytes,
  contenders: [
    { name: 'zoosync', role: 'ours', file: 'copy/zoosync-put.js', options: { ringBytes } },
    { name: 'memcpy, C++', role: 'limit', file: 'native/memcpy.js', options: { ringBytes } },
    {
      name: 'C++ SPSC ring, view read',
      role: 'beside',
      file: 'native/spsc-ring.js',
      options: { ringBytes, take: 'view' },
    },
    { name: 'Buffer.copy', role: 'limit', file: 'copy/buffer-copy.js', options: { ringBytes } },
    {
      name: 'worker postMessage, copied',
      role: 'peer',
      file: 'copy/worker-thread.js',
      options: { ringBytes, transfer: false },
    },
    {
      name: 'worker postMessage, copied and transferred',
      role: 'peer',
      file: 'copy/worker-thread.js',
      options: { ringBytes, transfer: true },
    },
    { name: 'pipe', role: 'peer', file: 'copy/pipe.js' },
    { name: 'unix socket', role: 'peer', file: 'copy/unix-socket.js' },
  ],
  value: perSecond,
  verdict: allOf(
    rateTimesOther(0.85, 'memcpy, C++', { unit: 'msg/s' }),
    rateTimesOther(0.7, 'Buffer.copy', { unit: 'msg/s' }),
  ),
});

const copy = copyOf({ id: 'queue-copy', title: '1 MiB', bytes: MiB, ringBytes: 16 * MiB });

const copyFrame = copyOf({
  id: 'queue-copy-frame',
  title: '6.2 MB (a 1080p frame)',
  bytes: frameBytes,
  ringBytes: 64 * MiB,
});

/** @type {Question} */
const inPlace = {
  id: 'queue-in-place',
  part: 'queue',
  title: '6.2 MB reserve / commitWrite, recvView / commitRead, one thread',
  touched: 'nothing',
  unit: 'ns',
  better: 'less',
  bytes: frameBytes,
  contenders: [
    {
      name: 'zoosync, 6.2 MB',
      role: 'ours',
      file: 'in-place/zoosync-reserve.js',
      options: { size: 64 * MiB },
    },
    {
      name: 'zoosync, 64 B',
      role: 'limit',
      file: 'in-place/zoosync-reserve.js',
      options: { size: 64 * MiB, bytes: 64 },
    },
  ],
  value: nanosecondsEach,
  verdict: timeTimesOther(1.5, 'zoosync, 64 B'),
};

const roundTrip = /** @type {const} */ ({
  part: 'queue',
  touched: 'written and read in full',
  unit: 'ns',
  better: 'less',
  bytes: 64,
});

/** @type {Question} */
const blockingRoundTrip = {
  ...roundTrip,
  id: 'queue-round-trip-blocking',
  title: '64 B there and back, blocking calls, median of each round',
  contenders: [
    { name: 'zoosync', role: 'ours', file: 'round-trip/zoosync-blocking.js' },
    { name: 'futex ping-pong in C++', role: 'limit', file: 'round-trip/futex-ping-pong.js' },
    {
      name: 'the same in C++, watching 50 µs first as we do',
      role: 'beside',
      file: 'round-trip/futex-ping-pong.js',
      options: { microseconds: 50 },
    },
  ],
  value: latencyAt(50),
  verdict: timeTimesOther(1.5, 'futex ping-pong in C++'),
};

/** @type {Question} */
const eventLoopRoundTrip = {
  ...roundTrip,
  id: 'queue-round-trip-event-loop',
  title: '64 B there and back, event loop, median of each round',
  contenders: [
    { name: 'zoosync', role: 'ours', file: 'round-trip/zoosync-event-loop.js' },
    { name: 'worker postMessage', role: 'peer', file: 'round-trip/worker-thread.js' },
    { name: 'child_process, advanced', role: 'peer', file: 'round-trip/child-process.js' },
  ],
  value: latencyAt(50),
  verdict: timeTimesOther(0.5, 'worker postMessage'),
};

export const queueQuestions = [
  single,
  batch,
  awaited,
  copy,
  copyFrame,
  inPlace,
  blockingRoundTrip,
  eventLoopRoundTrip,
];

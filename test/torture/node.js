/**
 * Queues of both stores, locks around accounts in shared memory, channels and pipes, between processes
 * and threads that are killed, stopped, terminated, and that close, open, unlink and make anew:
 *
 *   node test/torture/node.js --seconds 20 --seed 7 [--only ring|frames|lock|stream] [--report FILE]
 */
import { lockRound } from './lock-round.js';
import { QueueRound } from './queue-round.js';
import { streamRound } from './stream-round.js';
import { children, comesTrue, holdings, segments } from './support/leaks.js';
import { randomFrom } from './support/random.js';
import { Report, readRequest } from './support/report.js';

const request = readRequest('node');
const report = new Report('node', request);
process.stdout.write(`node: seed ${request.seed}, ${request.seconds} s\n`);
const random = randomFrom(request.seed);
/** Milliseconds that the last round may take. */
const longestEnd = 240_000;
const end = performance.now() + request.seconds * 1000;
const ours = new RegExp(`^zootorture\\.${process.pid}\\.`);

setTimeout(
  () => {
    report.violation('this program does not come to an end');
    report.finish();
  },
  request.seconds * 1000 + longestEnd,
).unref();

// An error that nobody handles is a promise that nobody was given.
process.on('unhandledRejection', (error) => {
  report.violation(
    `a rejection that nobody can handle: ${error instanceof Error ? error.stack : error}`,
  );
});

/**
 * What is held must not grow from round to round; bells of the dead are let go of when the next one is met.
 * @type {ReturnType<typeof holdings> | undefined}
 */
let before;

const rounds = {
  ring: (/** @type {number} */ milliseconds) =>
    new QueueRound(fork(), report, 'ring').run(milliseconds),
  frames: (/** @type {number} */ milliseconds) =>
    new QueueRound(fork(), report, 'frames').run(milliseconds),
  lock: (/** @type {number} */ milliseconds) => lockRound(fork(), report, milliseconds),
  stream: () => streamRound(fork(), report),
};

/** Each round has random numbers of its own. */
function fork() {
  return randomFrom(random.between(0, 2 ** 31));
}

while (performance.now() < end) {
  const kind = /** @type {keyof typeof rounds} */ (
    request.only ||
    random.one(['ring', 'frames', 'ring', 'frames', 'lock', 'stream', 'stream', 'stream', 'stream'])
  );
  const milliseconds = Math.min(Math.max(end - performance.now(), 500), random.between(3000, 8000));
  await rounds[kind](milliseconds);
  const isClean = await comesTrue(
    () => segments(ours).length === 0 && children().length === 0 && holdings().mappings === 0,
    10_000,
  );
  if (!isClean) {
    report.violation(
      `left after a round: ${segments(ours)}, processes ${children()}, ${JSON.stringify(holdings())}`,
    );
    break;
  }
  before ??= holdings();
}

const grown = (/** @type {ReturnType<typeof holdings>} */ now) =>
  before !== undefined &&
  (now.descriptors > before.descriptors + 16 || now.threads > before.threads + 2);
if (!(await comesTrue(() => !grown(holdings()), 10_000))) {
  report.violation(
    `held at first ${JSON.stringify(before)}, and now ${JSON.stringify(holdings())}`,
  );
}
report.count('megabytes at the end', holdings().megabytes);
report.finish();

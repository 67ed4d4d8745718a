/**
 * Queues of both stores, locks around accounts in shared memory, channels and pipes, between processes
 * and threads that are killed, stopped, terminated, and that close, open, unlink and make anew:
 *
 *   node test/torture/node.js --seconds 20 --seed 7 [--only ring|frames|lock|stream] [--report FILE]
 */
import { lockRound } from './lock-round.js';
import { QueueRound } from './queue-round.js';
import { streamRound } from './stream-round.js';
import { randomFrom } from './support/random.js';
import { Report, readRequest } from './support/report.js';
import { runRounds } from './support/rounds.js';

const request = readRequest('node');
const report = new Report('node', request);
process.stdout.write(`node: seed ${request.seed}, ${request.seconds} s\n`);
const random = randomFrom(request.seed);
const ours = new RegExp(`^zootorture\\.${process.pid}\\.`);

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

await runRounds(report, request.seconds, ours, async (rest) => {
  const kind = /** @type {keyof typeof rounds} */ (
    request.only ||
    random.one(['ring', 'frames', 'ring', 'frames', 'lock', 'stream', 'stream', 'stream', 'stream'])
  );
  const milliseconds = Math.min(Math.max(rest, 500), random.between(3000, 8000));
  await rounds[kind](milliseconds);
});

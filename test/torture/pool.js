/**
 * Pools under load whose workers are killed, stopped, crash and end in every other way, while pools
 * are closed, destroyed, resized and made anew:
 *
 *   node test/torture/pool.js --seconds 20 --seed 7 [--only process|thread] [--report FILE]
 */
import { PoolRound } from './pool-round.js';
import { children, comesTrue, holdings, segments } from './support/leaks.js';
import { randomFrom } from './support/random.js';
import { Report, readRequest } from './support/report.js';

const request = readRequest('pool');
const report = new Report('pool', request);
process.stdout.write(`pool: seed ${request.seed}, ${request.seconds} s\n`);
const random = randomFrom(request.seed);
/** Milliseconds that the last round may take. */
const longestEnd = 240_000;
const end = performance.now() + request.seconds * 1000;

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

const ours = new RegExp(`^zoosync-pool-${process.pid}-`);

/**
 * What is held must not grow from round to round; bells of the dead are let go of when the next one is met.
 * @type {ReturnType<typeof holdings> | undefined}
 */
let before;

while (performance.now() < end) {
  const rest = end - performance.now();
  const milliseconds = Math.min(rest, random.between(1500, 5000));
  const several = random.happens(0.3) ? 2 : 1;
  await Promise.all(
    Array.from({ length: several }, () =>
      new PoolRound(randomFrom(random.between(0, 2 ** 31)), report, request.only).run(milliseconds),
    ),
  );
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

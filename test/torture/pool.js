/**
 * Pools under load whose workers are killed, stopped, crash and end in every other way, while pools
 * are closed, destroyed, resized and made anew:
 *
 *   node test/torture/pool.js --seconds 20 --seed 7 [--only process|thread] [--report FILE]
 */
import { PoolRound } from './pool-round.js';
import { randomFrom } from './support/random.js';
import { Report, readRequest } from './support/report.js';
import { runRounds } from './support/rounds.js';

const request = readRequest('pool');
const report = new Report('pool', request);
process.stdout.write(`pool: seed ${request.seed}, ${request.seconds} s\n`);
const random = randomFrom(request.seed);
const ours = new RegExp(`^zoosync-pool-${process.pid}-`);

await runRounds(report, request.seconds, ours, async (rest) => {
  const milliseconds = Math.min(rest, random.between(1500, 5000));
  const several = random.happens(0.3) ? 2 : 1;
  await Promise.all(
    Array.from({ length: several }, () =>
      new PoolRound(randomFrom(random.between(0, 2 ** 31)), report, request.only).run(milliseconds),
    ),
  );
});

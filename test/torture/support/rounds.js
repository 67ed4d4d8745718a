/** Rounds of torture for a while; after each, and at the end, nothing may be left or held. */
import { children, comesTrue, holdings, segments } from './leaks.js';

/** Milliseconds that the last round may take. */
const longestEnd = 240_000;

/**
 * @param {import('./report.js').Report} report
 * @param {number} seconds
 * @param {RegExp} ours names in /dev/shm that only this program makes
 * @param {(rest: number) => Promise<unknown>} round `rest`: milliseconds until the end
 */
export async function runRounds(report, seconds, ours, round) {
  const end = performance.now() + seconds * 1000;
  setTimeout(
    () => {
      report.violation('this program does not come to an end');
      report.finish();
    },
    seconds * 1000 + longestEnd,
  ).unref();
  // An error that nobody handles is a promise that nobody was given.
  process.on('unhandledRejection', (error) => {
    report.violation(
      `a rejection that nobody can handle: ${error instanceof Error ? error.stack : error}`,
    );
  });
  /**
   * Of the first round; bells of the dead are let go of when the next one is met.
   * @type {ReturnType<typeof holdings> | undefined}
   */
  let before;
  while (performance.now() < end) {
    await round(end - performance.now());
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
}

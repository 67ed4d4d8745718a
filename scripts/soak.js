/**
 * Mixed traffic whose memory, descriptors, mappings, threads and files have to stay flat:
 *
 *   npm run soak -- [--minutes M | --seconds S] [--seed N] [--report FILE]
 *
 * Without arguments: 15 seconds, in which memory is judged generously, since only a longer run can
 * tell a small leak from an allocator that warms up. The report goes to out/soak.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fromRoot, quiet, show } from './support/run.js';

const { seconds, seed, report } = readRequest();
quiet(process.execPath, [fromRoot('scripts', 'setup.js')]);
const program = fromRoot('test', 'soak', 'soak.js');
const time = ['--seconds', String(seconds)];
process.exitCode = show(process.execPath, [
  program,
  ...time,
  '--seed',
  String(seed),
  '--report',
  report,
]);

/** One clear sentence, and the exit code of a wrong call. @param {string} sentence @returns {never} */
function refuse(sentence) {
  process.stderr.write(`soak: ${sentence}\n`);
  process.exit(2);
}

/** @param {string} name @param {string | undefined} text @returns {number | undefined} */
function positive(name, text) {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!(number > 0) || !Number.isFinite(number))
    refuse(`--${name} is '${text}', not a number above 0.`);
  return number;
}

function readRequest() {
  const options = /** @type {const} */ ({
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string' },
    report: { type: 'string' },
  });
  /** @type {Partial<Record<keyof typeof options, string>>} */
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  const wantedSeed = positive('seed', values.seed) ?? Math.floor(Math.random() * 999_999) + 1;
  if (!Number.isSafeInteger(wantedSeed)) refuse(`--seed is '${values.seed}', not a whole number.`);
  const minutes = positive('minutes', values.minutes);
  return {
    seed: wantedSeed,
    seconds: minutes === undefined ? (positive('seconds', values.seconds) ?? 15) : minutes * 60,
    report: path.resolve(values.report ?? fromRoot('out', 'soak', `soak-${wantedSeed}.json`)),
  };
}

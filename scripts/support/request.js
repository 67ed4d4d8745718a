/** What the long-running machines are asked for on the command line: for how long, and with which seed. */
import { parseArgs } from 'node:util';

/** One clear sentence, and the exit code of a wrong call. @param {string} program @param {string} sentence @returns {never} */
export function refuse(program, sentence) {
  process.stderr.write(`${program}: ${sentence}\n`);
  process.exit(2);
}

/**
 * Reads `--minutes`, `--seconds`, `--seed` and `--report`, and options with text of the program's own.
 * @param {string} program named in front of a refusal
 * @param {readonly string[]} [own]
 */
export function readRequest(program, own = []) {
  /** @type {Record<string, string | undefined>} */
  let values;
  try {
    const names = ['minutes', 'seconds', 'seed', 'report', ...own];
    const options = Object.fromEntries(
      names.map((name) => [name, { type: /** @type {const} */ ('string') }]),
    );
    ({ values } = parseArgs({ options }));
  } catch (error) {
    return refuse(program, error instanceof Error ? error.message : String(error));
  }
  /** @param {string} name @returns {number | undefined} */
  const positive = (name) => {
    const text = values[name];
    if (text === undefined) return undefined;
    const number = Number(text);
    if (!(number > 0) || !Number.isFinite(number)) {
      refuse(program, `--${name} is '${text}', not a number above 0.`);
    }
    return number;
  };
  /** @param {string} name @returns {number | undefined} */
  const whole = (name) => {
    const number = positive(name);
    if (number !== undefined && !Number.isSafeInteger(number)) {
      refuse(program, `--${name} is '${values[name]}', not a whole number.`);
    }
    return number;
  };
  const minutes = positive('minutes');
  return {
    values,
    whole,
    seed: whole('seed') ?? Math.floor(Math.random() * 999_999) + 1,
    seconds: minutes === undefined ? positive('seconds') : minutes * 60,
  };
}

/** What the command line asks for. */
import { realpathSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Failure } from './failure.js';

const clip = fileURLToPath(new URL('clip.mp4', import.meta.url));
const film = fileURLToPath(new URL('../../out/film.mp4', import.meta.url));
const mostWorkers = 32;
const defaultWorkers = Math.min(4, Math.max(2, availableParallelism()));

const help = `Usage: npm start -- [options]

Decodes a film into shared memory, lets worker processes mark what moves, and encodes it again.

  --input FILE   film to read (default: examples/film/clip.mp4)
  --workers N    detector processes, 1 to ${mostWorkers} (default: ${defaultWorkers})
  --out FILE     film to write (default: out/film.mp4); preview.png and contact-sheet.png go beside it
  --kill         shoots a detector and the preview with SIGKILL in the middle of the film
  --help         shows this text
`;

/**
 * @typedef {object} Wishes
 * @property {string} input
 * @property {number} workers
 * @property {string} out
 * @property {boolean} kill
 * @property {string} [help] the text to show, when only that is wished
 */

/** @param {string[]} given @returns {Wishes} */
export function readArguments(given) {
  const values = parse(given);
  const input = path.resolve(values.input ?? clip);
  const out = path.resolve(values.out ?? film);
  const wishes = { input, out, workers: readWorkers(values.workers), kill: values.kill === true };
  if (values.help) return { ...wishes, help };
  checkOut(out, input);
  checkInput(input);
  return wishes;
}

/** @param {string[]} given */
function parse(given) {
  try {
    return parseArgs({
      args: given,
      options: {
        input: { type: 'string' },
        workers: { type: 'string' },
        out: { type: 'string' },
        kill: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    const [sentence] = /** @type {Error} */ (error).message.split(/\.\s/);
    throw new Failure(`${sentence?.replace(/\.$/, '')}; --help shows the options.`, 2);
  }
}

/** @param {string | undefined} text */
function readWorkers(text) {
  if (text === undefined) return defaultWorkers;
  const workers = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(workers >= 1 && workers <= mostWorkers)) {
    throw new Failure(`--workers must be a number from 1 to ${mostWorkers}, not '${text}'.`, 2);
  }
  return workers;
}

/** @param {string} input */
function checkInput(input) {
  const found = statSync(input, { throwIfNoEntry: false });
  if (!found) throw new Failure(`There is no file ${input}.`);
  if (found.isDirectory()) throw new Failure(`${input} is a folder, not a film.`);
}

/** @param {string} out @param {string} input */
function checkOut(out, input) {
  const found = statSync(out, { throwIfNoEntry: false });
  if (found?.isDirectory()) throw new Failure(`--out ${out} is a folder, not a file.`, 2);
  if (path.extname(out) === '') {
    throw new Failure(`--out ${out} needs an ending that says what film it is, like .mp4.`, 2);
  }
  if (
    found &&
    statSync(input, { throwIfNoEntry: false }) &&
    realpathSync(out) === realpathSync(input)
  ) {
    throw new Failure(
      `--out and --input are both ${out}: the film would be written over itself.`,
      2,
    );
  }
}

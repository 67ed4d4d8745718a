/** What the command line asks for. */
import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Failure } from './failure.js';

const out = fileURLToPath(new URL('../../out/', import.meta.url));
const mostWorkers = 64;

const help = `Usage: node examples/hashes/main.js [folder] [options]

Writes the SHA-256 of every file in a folder, in the format of sha256sum. Without a folder, it makes
one of many small files in out/hashes-sample.

  --workers N    workers, 1 to ${mostWorkers} (default: the processors of this machine, at least 2)
  --kind KIND    process or thread (default: process)
  --out FILE     where the hashes go (default: out/SHA256SUMS)
  --kill         shoots a worker with SIGKILL on the way; no file is lost
  --piscina      uses piscina instead, the same program on a pool of threads
  --compare      times both, one after the other, and writes nothing
  --help         shows this text
`;

/**
 * @typedef {object} Staff of a run
 * @property {number} workers
 * @property {'process' | 'thread'} kind without effect on piscina
 */

/**
 * @typedef {object} Wishes
 * @property {string} folder
 * @property {boolean} isSample whether the folder may be made
 * @property {number} workers
 * @property {'process' | 'thread'} kind
 * @property {string} out
 * @property {boolean} kill
 * @property {boolean} piscina
 * @property {boolean} compare
 * @property {string} [help] the text to show, when only that is wished
 */

/** @param {string[]} given @returns {Wishes} */
export function readArguments(given) {
  const { values, positionals } = parse(given);
  const [folder] = positionals;
  if (positionals.length > 1) {
    throw new Failure(
      `One folder at a time, not ${positionals.length}: ${positionals.join(' ')}`,
      2,
    );
  }
  const wishes = {
    folder: folder === undefined ? path.join(out, 'hashes-sample') : path.resolve(folder),
    isSample: folder === undefined,
    workers: readWorkers(values.workers),
    kind: readKind(values.kind),
    out: path.resolve(values.out ?? path.join(out, 'SHA256SUMS')),
    kill: values.kill === true,
    piscina: values.piscina === true,
    compare: values.compare === true,
  };
  if (values.help) return { ...wishes, help };
  checkTogether(wishes);
  if (!wishes.isSample) checkFolder(wishes.folder);
  return wishes;
}

/** @param {string[]} given */
function parse(given) {
  try {
    return parseArgs({
      args: given,
      allowPositionals: true,
      options: {
        workers: { type: 'string' },
        kind: { type: 'string' },
        out: { type: 'string' },
        kill: { type: 'boolean' },
        piscina: { type: 'boolean' },
        compare: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    const [sentence] = /** @type {Error} */ (error).message.split(/\.\s/);
    throw new Failure(`${sentence.replace(/\.$/, '')}; --help shows the options.`, 2);
  }
}

/** @param {string | undefined} text */
function readWorkers(text) {
  if (text === undefined) return Math.max(2, Math.min(mostWorkers, availableParallelism()));
  const workers = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(workers >= 1 && workers <= mostWorkers)) {
    throw new Failure(`--workers must be a number from 1 to ${mostWorkers}, not '${text}'.`, 2);
  }
  return workers;
}

/** @param {string | undefined} text @returns {'process' | 'thread'} */
function readKind(text = 'process') {
  if (text !== 'process' && text !== 'thread') {
    throw new Failure(`--kind must be process or thread, not '${text}'.`, 2);
  }
  return text;
}

/** @param {Wishes} wishes */
function checkTogether({ kill, kind, piscina, compare }) {
  if (kill && (piscina || compare || kind === 'thread')) {
    throw new Failure('--kill needs workers that are processes of this pool: use it alone.', 2);
  }
  if (piscina && compare) throw new Failure('--compare runs both pools: leave out --piscina.', 2);
}

/** @param {string} folder */
function checkFolder(folder) {
  if (!existsSync(folder)) throw new Failure(`There is no folder ${folder}.`);
  if (!statSync(folder).isDirectory()) throw new Failure(`${folder} is no folder.`);
}

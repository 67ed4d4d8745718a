/** The hashes of all files in a folder, by a pool of workers. See README.md. */
import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import { ZooError } from 'zoosync';
import { readArguments } from './arguments.js';
import { Failure } from './failure.js';
import { checksumLine, filesBelow } from './files.js';
import { Progress } from './progress.js';
import { makeSample } from './sample.js';

const charactersPerWrite = 65_536;

/** @param {string} text */
const say = (text) => void process.stdout.write(`${text}\n`);

/** @param {string} text */
const complain = (text) => void process.stderr.write(`hashes: ${text}\n`);

/** @param {string} file */
async function openForWriting(file) {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    return await open(file, 'w');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${file} cannot be written: ${reason}`);
  }
}

/**
 * @param {readonly string[]} files
 * @param {import('./arguments.js').Wishes} wishes
 * @returns {Promise<string[]>} what could not be read, and why
 */
async function writeHashes(files, { folder, out, workers, kind, kill, piscina }) {
  const begun = performance.now();
  const { startPool } = piscina ? await import('./piscina.js') : await import('./zoosync.js');
  const sums = await openForWriting(out);
  const pool = startPool({ workers, kind });
  const progress = new Progress('hashes', files.length);
  const problems = [];
  let lines = '';
  let index = 0;
  let bytes = 0;
  try {
    for await (const answer of pool.hashAll(files)) {
      if (kill && index === files.length >> 1 && 'shoot' in pool) pool.shoot();
      const name = path.relative(folder, files[index++]);
      progress.advance();
      if ('problem' in answer) {
        problems.push(`${name}: ${answer.problem}`);
        continue;
      }
      bytes += answer.bytes;
      lines += checksumLine(answer.hash, name);
      if (lines.length < charactersPerWrite) continue;
      await sums.write(lines);
      lines = '';
    }
    await sums.write(lines);
  } finally {
    progress.stop();
    await pool.close();
    await sums.close();
  }
  if (index < files.length) throw new Error(`${files.length - index} files have no answer`);
  const seconds = (performance.now() - begun) / 1000;
  const megabytes = (bytes / 1e6).toFixed(1);
  say(`${index - problems.length} files, ${megabytes} MB in ${seconds.toFixed(2)} s: ${out}`);
  say(`to check them: cd ${folder} && sha256sum --check --quiet ${out}`);
  return problems;
}

/** @param {import('./arguments.js').Wishes} wishes */
async function run(wishes) {
  if (wishes.isSample) makeSample(wishes.folder, say);
  const files = filesBelow(wishes.folder);
  if (files.length === 0) throw new Failure(`There is no file in ${wishes.folder}.`);
  if (wishes.compare) {
    const { compare } = await import('./compare.js');
    await compare(files, wishes, say);
    return;
  }
  const problems = await writeHashes(files, wishes);
  for (const problem of problems) complain(problem);
  if (problems.length > 0) throw new Failure(`${problems.length} files could not be read.`);
}

try {
  const wishes = readArguments(process.argv.slice(2));
  if (wishes.help !== undefined) process.stdout.write(wishes.help);
  else await run(wishes);
} catch (error) {
  const expected = error instanceof Failure || error instanceof ZooError;
  complain(expected ? error.message : inspect(error));
  process.exitCode = error instanceof Failure ? error.exitCode : 1;
}

/**
 * The random torture: processes and threads are killed, stopped and continued while they use every
 * part of the library, and then everything they did is judged.
 *
 *   npm run torture -- [--minutes M | --seconds S] [--part ring|frames|pool|node|all] [--seed N]
 *                      [--kills N] [--report FILE]
 *
 * The time is for each part, 12 seconds when nothing is said; the parts run one after another.
 * `--kills` ends ring and frames after that many kills together, and alone it means these two. A seed
 * brings the same decisions again. The report is a JSON file; without `--report` it goes to
 * out/torture.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, haveTools, programPath } from './support/core-tests.js';
import { readRequest, refuse } from './support/request.js';
import { fromRoot, quiet } from './support/run.js';

/**
 * @typedef {object} PartReport what a part writes into its report
 * @property {string} part
 * @property {number} seed
 * @property {number} seconds
 * @property {Record<string, number>} counts
 * @property {Record<string, number>} longest in milliseconds
 * @property {number} found
 * @property {string[]} violations
 */

const native = ['ring', 'frames'];
const parts = [...native, 'pool', 'node'];
const { seconds, seed, chosen, kills, reportFile } = wanted();
process.stdout.write(`Torture of ${chosen.join(', ')}: seed ${seed}\n`);

if (chosen.some((part) => native.includes(part))) {
  haveTools();
  build({}, ['torture']);
}
if (chosen.some((part) => !native.includes(part))) {
  quiet(process.execPath, [fromRoot('scripts', 'setup.js')]);
}

/** @type {PartReport[]} */
const reports = [];
const failed = [];
for (const part of chosen) {
  process.stdout.write(`\n--- ${part}\n`);
  const partReport = fromRoot('out', 'torture', `${part}-${seed}.json`);
  mkdirSync(path.dirname(partReport), { recursive: true });
  rmSync(partReport, { force: true });
  const code = await run(...commandFor(part, partReport));
  if (code !== 0) failed.push(part);
  const report = readReport(partReport);
  if (report === undefined) process.stdout.write(`${part}: no report (exit code ${code})\n`);
  else reports.push(report);
}

mkdirSync(path.dirname(reportFile), { recursive: true });
writeFileSync(reportFile, `${JSON.stringify({ seed, failed, parts: reports }, undefined, 2)}\n`);
showTable();
if (failed.length > 0) {
  process.stdout.write(`FAILED: ${failed.join(', ')}. Once more: npm run torture -- `);
  process.stdout.write(`--part ${failed[0]} --seed ${seed} --seconds ${seconds ?? 12}\n`);
  process.exitCode = 1;
}

function wanted() {
  const { values, whole, seed, seconds } = readRequest('torture', ['part', 'kills']);
  const part = values.part ?? (values.kills === undefined ? 'all' : 'native');
  const known = { all: parts, native, ...Object.fromEntries(parts.map((one) => [one, [one]])) };
  if (!Object.hasOwn(known, part)) {
    refuse('torture', `--part is '${part}': choose ${Object.keys(known).join(', ')}.`);
  }
  const kills = whole('kills');
  return {
    seed,
    chosen: known[/** @type {keyof typeof known} */ (part)],
    kills,
    seconds: seconds ?? (kills === undefined ? 12 : undefined),
    reportFile: values.report ?? fromRoot('out', 'torture', `report-${seed}.json`),
  };
}

/** @param {string} part @param {string} report @returns {[string, string[]]} */
function commandFor(part, report) {
  const time = seconds === undefined ? [] : ['--seconds', String(seconds)];
  const common = ['--seed', String(seed), ...time, '--report', report];
  if (!native.includes(part))
    return [process.execPath, [fromRoot('test', 'torture', `${part}.js`), ...common]];
  const stores = chosen.filter((one) => native.includes(one)).length;
  const most = kills === undefined ? [] : ['--kills', String(Math.ceil(kills / stores))];
  // So short a run still has a round of each kind.
  const round = String(Math.min(6, Math.max(1, (seconds ?? 18) / 3)));
  return [programPath({}, 'torture'), ['--store', part, ...common, ...most, '--round', round]];
}

/** Shows what it writes. @param {string} command @param {string[]} args @returns {Promise<number>} */
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** @param {string} file @returns {PartReport | undefined} */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function showTable() {
  process.stdout.write(`\n${'part'.padEnd(8)}${'seconds'.padStart(8)}  done\n`);
  for (const { part, seconds: took, counts, found, violations } of reports) {
    const most = Object.entries(counts).filter(([, count]) => count > 0);
    const [first, ...rest] = most.map(([what, count]) => `${count} ${what}`);
    process.stdout.write(`${part.padEnd(8)}${String(took).padStart(8)}  ${first ?? 'nothing'}\n`);
    for (const line of rest) process.stdout.write(`${''.padEnd(16)}  ${line}\n`);
    process.stdout.write(
      `${''.padEnd(16)}  found: ${found === 0 ? 'nothing' : violations.join('; ')}\n`,
    );
  }
  process.stdout.write(`Report: ${path.relative(process.cwd(), path.resolve(reportFile))}\n`);
}

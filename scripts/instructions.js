/**
 * Counts what the hot calls cost, and compares with what is stored in bench/instructions.json.
 *
 *   npm run instructions -- [--store]
 *
 * Instructions do not depend on what else the machine does, as times do: callgrind counts the same
 * for the same code to the last one. A call that needs more of them than is stored fails, and so
 * does one that calls the system. --store stores what was counted.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { countCore, countNode } from './support/instruction-counts.js';
import { compare, tolerances } from './support/instruction-verdict.js';
import { exists, fail, fromRoot, quiet, show } from './support/run.js';
import { canTrace, countSystemCalls } from './support/system-calls.js';

/**
 * @typedef {import('./support/instruction-verdict.js').Conditions} Conditions
 * @typedef {import('./support/instruction-verdict.js').Row} Row
 * @typedef {import('./support/instruction-verdict.js').Stored} Stored
 */

const file = 'bench/instructions.json';

/** A message may call the system this often: Node itself does, for its memory. */
const systemCallsAllowed = 0.01;

const { values } = parseArgs({ options: { store: { type: 'boolean', default: false } } });

/** @param {string} text */
const say = (text) => process.stdout.write(`${text}\n`);

/** Ends the script when the tools are missing; in CI that is a failure. */
function requireTools() {
  const missing = () => ['valgrind', 'g++'].filter((name) => !exists(name));
  if (missing().length > 0 && process.env.CI && process.getuid?.() === 0) {
    show('bash', [fromRoot('scripts/install-debian-packages.sh'), ...missing()]);
  }
  if (missing().length === 0) return;
  const sentence =
    `Counting instructions needs ${missing().join(' and ')} ` +
    `(on Debian or Ubuntu: sudo apt-get install ${missing().join(' ')}).`;
  if (process.env.CI) fail(sentence);
  process.stderr.write(`${sentence} Nothing was counted.\n`);
  process.exit(0);
}

/** @returns {Conditions} */
function conditionsHere() {
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (
    process.report.getReport()
  );
  return {
    architecture: process.arch,
    avx2: /^flags.*\bavx2\b/m.test(readFileSync('/proc/cpuinfo', 'utf8')),
    compiler: quiet('g++', ['-dumpfullversion']).trim(),
    library: report.header.glibcVersionRuntime ?? 'unknown',
    node: process.versions.node,
    valgrind: quiet('valgrind', ['--version']).trim().replace('valgrind-', ''),
  };
}

/** @param {string[][]} rows the first of them is the heading @returns {string} columns, numbers right */
function columns(rows) {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {number | undefined} value @returns {string} */
const number = (value) => (value === undefined ? '' : value.toFixed(value < 10 ? 1 : 0));

/** @param {number | undefined} before @param {number | undefined} now @returns {string} */
function change(before, now) {
  if (before === undefined || now === undefined) return '';
  const percent = now === before ? 0 : (100 * (now - before)) / before;
  // Without the sign of a zero that only rounding made.
  const rounded = Math.round(10 * percent) / 10 || 0;
  return `${rounded > 0 ? '+' : ''}${rounded.toFixed(1)} %`;
}

/** @param {string} title @param {Row[]} rows @param {boolean} crosses @returns {string} */
function table(title, rows, crosses) {
  const heading = [title, 'stored', 'now', 'change', 'outside', 'change'];
  return columns([
    [...heading, ...(crosses ? ['addon calls'] : []), ''],
    ...rows.map(({ name, stored, now, verdict }) => [
      name,
      number(stored?.own),
      number(now?.own),
      change(stored?.own, now?.own),
      number(now?.outside),
      change(stored?.outside, now?.outside),
      ...(crosses ? [number(now?.crossings)] : []),
      verdict === 'same' ? '' : verdict,
    ]),
  ]);
}

/** @returns {string[]} the operations that call the system */
function checkSystemCalls() {
  if (!exists('strace') || !canTrace()) {
    const why = exists('strace') ? 'may not trace here' : 'is not installed';
    say(`\nSystem calls were not counted: strace ${why}.`);
    return [];
  }
  const counts = [...countSystemCalls()];
  say(
    `\n${columns([
      ['system calls of 1000 messages', 'now'],
      ...counts.map(([name, count]) => [name, (1000 * count).toFixed(1)]),
    ])}`,
  );
  return counts.filter(([, count]) => !(count <= systemCallsAllowed)).map(([name]) => name);
}

/** @param {Stored} counted @returns {Row[]} */
function compareWithStored({ conditions, core, node }) {
  if (!existsSync(fromRoot(file))) fail(`There is no ${file}: npm run instructions -- --store`);
  /** @type {Stored} */
  const stored = JSON.parse(readFileSync(fromRoot(file), 'utf8'));
  const shares = tolerances(stored.conditions, conditions);
  const usable = shares ?? { own: Number.POSITIVE_INFINITY, remarks: [] };
  const inCore = compare(stored.core, core, usable);
  const inNode = compare(stored.node, node, usable);
  say(table('instructions of the core, each message', inCore, false));
  say(`\n${table('instructions in the addon, each operation', inNode, true)}`);
  for (const remark of usable.remarks) say(`\n${remark}`);
  if (shares) return [...inCore, ...inNode];
  say(
    `\nThese counts are stored for ${stored.conditions.architecture} and this is ` +
      `${conditions.architecture}: they say nothing here.`,
  );
  return [];
}

/** @param {Row[]} rows @param {string[]} callingTheSystem @returns {number} the exit code */
function conclude(rows, callingTheSystem) {
  const those = (/** @type {Row['verdict'][]} */ ...verdicts) =>
    rows.filter(({ verdict }) => verdicts.includes(verdict));
  const grew = those('grew');
  const unknown = those('new', 'gone');
  const fell = those('fell');
  say('');
  for (const { name, reasons } of grew) say(`Grew: ${name} (${reasons.join(', ')}).`);
  if (grew.length > 0) {
    say(
      'Look for what the change added to these calls. If it is worth it, store the new counts\n' +
        'with the change, and say there what they bought: npm run instructions -- --store',
    );
  }
  for (const { name, verdict } of unknown) {
    say(`${verdict === 'new' ? 'Not stored' : 'Stored, but not counted any more'}: ${name}.`);
  }
  if (unknown.length > 0) say('Store them: npm run instructions -- --store');
  for (const name of callingTheSystem) {
    say(
      `Calls the system: ${name}. See it: strace -o log node bench/instructions/calls.js system-calls`,
    );
  }
  const failures = grew.length + unknown.length + callingTheSystem.length;
  if (failures > 0) return 1;
  if (fell.length > 0) {
    say(`${fell.length} fell: store them, so that they stay: npm run instructions -- --store`);
  }
  say('No hot call needs more than before.');
  return 0;
}

requireTools();
const counted = { conditions: conditionsHere(), core: countCore(), node: countNode() };
if (values.store) {
  writeFileSync(fromRoot(file), `${JSON.stringify(counted, undefined, 2)}\n`);
  say(`Stored in ${file}.`);
} else {
  process.exitCode = conclude(compareWithStored(counted), checkSystemCalls());
}

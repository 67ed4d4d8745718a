/** What the hot calls cost, counted: instructions in the core, and in the addon with Node. */
import { mkdirSync, realpathSync } from 'node:fs';
import { callgrind } from './callgrind.js';
import { fromRoot, quiet } from './run.js';

/**
 * @typedef {object} Count of one call
 * @property {number} own instructions in our code
 * @property {number} outside instructions in what it calls: the C library, Node
 * @property {number} [crossings] calls of the addon from JavaScript
 *
 * @typedef {Record<string, Count>} Counts by the name of the call
 * @typedef {import('./callgrind.js').Report} Report
 * @typedef {import('../../bench/instructions/calls.js').Section} Section
 */

/** As node-gyp compiles the addon, in binding.gyp and in Node's own rules. */
const flags =
  '-std=c++17 -O3 -fPIC -pthread -fno-rtti -fno-exceptions -fno-omit-frame-pointer ' +
  '-fvisibility=hidden -fvisibility-inlines-hidden -Wall -Wextra -Wpedantic -Werror';

/** Resolves the functions of libraries at the start, not within the first call. */
const resolvedAtStart = '-Wl,-z,now';

/** @param {number} value @param {number} times @returns {number} per time, to a hundredth */
const per = (value, times) => Math.round((100 * value) / times) / 100;

/** @param {Report} report @param {string} own @param {number} times @returns {Count} */
function countOf({ instructions }, own, times) {
  let all = 0;
  for (const part of instructions.values()) all += part;
  const ours = instructions.get(own) ?? 0;
  return { own: per(ours, times), outside: per(all - ours, times) };
}

/** @param {string} source @param {string} target @param {string[]} more @returns {string} its path */
function compile(source, target, more) {
  const program = fromRoot('build', 'instructions', target);
  mkdirSync(fromRoot('build', 'instructions'), { recursive: true });
  const file = fromRoot('bench', 'instructions', source);
  quiet('g++', [
    ...flags.split(' '),
    '-I',
    fromRoot('native'),
    file,
    '-o',
    program,
    resolvedAtStart,
    ...more,
  ]);
  return realpathSync(program);
}

/** The C++ core by itself; its clock stands still. @returns {Counts} */
export function countCore() {
  const program = compile('core.cc', 'core', ['-lrt']);
  const { output, reports } = callgrind([], [program]);
  const times = new Map(
    output
      .trim()
      .split('\n')
      .map((line) => [line.slice(line.indexOf(' ') + 1), Number.parseInt(line, 10)]),
  );
  return Object.fromEntries(
    reports.map((report) => [
      report.trigger,
      countOf(report, program, times.get(report.trigger) ?? Number.NaN),
    ]),
  );
}

/** @param {string} purpose @returns {string[]} the command that makes the calls from JavaScript */
export const callsCommand = (purpose) => [
  process.execPath,
  fromRoot('bench', 'instructions', 'calls.js'),
  purpose,
];

/** @returns {Map<string, number>} calls of the addon for one operation */
function countCrossings() {
  const [node = '', ...rest] = callsCommand('crossings');
  /** @type {Section[]} */
  const sections = JSON.parse(quiet(node, rest));
  return new Map(sections.map(({ name, times, crossings }) => [name, per(crossings, times)]));
}

/** Only what happens within the functions of the addon, and not JavaScript. @returns {Counts} */
export function countNode() {
  const clock = compile('still_clock.cc', 'still_clock.so', ['-shared']);
  const addon = realpathSync(fromRoot('build', 'Release', 'zoosync.node'));
  const [node = '', ...rest] = callsCommand('instructions');
  const { output, reports } = callgrind(
    ['--toggle-collect=*hotCall<*', '--dump-before=*::room>*'],
    // Without its compilers Node does the same every time.
    [node, '--jitless', ...rest],
    { ...process.env, NODE_OPTIONS: '', LD_PRELOAD: clock },
  );
  /** @type {Section[]} */
  const sections = JSON.parse(output);
  if (reports.length !== 2 * sections.length) {
    throw new Error(`${reports.length} reports of ${sections.length} sections`);
  }
  const crossings = countCrossings();
  return Object.fromEntries(
    sections.map(({ name, times }, index) => [
      name,
      {
        ...countOf(/** @type {Report} */ (reports[2 * index + 1]), addon, times),
        crossings: crossings.get(name) ?? Number.NaN,
      },
    ]),
  );
}

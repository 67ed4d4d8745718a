/** Building and running the test programs of native/core. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { exists, fail, fromRoot, quiet, show } from './run.js';
import { filesBelow } from './stamp.js';

/**
 * @typedef {object} Variant how the test programs are compiled
 * @property {string} [compiler] g++ (default) or clang++
 * @property {string} [sanitize] address (with undefined) or thread
 */

/** @param {Variant} variant @returns {string} the build folder of the variant */
function buildFolder({ compiler = 'g++', sanitize }) {
  return fromRoot('build', 'native-tests', [compiler, sanitize].filter(Boolean).join('-'));
}

/**
 * Whether the environment variable ZOO_MUTATION can break the programs of the variant. Only those of
 * the plain one, so that it costs no further build; without the variable they are sound.
 * @param {Variant} variant
 */
const knowsMutations = ({ compiler = 'g++', sanitize }) => compiler === 'g++' && !sanitize;

const doctestHeaders = ['/usr/include/doctest', '/usr/local/include/doctest'];

/** @param {string} compiler @returns {string[]} the Debian packages that are missing */
function missingPackages(compiler) {
  return [
    !exists('cmake') && 'cmake',
    !exists('make') && 'make',
    !exists(compiler) && compiler.replace('clang++', 'clang'),
    !doctestHeaders.some((folder) => existsSync(path.join(folder, 'doctest.h'))) && 'doctest-dev',
  ].filter((name) => typeof name === 'string');
}

/**
 * Makes sure that the tools are there. On a CI machine it installs what is missing.
 * @param {{ compiler?: string, optional?: boolean }} [options] `optional`: return false and say so
 *   in place of ending the script
 * @returns {boolean} whether the tests can be built
 */
export function haveTools({ compiler = 'g++', optional = false } = {}) {
  if (missingPackages(compiler).length === 0) return true;
  if (process.env.CI && process.getuid?.() === 0) {
    show('bash', [fromRoot('scripts/install-debian-packages.sh'), ...missingPackages(compiler)]);
  }
  const missing = missingPackages(compiler);
  if (missing.length === 0) return true;
  const command = `on Debian or Ubuntu: sudo apt-get install ${missing.join(' ')}`;
  if (optional && !process.env.CI) {
    process.stderr.write(
      `Skipping the tests of the C++ core, which need more tools (${command}).\n`,
    );
    return false;
  }
  return fail(`The tests of the C++ core need ${missing.join(', ')} (${command}).`);
}

/**
 * Builds the programs of a variant, or only those named.
 * @param {Variant} variant
 * @param {string[]} [programs]
 */
export function build(variant, programs = []) {
  const folder = buildFolder(variant);
  const { compiler = 'g++', sanitize = '' } = variant;
  quiet('cmake', [
    `-S${fromRoot('native', 'test')}`,
    `-B${folder}`,
    '-GUnix Makefiles',
    `-DCMAKE_CXX_COMPILER=${compiler}`,
    `-DZOO_SANITIZE=${sanitize}`,
    `-DZOO_MUTATIONS=${knowsMutations(variant) ? 'ON' : 'OFF'}`,
  ]);
  const targets = programs.flatMap((name) => ['--target', name]);
  quiet('cmake', ['--build', folder, ...targets, '--', '-j2', '--no-print-directory']);
}

/** @param {Variant} variant @param {string} program @returns {string} path of a built program */
export function programPath(variant, program) {
  const file = path.join(buildFolder(variant), program);
  if (!existsSync(file)) fail(`There is no test program '${program}' in native/test.`);
  return file;
}

/** @returns {string[]} the names of all programs that the sources in native/test make */
export function allPrograms() {
  const sources = fromRoot('native/test/programs');
  const own = existsSync(sources)
    ? readdirSync(sources)
        .filter((name) => name.endsWith('.cc') && statSync(path.join(sources, name)).isFile())
        .map((name) => path.basename(name, '.cc'))
    : [];
  const unit = filesBelow(['native/test/unit'], (file) => file.endsWith('_test.cc'));
  return [...(unit.length > 0 ? ['core_tests'] : []), ...own.sort(), 'segment_replay'];
}

/**
 * What a program does when nobody says so: enough to see that it holds in this build. The long runs
 * have commands of their own (`npm run torture`, `npm run fuzz`, ...).
 * @type {Record<string, string[]>}
 */
const shortRuns = {
  hostile_neighbour: ['--seconds', '3'],
  torture: ['--seconds', '3'],
};

/** @param {string} program @returns {string[]} */
export const shortRunOf = (program) => shortRuns[program] ?? [];

/** Findings of a sanitizer end the program with an exit code of their own. */
export const sanitizerEnvironment = {
  ASAN_OPTIONS: 'detect_stack_use_after_return=1:abort_on_error=0:exitcode=86',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1:exitcode=86',
  TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1:exitcode=86',
};

/** The programs of `bench/native`: compiled when one is first needed, and again when it changed. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Unavailable } from '../../harness/unavailable.js';

const sources = fileURLToPath(new URL('../../native/', import.meta.url));
const programs = fileURLToPath(new URL('../../../build/bench/', import.meta.url));
const flags = ['-std=c++17', '-O3', '-Wall', '-Wextra', '-Wpedantic'];

/** @param {string} file @returns {number} milliseconds since 1970; 0 when there is none */
const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** @param {string} source @returns {number} when it or what it includes was last changed */
function changed(source) {
  const headers = readdirSync(sources).filter((name) => name.endsWith('.h'));
  return Math.max(...[source, ...headers].map((name) => modified(path.join(sources, name))));
}

/**
 * @typedef {object} Needs
 * @property {string} [packages] what to install on Debian when it does not compile
 * @property {string[]} [arguments] of the compiler, behind the source
 */

/**
 * @param {string} name of the source in `bench/native`, without its suffix
 * @param {Needs} [needs]
 * @returns {string} path of the program
 */
export function compile(name, { packages, arguments: more = [] } = {}) {
  const source = `${name}.cc`;
  const program = path.join(programs, name);
  if (modified(program) > changed(source)) return program;
  mkdirSync(programs, { recursive: true });
  const compiler = process.env.CXX ?? 'g++';
  const fresh = `${program}.${process.pid}`;
  const { error, status, stderr } = spawnSync(
    compiler,
    [...flags, path.join(sources, source), '-o', fresh, ...more],
    { encoding: 'utf8' },
  );
  if (error || status !== 0) {
    const hint = packages === undefined ? '' : ` (install ${packages}?)`;
    throw new Unavailable(
      `${compiler} does not compile ${source}${hint}: ${error?.message ?? stderr}`,
    );
  }
  // In one step: another run may be about to start it.
  renameSync(fresh, program);
  return program;
}

/** @param {readonly number[]} processors @param {number} count @returns {string[]} none when too few */
export const placesFor = (processors, count) =>
  processors.length < count ? [] : processors.slice(0, count).map(String);

/** @param {string} program @param {(string | number)[]} values @returns {Promise<string>} its lines */
export async function run(program, values) {
  const { stdout } = await promisify(execFile)(program, values.map(String), {
    maxBuffer: 2 ** 30,
  });
  return stdout.trim();
}

/**
 * A contender that is a program, started anew for each round, that prints one line of JSON.
 * @param {string} program
 * @param {(amount: number) => (string | number)[]} argumentsFor
 * @returns {import('../../harness/types.d.ts').Session}
 */
export function nativeSession(program, argumentsFor) {
  return {
    async run(amount) {
      const { operations, seconds } = JSON.parse(await run(program, argumentsFor(amount)));
      return { operations, seconds };
    },
    close() {},
  };
}

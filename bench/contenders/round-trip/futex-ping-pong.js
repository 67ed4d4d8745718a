/** The limit: two C++ processes that wake each other through a futex. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Unavailable } from '../../harness/unavailable.js';

const source = fileURLToPath(new URL('../../native/futex_ping_pong.cc', import.meta.url));
const program = fileURLToPath(new URL('../../../build/bench/futex_ping_pong', import.meta.url));

/** @param {string} file @returns {number} milliseconds since 1970; 0 when there is none */
const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function compile() {
  if (modified(program) > modified(source)) return;
  mkdirSync(path.dirname(program), { recursive: true });
  const flags = ['-std=c++17', '-O2', '-Wall', '-Wextra', '-Wpedantic'];
  const compiler = process.env.CXX ?? 'g++';
  const { error, status, stderr } = spawnSync(compiler, [...flags, source, '-o', program], {
    encoding: 'utf8',
  });
  if (error || status !== 0) {
    throw new Unavailable(`${compiler} does not compile it: ${error?.message ?? stderr}`);
  }
}

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ processors }) {
  compile();
  const places = processors.length > 1 ? processors.slice(0, 2).map(String) : [];
  return {
    async run(amount) {
      const { stdout } = await promisify(execFile)(program, [String(amount), ...places], {
        maxBuffer: 2 ** 30,
      });
      const latencies = stdout.trim().split('\n').map(Number);
      const nanoseconds = latencies.reduce((sum, latency) => sum + latency, 0);
      return { operations: amount, seconds: nanoseconds / 1e9, latencies };
    },
    close() {},
  };
}

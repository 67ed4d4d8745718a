/**
 * Builds and runs the tests of native/core.
 *
 *   npm run test:native -- [--sanitize address|thread] [--compiler g++|clang++] [--mutation N]
 *                          [--optional] [--seconds N] [program ...] [-- arguments of the program ...]
 */
import { parseArgs } from 'node:util';
import {
  allPrograms,
  build,
  haveTools,
  programPath,
  sanitizerEnvironment,
  shortRunOf,
} from './support/core-tests.js';
import { collect, fail } from './support/run.js';

const commandLine = process.argv.slice(2);
const separator = commandLine.indexOf('--');
const own = separator < 0 ? commandLine : commandLine.slice(0, separator);
const programArguments = separator < 0 ? [] : commandLine.slice(separator + 1);

const { values, positionals } = parseArgs({
  args: own,
  allowPositionals: true,
  options: {
    sanitize: { type: 'string' },
    compiler: { type: 'string' },
    mutation: { type: 'string' },
    seconds: { type: 'string', default: '300' },
    optional: { type: 'boolean', default: false },
  },
});

const { sanitize, compiler, mutation, optional } = values;
if (sanitize !== undefined && !['address', 'thread'].includes(sanitize)) {
  fail(`--sanitize is '${sanitize}': choose address or thread.`);
}
if (mutation !== undefined && (sanitize !== undefined || compiler === 'clang++')) {
  fail('--mutation goes with neither a sanitizer nor clang++: those builds know none.');
}
const variant = {
  ...(sanitize !== undefined && { sanitize }),
  ...(compiler !== undefined && { compiler }),
};

if (!haveTools({ ...(compiler !== undefined && { compiler }), optional })) process.exit(0);
const programs = positionals.length > 0 ? positionals : allPrograms();
if (programs.length === 0) fail('There are no test programs in native/test.');

process.stdout.write(`Building ${programs.join(', ')} …\n`);
build(variant, programs);

const failed = [];
for (const program of programs) {
  const start = performance.now();
  const { code, signal, output, late } = await collect(
    programPath(variant, program),
    programArguments.length > 0 ? programArguments : shortRunOf(program),
    {
      seconds: Number(values.seconds),
      env: {
        ...process.env,
        ...sanitizerEnvironment,
        ...(mutation !== undefined && { ZOO_MUTATION: mutation }),
      },
    },
  );
  const took = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  if (code === 0) {
    process.stdout.write(`ok      ${program} (${took})\n`);
  } else {
    const how = late ? `no end after ${values.seconds} s` : (signal ?? `exit code ${code}`);
    process.stdout.write(`${output}FAILED  ${program} (${how}, ${took})\n`);
    failed.push(program);
  }
}
if (failed.length > 0) process.exitCode = 1;

/**
 * Lets libFuzzer write into segments while every operation is called on them.
 *
 *   npm run fuzz -- [--seconds 60] [--seed N]
 *
 * The corpus is native/test/fuzz/corpus/segment: scripts that libFuzzer kept because they reach code
 * that no other reaches, and those that once found something. What is new goes to out/fuzz/corpus and
 * is begun with the next time; a script that fails goes to out/fuzz and its name is printed.
 * `--merge` takes into the repository's corpus what reaches more.
 *
 * Without clang, or without libFuzzer's runtime, random scripts are played without its guidance.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build, haveTools, programPath, sanitizerEnvironment } from './support/core-tests.js';
import { collect, exists, fail, fromRoot, show } from './support/run.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 2 ** 31)) },
    merge: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) fail(`--seconds is '${values.seconds}': a number of seconds is needed.`);

const kept = fromRoot('native/test/fuzz/corpus/segment');
const found = fromRoot('out/fuzz/corpus');
mkdirSync(found, { recursive: true });
/** Of a script in bytes: about sixty calls and changes. */
const longest = 400;
const env = { ...process.env, ...sanitizerEnvironment };

process.exitCode = haveLibFuzzer() ? await fuzz() : playRandom();

/** @returns {boolean} whether clang links a program with libFuzzer here */
function haveLibFuzzer() {
  if (!exists('clang++')) return false;
  const folder = mkdtempSync(path.join(tmpdir(), 'zoosync-fuzz-'));
  try {
    const source = path.join(folder, 'empty.cc');
    writeFileSync(
      source,
      'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n',
    );
    const target = path.join(folder, 'empty');
    const flags = ['-fsanitize=fuzzer,address', source, '-o', target];
    return spawnSync('clang++', flags, { stdio: 'ignore' }).status === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns {Promise<number>} exit code */
async function fuzz() {
  const variant = { compiler: 'clang++', sanitize: 'address' };
  haveTools({ compiler: 'clang++' });
  build(variant, ['segment_fuzzer']);
  const program = programPath(variant, 'segment_fuzzer');
  if (values.merge) {
    return show(program, ['-set_cover_merge=1', '-use_counters=0', kept, found], { env });
  }
  process.stdout.write(`Fuzzing for ${seconds} s, seed ${values.seed}\n`);
  const args = [
    `-seed=${values.seed}`,
    `-max_total_time=${seconds}`,
    `-max_len=${longest}`,
    '-len_control=0',
    '-timeout=60',
    `-artifact_prefix=${fromRoot('out/fuzz')}/`,
    found,
    kept,
  ];
  const { code, output, late } = await collect(program, args, { seconds: seconds + 120, env });
  if (code !== 0) {
    const how = late ? `no end after ${seconds + 120} s` : `exit code ${code}`;
    process.stdout.write(`${output.slice(-8000)}\nFAILED (${how}), seed ${values.seed}\n`);
    return 1;
  }
  // The last line with figures: "#executions DONE cov: edges ft: features corp: scripts/size ...".
  const done = /^#(\d+)\s+DONE\s+cov: (\d+) ft: (\d+) corp: (\S+)/m.exec(output);
  const [, executions, edges, features, size] = done ?? [];
  process.stdout.write(
    `${executions} scripts played, ${edges} edges and ${features} features covered, ` +
      `corpus ${size}, nothing found\n`,
  );
  return 0;
}

/** @returns {number} exit code */
function playRandom() {
  process.stdout.write(
    'There is no clang++ with libFuzzer here (Debian: clang, libclang-rt-dev): playing the corpus ' +
      'and random scripts in its place.\n',
  );
  const variant = { sanitize: 'address' };
  haveTools();
  build(variant, ['segment_replay']);
  const count = String(Math.ceil(seconds * 20));
  const args = ['--random', count, '--seed', values.seed, kept];
  return show(programPath(variant, 'segment_replay'), args, { env });
}

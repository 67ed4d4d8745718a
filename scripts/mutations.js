/**
 * Breaks one invariant of native/core at a time and demands that a test notices.
 *
 *   npm run test:mutations -- [number ...]
 *
 * The list is native/test/mutations.json: [{ "number", "name", "program", "args" }]. A test notices by
 * failing, by crashing or by not coming to an end in time. The same test has to pass on the sound core
 * first: otherwise a wrong argument would look like a catch.
 */
import { readFileSync } from 'node:fs';
import { build, haveTools, programPath } from './support/core-tests.js';
import { collect, fail, fromRoot } from './support/run.js';

/** A test that hangs on a broken core has noticed too; sound ones take a fraction of this. */
const patienceSeconds = 60;

/** @type {{ number: number, name: string, program: string, args?: string[] }[]} */
const list = JSON.parse(readFileSync(fromRoot('native/test/mutations.json'), 'utf8'));
const chosen = process.argv.slice(2).map(Number);
const mutations = list.filter(({ number }) => chosen.length === 0 || chosen.includes(number));
if (mutations.length === 0) fail(`No mutation ${chosen.join(', ')} in native/test/mutations.json.`);

haveTools();
await provideSoundBaseline();
const survivors = [];
for (const { number, name, program, args = [] } of mutations) {
  const variant = { mutation: String(number) };
  build(variant, [program]);
  const { code, signal, late } = await collect(programPath(variant, program), args, {
    seconds: patienceSeconds,
  });
  const caught = code !== 0;
  const how = late ? `no end after ${patienceSeconds} s` : (signal ?? `exit code ${code}`);
  const verdict = caught ? 'caught  ' : 'SURVIVED';
  process.stdout.write(`${String(number).padStart(3)}  ${verdict}  ${name} (${program}, ${how})\n`);
  if (!caught) survivors.push(number);
}
if (survivors.length > 0) {
  fail(`No test noticed mutation ${survivors.join(', ')}: a promise has no test that can fail.`);
}

/** Runs each test that is used below on the core as it is. */
async function provideSoundBaseline() {
  const programs = [...new Set(mutations.map(({ program }) => program))];
  build({}, programs);
  const runs = new Map(
    mutations.map(({ program, args = [] }) => [`${program} ${args}`, { program, args }]),
  );
  for (const { program, args } of runs.values()) {
    const { code, output } = await collect(programPath({}, program), args, { seconds: 300 });
    if (code !== 0) fail(`${output}\n${program} ${args.join(' ')} fails without any mutation.`);
  }
}

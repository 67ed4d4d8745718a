/**
 * Breaks one invariant of native/core at a time and demands that a test notices.
 *
 *   npm run test:mutations -- [--table] [number ...]
 *
 * native/test/mutations.json lists the mutations with the promise each breaks and the machines that
 * have to notice ("caught": machine -> arguments of a short run, [] for the machine's own). Without
 * --table each mutation meets the first of its machines. With --table every mutation meets every
 * machine; the table goes to standard output and to out/mutations.md.
 *
 * A test notices by failing, by crashing or by not coming to an end in time. The same test has to
 * pass on the sound core first: otherwise a wrong argument would look like a catch.
 *
 * One build holds all of them and the environment variable ZOO_MUTATION chooses one, because a build
 * for each would take minutes and prove the same.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { allPrograms, build, haveTools, programPath } from './support/core-tests.js';
import { collect, fail, fromRoot } from './support/run.js';

/**
 * @typedef {{ name: string, program: string, args: string[] }} Machine
 * @typedef {{ number: number, name: string, promise: string,
 *   caught: Record<string, string[]> }} Mutation
 * @typedef {{ noticed: boolean, how: string, seconds: number, output: string }} Verdict
 */

/** The plain build knows the mutations; without a number it is sound. */
const variant = {};

/** A test that hangs on a broken core has noticed too; sound ones take a fraction of this. */
const patienceSeconds = 90;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { table: { type: 'boolean', default: false } },
});

/** @type {{ machines: Machine[], mutations: Mutation[] }} */
const { machines: allMachines, mutations: all } = JSON.parse(
  readFileSync(fromRoot('native/test/mutations.json'), 'utf8'),
);
const machines = allMachines.filter(({ program }) => allPrograms().includes(program));
const chosen = positionals.map(Number);
const mutations = all.filter(({ number }) => chosen.length === 0 || chosen.includes(number));
if (mutations.length === 0) fail(`No mutation ${chosen.join(', ')} in native/test/mutations.json.`);

haveTools();
process.exitCode = values.table ? await fillTable() : await meetTheFirst();

/** What a fault that crashed the program left behind. @param {number | undefined} pid */
function removeNames(pid) {
  for (const name of readdirSync('/dev/shm')) {
    if (name.startsWith(`zoosync-test-${pid}-`)) {
      rmSync(`/dev/shm/${name}`, { recursive: true, force: true });
    }
  }
}

/** @param {Machine} machine @param {string[]} args @param {number} number @returns {Promise<Verdict>} */
async function run({ program }, args, number) {
  const start = performance.now();
  const { pid, code, signal, output, late } = await collect(programPath(variant, program), args, {
    seconds: patienceSeconds,
    env: { ...process.env, ZOO_MUTATION: String(number) },
  });
  const seconds = (performance.now() - start) / 1000;
  removeNames(pid);
  const how = late ? `no end after ${patienceSeconds} s` : (signal ?? `exit code ${code}`);
  return { noticed: code !== 0, how, seconds, output };
}

/**
 * Runs on the sound core, which has to pass.
 * @param {Machine} machine @param {string[]} args
 */
async function demandSound(machine, args) {
  const { noticed, how, seconds, output } = await run(machine, args, 0);
  if (noticed) fail(`${output}\n${machine.program} ${args.join(' ')} (${how}) without a mutation.`);
  return seconds;
}

/** Each mutation against the first machine that has to notice. */
async function meetTheFirst() {
  const meetings = mutations.map((mutation) => {
    const [name, short] = Object.entries(mutation.caught)[0] ?? ['', []];
    const machine = machines.find((one) => one.name === name);
    if (!machine) return fail(`Mutation ${mutation.number}: there is no machine '${name}'.`);
    return { mutation, machine, args: short.length > 0 ? short : machine.args };
  });
  build(variant, [...new Set(meetings.map(({ machine }) => machine.program))]);
  const distinct = new Map(meetings.map((one) => [`${one.machine.name} ${one.args}`, one]));
  for (const { machine, args } of distinct.values()) {
    const seconds = await demandSound(machine, args);
    const command = [machine.program, ...args].join(' ');
    process.stdout.write(`sound  ${command}: passes (${seconds.toFixed(1)} s)\n`);
  }
  const survivors = [];
  for (const { mutation, machine, args } of meetings) {
    const { noticed, how, seconds } = await run(machine, args, mutation.number);
    const verdict = noticed ? 'caught  ' : 'SURVIVED';
    const number = String(mutation.number).padStart(3);
    const by = `${machine.name}, ${how}, ${seconds.toFixed(1)} s`;
    process.stdout.write(`${number}  ${verdict}  ${mutation.promise}: ${mutation.name} (${by})\n`);
    if (!noticed) survivors.push(mutation.number);
  }
  return report(survivors);
}

/** Every mutation against every machine. */
async function fillTable() {
  build(
    variant,
    machines.map(({ program }) => program),
  );
  const lines = [
    `| # | mutation | breaks | ${machines.map(({ name }) => name).join(' | ')} |`,
    `| --: | --- | --- | ${machines.map(() => '---').join(' | ')} |`,
  ];
  const sound = [];
  for (const machine of machines) {
    sound.push(`passes, ${(await demandSound(machine, machine.args)).toFixed(1)} s`);
  }
  lines.push(`| | none | | ${sound.join(' | ')} |`);
  process.stdout.write(`${lines.join('\n')}\n`);
  const survivors = [];
  for (const mutation of mutations) {
    const cells = [];
    for (const machine of machines) {
      const { noticed, seconds } = await run(machine, machine.args, mutation.number);
      cells.push(noticed ? `**caught**, ${seconds.toFixed(1)} s` : '');
      const expected = mutation.caught[machine.name] !== undefined;
      if (expected && !noticed) survivors.push(`${mutation.number} (${machine.name})`);
    }
    const line = `| ${mutation.number} | ${mutation.name} | ${mutation.promise} | ${cells.join(' | ')} |`;
    process.stdout.write(`${line}\n`);
    lines.push(line);
  }
  mkdirSync(fromRoot('out'), { recursive: true });
  const commands = machines.map(
    ({ name, program, args }) => `- ${name}: \`${[program, ...args].join(' ')}\``,
  );
  writeFileSync(fromRoot('out/mutations.md'), `${[...lines, '', ...commands].join('\n')}\n`);
  return report(survivors);
}

/** @param {(number | string)[]} survivors @returns {number} the exit code */
function report(survivors) {
  if (survivors.length === 0) return 0;
  process.stderr.write(
    `Nobody noticed mutation ${survivors.join(', ')}: a promise has no test that can fail.\n`,
  );
  return 1;
}

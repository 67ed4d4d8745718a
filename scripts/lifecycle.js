/**
 * The lifecycle storm: every way in which a program loads, uses and leaves the package, each in a
 * process of its own, on each version of Node.
 *
 *   npm run lifecycle -- [--node 20,22,24,26] [--seconds S] [--seed N] [--only TEXT] [--spread]
 *
 * `--seconds` is how long each storm rages (default 0.5), `--only` picks scenarios by their names.
 * `--spread` is for runs that have to be short: each scenario on the first of the versions and on
 * one of the others, which the seed decides; storms on all.
 */
import { fork, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { files } from '../test/lifecycle/index.js';
import { majors, nodeOf } from './support/nodes.js';
import { fail, fromRoot } from './support/run.js';

/** @typedef {import('../test/lifecycle/lane.js').Order} Order */
/** @typedef {import('../test/lifecycle/lane.js').Outcome} Outcome */

const { values } = parseArgs({
  options: {
    node: { type: 'string', default: majors.join(',') },
    seconds: { type: 'string', default: '0.5' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    only: { type: 'string', default: '' },
    spread: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const seconds = Number(values.seconds);
if (!Number.isInteger(seed)) fail(`--seed takes a whole number, not '${values.seed}'.`);
if (!(seconds > 0)) fail(`--seconds takes a number above 0, not '${values.seconds}'.`);

const nodes = values.node.split(',').map((major) => nodeOf(major));
for (const { version, seconds: taken } of nodes) {
  if (taken > 0) process.stdout.write(`Fetched Node ${version} in ${taken.toFixed(1)} s.\n`);
}

const ownShm =
  'mount -t tmpfs -o mode=1777,size=1g tmpfs /dev/shm && export LIFECYCLE_OWN_SHM=1 && exec "$@"';
const canHaveOwnShm =
  spawnSync('unshare', ['--mount', 'sh', '-c', ownShm, 'sh', 'true']).status === 0;
if (!canHaveOwnShm) {
  process.stdout.write('No mount namespaces here: bells that stay behind are not counted.\n');
}

/** @returns {import('node:child_process').ChildProcess} */
function startLane() {
  const program = fromRoot('test/lifecycle/lane.js');
  if (!canHaveOwnShm) return fork(program);
  return spawn('unshare', ['--mount', 'sh', '-c', ownShm, 'sh', process.execPath, program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

/** @param {number} node @param {number} number @param {string} file @returns {boolean} */
function isInSpread(node, number, file) {
  if (!values.spread || node === 0 || file === 'storm') return true;
  return (number + seed) % (nodes.length - 1) === node - 1;
}

const all = Object.entries(files).flatMap(([file, scenarios]) =>
  scenarios.map(({ name }) => ({ file, scenario: name })),
);
/** @type {Order[]} */
const chosen = nodes.flatMap(({ major, binary }, node) =>
  all
    .filter(({ file }, number) => isInSpread(node, number, file))
    .filter(({ file, scenario }) => `${file}: ${scenario}`.includes(values.only))
    .map((one) => ({ ...one, major, binary, seed, seconds, prefix: '' })),
);

/** @type {Map<string, Outcome>} */
const outcomes = new Map();
/** @param {{ file: string, scenario: string, major: string }} order */
const keyOf = ({ file, scenario, major }) => `${major} ${file}: ${scenario}`;
let next = 0;

/** One lane takes the next order whenever it has finished one. */
async function runLane() {
  const lane = startLane();
  await new Promise((resolve) => lane.once('message', resolve));
  while (next < chosen.length) {
    const number = next++;
    const order = /** @type {Order} */ (chosen[number]);
    /** @type {Outcome} */
    const outcome = await new Promise((resolve, reject) => {
      lane.once('message', (message) => resolve(/** @type {Outcome} */ (message)));
      lane.once('exit', () => reject(new Error(`a lane ended in ${keyOf(order)}`)));
      lane.send({ ...order, prefix: `zoo-lifecycle-${process.pid}-${number}` });
    });
    lane.removeAllListeners('exit');
    outcomes.set(keyOf(order), outcome);
    if (order.file === 'storm') process.stdout.write(`Node ${keyOf(order)}: ${outcome.said}`);
    for (const complaint of outcome.complaints) {
      process.stdout.write(`FAILED Node ${keyOf(order)}: ${complaint}\n`);
    }
  }
  lane.disconnect();
}

const started = performance.now();
await Promise.all([runLane(), runLane()]);

/** @param {string} file @param {string} scenario @param {string} major */
function cell(file, scenario, major) {
  const outcome = outcomes.get(keyOf({ file, scenario, major }));
  if (!outcome) return '-';
  return outcome.complaints.length > 0 ? 'FAILED' : `${Math.round(outcome.milliseconds)}`;
}
const rows = all
  .map(({ file, scenario }) => [
    `${file}: ${scenario}`,
    ...nodes.map(({ major }) => cell(file, scenario, major)),
  ])
  .filter(([name = '']) => name.includes(values.only));
const width = Math.max(8, ...rows.map(([name = '']) => name.length));
/** @param {string[]} row */
const line = ([name = '', ...cells]) =>
  `${name.padEnd(width)} ${cells.map((text) => text.padStart(8)).join(' ')}\n`;
process.stdout.write(line(['ms', ...nodes.map(({ version }) => version)]));
for (const row of rows) process.stdout.write(line(row));

const failed = [...outcomes.values()].filter(({ complaints }) => complaints.length > 0).length;
process.stdout.write(
  `${outcomes.size} scenarios, ${failed} failed, seed ${seed}, ` +
    `${((performance.now() - started) / 1000).toFixed(1)} s.\n`,
);
if (failed > 0) process.exitCode = 1;

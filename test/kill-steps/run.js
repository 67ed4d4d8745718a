/**
 * Kills a process at every step of what pools and streams do, from JavaScript, and looks at the others:
 *
 *   node test/kill-steps/run.js [--all] [--seconds 30] [--seed 7] [--only OPERATION] [--step NAME [--at 1]]
 *
 * First each operation runs through, which shows the steps it takes. Then it runs once for each step
 * at which somebody dies: at all of them (`--all`, or ZOO_ALL_STEPS=1), or for so many seconds at those that a
 * seed chooses, each name of a step before any is chosen twice.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { randomFrom } from '../torture/support/random.js';
import { reached } from './reached.js';
import { clear, prepare, stepNames } from './prepare.js';

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: process.env['ZOO_ALL_STEPS'] === '1' },
    seconds: { type: 'string', default: '20' },
    seed: {
      type: 'string',
      default: process.env['ZOO_SEED'] ?? String(Math.floor(Math.random() * 2 ** 31)),
    },
    only: { type: 'string', default: '' },
    step: { type: 'string', default: '' },
    at: { type: 'string', default: '1' },
  },
});
const random = randomFrom(Number(values.seed));
const begun = performance.now();
process.stdout.write(`kill steps: seed ${values.seed}${values.all ? ', all of them' : ''}\n`);
prepare();
process.stdout.write(`the addon with kill steps is there after ${seconds()} s\n`);

const { Trial } = await import('./trial.js');
const scenarios = (
  await Promise.all([
    import('./pool-worker.js'),
    import('./pool-parent.js'),
    import('./channels.js'),
    import('./pipes.js'),
    import('./queues.js'),
  ])
)
  .flatMap((module) => module.scenarios)
  .filter(({ name }) => name.includes(values.only));

/** @typedef {import('./trial.js').Scenario} Scenario */
/** @typedef {{ scenario: Scenario, killAt: number, only: string }} Shot */

/** @type {string[]} */
const failures = [];
/** How often somebody died at a step. @type {Map<string, number>} */
const deaths = new Map();
/** @type {Set<string>} */
const visited = new Set();
let trials = 0;

function seconds() {
  return Math.round((performance.now() - begun) / 1000);
}

/** @param {Scenario} scenario @param {number} killAt @param {string} only */
async function attempt(scenario, killAt, only) {
  const trial = new Trial(killAt, only);
  trials += 1;
  try {
    await scenario.run(trial);
  } catch (error) {
    const { diedAt } = trial.control.read();
    const text = `${scenario.name}, step ${killAt}${only && ` of ${only}`}${diedAt && `, died at ${diedAt}`}`;
    failures.push(`${text}: ${error instanceof Error ? error.stack : error}`);
    process.stdout.write(`FAILED ${failures.at(-1)}\n`);
  }
  const result = trial.control.read();
  await trial.clear();
  if (result.died) deaths.set(result.diedAt, (deaths.get(result.diedAt) ?? 0) + 1);
  for (const name of result.visits.keys()) visited.add(name);
  return result;
}

/** @param {Iterator<() => Promise<void>>} jobs */
async function lane(jobs) {
  for (let next = jobs.next(); next.done !== true; next = jobs.next()) await next.value();
}

/** Two at a time: a trial mostly waits for processes to start. @param {Iterable<() => Promise<void>>} jobs */
async function inLanes(jobs) {
  const iterator = jobs[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: Math.max(2, availableParallelism()) }, () => lane(iterator)),
  );
}

/** @type {Map<Scenario, { count: number, visits: Map<string, number> }>} */
const unharmed = new Map();
await inLanes(
  scenarios.map((scenario) => async () => {
    const { count, visits } = await attempt(scenario, 0, '');
    unharmed.set(scenario, { count, visits });
    if (count === 0) failures.push(`${scenario.name}: no step was reached`);
  }),
);
const steps = [...unharmed.values()].reduce((sum, { count }) => sum + count, 0);
process.stdout.write(`${scenarios.length} operations with ${steps} steps, after ${seconds()} s\n`);
if (values.all) {
  for (const [{ name }, { count }] of unharmed) process.stdout.write(`  ${count} steps: ${name}\n`);
}

/** Each operation at its first, second, … step, until it comes through twice. @returns {Generator<() => Promise<void>>} */
function* everyStep() {
  for (const scenario of scenarios) {
    let through = 0;
    for (let killAt = 1; through < 2; killAt += 1) {
      const at = killAt;
      yield async () => {
        const { died } = await attempt(scenario, at, '');
        if (!died) through += 1;
      };
    }
  }
}

/** @returns {Shot[]} in the order in which they are worth it */
function chosen() {
  /** @type {Map<string, Shot[]>} */
  const byName = new Map();
  for (const [scenario, { visits }] of unharmed) {
    for (const [name, times] of visits) {
      const shots = byName.get(name) ?? [];
      shots.push({ scenario, killAt: random.between(1, times + 1), only: name });
      byName.set(name, shots);
    }
  }
  /** @type {Shot[]} */
  const shots = [];
  const lists = [...byName.values()].map((list) => shuffled(list));
  for (let round = 0; lists.some((list) => list.length > round); round += 1) {
    shots.push(...shuffled(lists.flatMap((list) => list.slice(round, round + 1))));
  }
  return shots;
}

/** @template T @param {T[]} list */
function shuffled(list) {
  return list
    .map((item) => ({ item, key: random.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** @returns {Generator<() => Promise<void>>} */
function* someSteps() {
  const end = performance.now() + Number(values.seconds) * 1000;
  for (const { scenario, killAt, only } of chosen()) {
    if (performance.now() > end) return;
    yield async () => void (await attempt(scenario, killAt, only));
  }
}

/** The step that the command line names. @returns {Generator<() => Promise<void>>} */
function* oneStep() {
  for (const scenario of scenarios) {
    yield async () => void (await attempt(scenario, Number(values.at), values.step));
  }
}

setInterval(() => {
  const died = [...deaths.values()].reduce((sum, times) => sum + times, 0);
  process.stdout.write(
    `${seconds()} s: ${trials} runs, ${died} deaths, ${failures.length} failures\n`,
  );
}, 30_000).unref();
await inLanes(values.step !== '' ? oneStep() : values.all ? everyStep() : someSteps());

const known = stepNames();
const missed =
  values.only === '' ? reached.filter((name) => known.includes(name) && !visited.has(name)) : [];
for (const name of missed) failures.push(`nobody came to the step ${name}`);
const died = [...deaths.values()].reduce((sum, times) => sum + times, 0);
process.stdout.write(`visited: ${[...visited].sort().join(' ')}\n`);
process.stdout.write(
  `died at: ${[...deaths]
    .sort()
    .map(([name, times]) => `${name} ${times}`)
    .join(', ')}\n`,
);
process.stdout.write(`of others: ${known.filter((name) => !visited.has(name)).join(' ')}\n`);
if (died === 0) failures.push('nobody died');
for (const text of failures) process.stdout.write(`failed: ${text}\n`);
process.stdout.write(
  `kill steps: seed ${values.seed}, ${seconds()} s, ${trials} runs, ${died} deaths at ${deaths.size} of ${visited.size} steps, ${failures.length} failures\n`,
);
clear();
process.exit(failures.length === 0 ? 0 : 1);

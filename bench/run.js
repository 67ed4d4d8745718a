/** Measures zoosync beside its peers. `npm run bench -- --help` */
import { readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fetchNode, presentNode } from '../scripts/support/nodes.js';
import { readArguments } from './harness/arguments.js';
import { clock } from './harness/format.js';
import { describeMachine, machineLines } from './harness/machine.js';
import { measure } from './harness/measure.js';
import { forecastOf, stepsOf } from './harness/pace.js';
import { usableProcessors } from './harness/processors.js';
import { Progress } from './harness/progress.js';
import { textOf } from './harness/text-report.js';
import { publish, writeReport } from './report/report.js';
import { folderOf, storedResults, writeResult } from './report/results.js';

const { chosen, pace, list, publish: isToPublish } = readArguments(process.argv.slice(2));
const folder = folderOf(pace);

/** @param {string} text */
const note = (text) => process.stderr.write(`bench: ${text}\n`);

function listQuestions() {
  const entries = chosen.map(({ id, title, contenders }) => {
    const names = contenders.map(({ name }) => `    ${name}\n`);
    return `${id}\n  ${title}\n${names.join('')}`;
  });
  process.stdout.write(entries.join(''));
}

/** Only questions that are put by their names need another Node than the one that runs this. */
function fetchNodes() {
  const wanted = chosen.flatMap(({ contenders }) => contenders.map(({ node }) => node));
  for (const major of new Set(wanted)) {
    if (major === undefined || presentNode(major)) continue;
    note(`fetching Node ${major} from the npm registry into out/nodes`);
    const why = fetchNode(major);
    if (why !== undefined) note(`${why} The others go on without it.`);
  }
}

/** What processes that were killed left behind. @param {string} prefix */
function removeLeftovers(prefix) {
  for (const place of ['/dev/shm', os.tmpdir()]) {
    for (const name of readdirSync(place)) {
      if (name.startsWith(prefix)) rmSync(path.join(place, name), { recursive: true, force: true });
    }
  }
}

/** Each question with the seconds that it will take about, and all of them. */
function forecast() {
  const earlier = storedResults(folder);
  const plan = chosen.map((question) => {
    const before = earlier.find(({ id }) => id === question.id);
    const seconds = forecastOf(question, pace, before);
    return { question, seconds, steps: stepsOf(question, pace) };
  });
  return { plan, total: plan.reduce((sum, { seconds }) => sum + seconds, 0) };
}

/** @param {import('./harness/types.d.ts').Machine} machine */
async function measureAll(machine) {
  const prefix = `zoosync-bench-${process.pid}-`;
  process.on('exit', () => removeLeftovers(prefix));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const { plan, total } = forecast();
  const { rounds } = pace;
  note(
    `${plan.length} ${plan.length === 1 ? 'question' : 'questions'}, ${rounds} ` +
      `${rounds === 1 ? 'round' : 'rounds'} of each contender: about ${clock(total)} minutes`,
  );
  const processors = usableProcessors();
  const progress = new Progress(total);
  const results = [];
  try {
    for (const { question, seconds, steps } of plan) {
      progress.begin(question.id, { seconds, steps });
      const result = await measure(question, pace, { prefix, processors, progress });
      results.push(result);
      // At once: a run that is broken off keeps what it has.
      writeResult(folder, machine, result);
      progress.makeRoom();
      process.stdout.write(`${textOf(result)}\n`);
    }
  } finally {
    progress.stop();
  }
  return results;
}

async function bench() {
  fetchNodes();
  const machine = describeMachine();
  process.stdout.write(`${machineLines(machine).join('\n')}\n\n`);
  const results = await measureAll(machine);
  await writeReport(folder);
  note(
    `wrote ${path.relative(process.cwd(), path.join(folder, 'report.md'))} and the plots beside it`,
  );
  const broken = results.flatMap(({ id, outcomes }) =>
    outcomes.filter(({ failed }) => failed).map(({ name }) => `${id}: ${name}`),
  );
  if (broken.length > 0) {
    note(`broke off: ${broken.join('; ')}${isToPublish ? '; nothing is published' : ''}`);
    process.exitCode = 1;
  } else if (isToPublish) {
    await publish(folder, machine.date);
    note('wrote docs/benchmarks.md, docs/benchmarks/ and the table in README.md');
  }
}

if (list) listQuestions();
else await bench();

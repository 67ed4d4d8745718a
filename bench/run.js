/** Measures zoosync beside its peers. `npm run bench -- --help` */
import { readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readArguments } from './harness/arguments.js';
import { describeMachine, machineLines } from './harness/machine.js';
import { measure } from './harness/measure.js';
import { questionSeconds } from './harness/pace.js';
import { usableProcessors } from './harness/processors.js';
import { Progress } from './harness/progress.js';
import { writeReport, writeResult } from './harness/results.js';
import { textOf } from './harness/text-report.js';

const roundsForReport = 5;

const { chosen, pace, list, isComplete } = readArguments(process.argv.slice(2));

function listQuestions() {
  const entries = chosen.map(({ id, title, contenders }) => {
    const names = contenders.map(({ name }) => `    ${name}\n`);
    return `${id}\n  ${title}\n${names.join('')}`;
  });
  process.stdout.write(entries.join(''));
}

/** What processes that were killed left behind. @param {string} prefix */
function removeLeftovers(prefix) {
  for (const folder of ['/dev/shm', os.tmpdir()]) {
    for (const name of readdirSync(folder)) {
      if (name.startsWith(prefix))
        rmSync(path.join(folder, name), { recursive: true, force: true });
    }
  }
}

async function measureAll() {
  const machine = describeMachine();
  process.stdout.write(`${machineLines(machine).join('\n')}\n\n`);
  const prefix = `zoosync-bench-${process.pid}-`;
  process.on('exit', () => removeLeftovers(prefix));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const processors = usableProcessors();
  const progress = new Progress(
    chosen.reduce((seconds, question) => seconds + questionSeconds(question, pace), 0),
  );
  const results = [];
  try {
    for (const question of chosen) {
      progress.begin(question.id);
      const result = await measure(question, pace, { prefix, processors, progress });
      results.push(result);
      // At once: a run that is broken off keeps what it has.
      writeResult(machine, result);
      progress.makeRoom();
      process.stdout.write(`${textOf(result)}\n`);
    }
  } finally {
    progress.stop();
  }
  return { machine, results };
}

if (list) {
  listQuestions();
} else {
  const { machine, results } = await measureAll();
  const broken = results.flatMap(({ id, outcomes }) =>
    outcomes.filter(({ failed }) => failed).map(({ name }) => `${id}: ${name}`),
  );
  if (broken.length > 0) {
    process.stderr.write(`bench: broke off: ${broken.join('; ')}\n`);
    process.exitCode = 1;
  } else if (isComplete && pace.rounds >= roundsForReport) {
    await writeReport(machine, results);
    process.stderr.write('bench: wrote bench/report.md and bench/report.svg\n');
  }
}

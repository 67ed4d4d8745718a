/**
 * Mixed traffic in several processes, whose memory, descriptors, mappings, threads and files are
 * looked at again and again and have to stay flat:
 *
 *   node test/soak/soak.js --seconds 600 --seed 7 [--report FILE] [--only KIND]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judge, table } from './judge.js';
import { filesOf } from './measure.js';

const { values: given } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    report: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
  },
});
const seconds = Number(given.seconds);
const seed = Number(given.seed);
const prefix = `zoosoak-${process.pid}`;
process.stdout.write(`soak: seed ${seed}, ${seconds} s\n`);

/** A third of them is the warm-up, and what is left has to have a beginning and an end. */
const fewestSamples = 9;

/** @type {import('./judge.js').Series[]} */
const series = [];
/** @type {string[]} */
const violations = [];

/** @param {string} name @param {string} quantity @param {number} time @param {number} value */
function note(name, quantity, time, value) {
  let found = series.find((one) => one.process === name && one.quantity === quantity);
  if (found === undefined)
    series.push((found = { process: name, quantity, seconds: [], values: [] }));
  found.seconds.push(time);
  found.values.push(value);
}

class Member {
  /** @param {string} role */
  constructor(role) {
    this.role = role;
    const file = fileURLToPath(new URL('./member.js', import.meta.url));
    // A young generation that grows with the traffic would look like a leak.
    const execArgv = ['--max-semi-space-size=1'];
    const args = [role, prefix, String(seed + role.length), given.only];
    this.child = fork(file, args, { execArgv });
    this.ended = once(this.child, 'exit');
  }

  async #answer() {
    const [answer] = await Promise.race([
      once(this.child, 'message'),
      this.ended.then(([code, signal]) => [{ error: `it ended (${signal ?? code})` }]),
    ]);
    if (answer.error !== undefined) throw new Error(`${this.role}: ${answer.error}`);
    return answer;
  }

  ready() {
    return this.#answer();
  }

  /** @param {import('./member.js').Order} order */
  do(order) {
    this.child.send(order);
    return this.#answer();
  }
}

/** @type {Member[]} */
const members = [];
/** @type {Record<string, number>} */
const counts = {};

try {
  for (const role of ['left', 'right', 'host']) {
    const member = new Member(role);
    members.push(member);
    await member.ready();
  }
  const pids = [process.pid, ...members.map(({ child }) => child.pid ?? 0)];
  // As many samples as tell something, as few as leave time for the traffic.
  const milliseconds = Math.min(4000, Math.max(300, (seconds * 1000) / 40));
  const begun = performance.now();
  const elapsed = () => (performance.now() - begun) / 1000;
  let said = 0;
  for (let cycle = 0; elapsed() < seconds || cycle < fewestSamples; cycle += 1) {
    const order = { milliseconds, everything: cycle === 0 };
    const answers = await Promise.all(members.map((member) => member.do(order)));
    const time = elapsed();
    answers.forEach(({ sample }, index) => {
      for (const [quantity, value] of Object.entries(sample)) {
        note(/** @type {Member} */ (members[index]).role, quantity, time, value);
      }
    });
    note('all', 'files', time, filesOf(prefix, pids).length);
    if (time - said >= 30) {
      said = time;
      process.stdout.write(`soak: ${Math.round(time)} s, ${cycle + 1} samples\n`);
    }
  }
  // Who made a lock takes its name along only when nobody else has it open.
  for (const member of members.toReversed()) {
    const answer = await member.do('end');
    for (const [what, times] of Object.entries(answer.counts)) {
      counts[what] = (counts[what] ?? 0) + Number(times);
    }
    const [code] = await member.ended;
    if (code !== 0) violations.push(`${member.role} ended with ${code}`);
  }
  const left = filesOf(prefix, pids);
  if (left.length > 0) violations.push(`left in /dev/shm: ${left.join(', ')}`);
} catch (error) {
  violations.push(error instanceof Error ? error.message : String(error));
  for (const { child, ended } of members) {
    child.kill('SIGKILL');
    await ended;
  }
  for (const name of filesOf(prefix, [])) rmSync(path.join('/dev/shm', name), { force: true });
}

const verdicts = series.map(judge);
process.stdout.write(`\n${table(verdicts)}\n\n`);
for (const [what, times] of Object.entries(counts)) process.stdout.write(`  ${times} ${what}\n`);
for (const { process: name, quantity, isFlat } of verdicts) {
  if (!isFlat) violations.push(`${quantity} of ${name} grows`);
}
for (const violation of violations) process.stdout.write(`VIOLATION: ${violation}\n`);
process.stdout.write(`soak: seed ${seed}, ${violations.length} violations\n`);
if (given.report !== '') {
  mkdirSync(path.dirname(given.report), { recursive: true });
  const report = {
    part: 'soak',
    seed,
    seconds,
    counts,
    found: violations.length,
    violations,
    verdicts,
    series,
  };
  writeFileSync(given.report, `${JSON.stringify(report)}\n`);
}
process.exitCode = violations.length === 0 ? 0 : 1;

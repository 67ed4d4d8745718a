/**
 * Runs scenarios for the driver (scripts/lifecycle.js), one after the other, and looks at what each
 * leaves behind. Best with a /dev/shm of its own: then nothing in it is somebody else's.
 */
import { spawn } from 'node:child_process';
import { readdirSync, unlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { files } from './index.js';

/** @typedef {{ file: string, scenario: string, major: string, binary: string, seed: number, seconds: number, prefix: string }} Order */
/** @typedef {{ milliseconds: number, complaints: string[], said: string }} Outcome */

const ownShm = process.env.LIFECYCLE_OWN_SHM === '1';
const isBell = /^\.zoosync-(new)?bell-/;

/** @param {number} group @returns {boolean} whether a process of the group still runs */
function runs(group) {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

/** @param {Order} order @returns {string[]} what the scenario left in /dev/shm */
const leftovers = ({ prefix }) =>
  readdirSync('/dev/shm').filter((file) => (ownShm ? !isBell.test(file) : file.startsWith(prefix)));

/** @param {Order} order @returns {Promise<Outcome>} */
async function runOne(order) {
  const scenario = files[order.file]?.find(({ name }) => name === order.scenario);
  if (!scenario) return { milliseconds: 0, complaints: ['there is no such scenario'], said: '' };
  const { ends = {}, says, limits = ':', leaves, mayLeave, signal } = scenario;
  const place = {
    prefix: order.prefix,
    file: order.file,
    scenario: order.scenario,
    seed: order.seed,
    seconds: order.seconds,
  };
  const started = performance.now();
  const child = spawn(
    '/bin/bash',
    [
      '-c',
      `${limits}; exec "$@"`,
      'bash',
      order.binary,
      '--expose-gc',
      ...(scenario.node ?? []),
      ...(scenario.nodeOf?.(Number(order.major)) ?? []),
      fileURLToPath(new URL('main.js', import.meta.url)),
      JSON.stringify(place),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, NODE_NO_WARNINGS: undefined, ...scenario.env },
    },
  );
  const group = child.pid ?? 0;
  let stdout = '';
  let stderr = '';
  let late = false;
  const limit = ((scenario.seconds ?? 20) + order.seconds) * 1000;
  const timer = setTimeout(() => {
    late = true;
    process.kill(-group, 'SIGKILL');
  }, limit);
  child.stdout.setEncoding('utf8').on('data', (text) => {
    if (signal && !stdout.includes('ready\n') && `${stdout}${text}`.includes('ready\n')) {
      child.kill(signal);
    }
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  /** @type {[number | null, NodeJS.Signals | null]} */
  const [code, killedBy] = await new Promise((resolve) =>
    child.once('exit', (...how) => resolve(how)),
  );
  clearTimeout(timer);
  const milliseconds = performance.now() - started;

  const complaints = [];
  if (late) complaints.push(`it still ran after ${limit / 1000} s`);
  const expected = ends.signal ?? ends.code ?? 0;
  if ((killedBy ?? code) !== expected) {
    complaints.push(`it ended with ${killedBy ?? code}, not with ${expected}`);
  }
  const deadline = performance.now() + 5000;
  while (runs(group) && performance.now() < deadline) await sleep(2);
  if (runs(group)) {
    complaints.push('processes that it started outlive it');
    process.kill(-group, 'SIGKILL');
  }
  if (!child.stdout.readableEnded || !child.stderr.readableEnded) await sleep(5);
  if (says ? !says.test(stderr) : stderr !== '') complaints.push(`it wrote to stderr: ${stderr}`);
  const left = leftovers(order);
  const unexpected = left.filter((file) => !leaves?.test(file) && !mayLeave?.test(file));
  if (unexpected.length > 0) complaints.push(`it left in /dev/shm: ${unexpected.join(', ')}`);
  if (leaves && left.length === 0) complaints.push('it should have left something, being dead');
  for (const file of left) unlinkSync(`/dev/shm/${file}`);
  if (ownShm) {
    const bells = readdirSync('/dev/shm').filter((file) => isBell.test(file));
    if (bells.length > 0 && !scenario.leavesBell) complaints.push(`it left ${bells.length} bells`);
    for (const file of bells) unlinkSync(`/dev/shm/${file}`);
  }
  return { milliseconds, complaints, said: stdout };
}

process.on('message', (/** @type {Order} */ order) => {
  void runOne(order).then((outcome) => process.send?.(outcome));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

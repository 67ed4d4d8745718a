/**
 * Builds capture, runs it with two readers, and kills a reader and capture on the way:
 * node examples/capture/demo.js
 */
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ZooQueue } from 'zoosync';

const source = fileURLToPath(new URL('.', import.meta.url));
const build = fileURLToPath(new URL('../../build/capture', import.meta.url));
const name = `zoosync_capture_${process.pid}`;
const rate = '200';
const framesOfSecond = 100;
const firstOfSecond = 1_000_000;
const patience = 60_000;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
/** Numbers of the frames that were read. @type {Set<number>} */
const seen = new Set();

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error)
    throw new Error(`${command} does not run (on Debian: apt install cmake g++)`, { cause: error });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
}

/** @param {string} command @param {string[]} args */
function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** @param {string[]} args frames, rate, first number */
const startCapture = (...args) => start(path.join(build, 'capture'), [name, ...args]);

function startReader() {
  const child = start(process.execPath, [path.join(source, 'read.js'), name, '--list']);
  const reader = { child, frames: 0 };
  createInterface({ input: child.stdout }).on('line', (line) => {
    reader.frames++;
    seen.add(Number(line));
  });
  return reader;
}

/** @param {string} what @param {() => boolean} condition */
async function until(what, condition) {
  const end = performance.now() + patience;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await sleep(5);
  }
}

/** @param {number[]} numbers in order @param {number} first */
function checkComplete(numbers, first) {
  for (const [index, number] of numbers.entries()) {
    if (number !== first + index) throw new Error(`frame ${first + index} is missing`);
  }
}

try {
  run('cmake', ['-S', source, '-B', build]);
  run('cmake', ['--build', build]);

  const first = startCapture('0', rate);
  const readers = [startReader(), startReader()];
  const queue = await ZooQueue.waitFor(name, { label: 'demo', timeout: patience });
  await until('frames', () => seen.size >= 50);
  const [busiest] = readers.sort((a, b) => b.frames - a.frames);
  busiest.child.kill('SIGKILL');
  const successor = startReader();
  const seenBefore = seen.size;
  await until('frames after the death of a reader', () => seen.size >= seenBefore + 50);
  // Whoever opens the queue after the readers came to its end, and removed it, would wait for ever.
  await until('the successor', () => {
    return queue.stats().participants.some(({ pid }) => pid === successor.child.pid);
  });
  first.kill('SIGKILL');
  startCapture(String(framesOfSecond), rate, String(firstOfSecond));
  await until('the end', () => running.size === 0);
  queue.close();

  const numbers = [...seen].sort((a, b) => a - b);
  const fromFirst = numbers.filter((number) => number < firstOfSecond);
  const fromSecond = numbers.slice(fromFirst.length);
  checkComplete(fromFirst, 0);
  checkComplete(fromSecond, firstOfSecond);
  if (fromSecond.length !== framesOfSecond) throw new Error('the last frames are missing');
  process.stdout.write(
    `ok  a reader and capture were killed; all ${fromFirst.length} + ${fromSecond.length} frames were read\n`,
  );
} finally {
  for (const child of running) child.kill('SIGKILL');
  ZooQueue.unlink(name);
}

/**
 * A process that writes into segments of others, at random and on purpose, as any process of the
 * same user may: lengths, states, positions, owners, the mutex, whole records.
 *
 *   node neighbour.js PREFIX SEED [PID]
 *
 * It attacks every file under /dev/shm whose name begins with PREFIX, again and again, until its
 * standard input ends. With PID it attacks the segments that the process has mapped as well (those
 * of a pool have names of their own).
 */
import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
  writeSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [prefix = '', seed = '1', pid] = process.argv.slice(2);
if (prefix === '' && pid === undefined) throw new Error('a prefix or a process is needed');

let state = Number(seed) >>> 0 || 1;
/** @param {number} limit @returns {number} 0 to limit - 1 */
function random(limit) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

const pageBytes = 4096;
const participants = 4096;
const participantBytes = 192;
const block = 28_672;

/** @returns {string[]} the paths to attack now */
function targets() {
  const found = readdirSync('/dev/shm')
    .filter((name) => prefix !== '' && name.startsWith(prefix))
    .map((name) => `/dev/shm/${name}`);
  if (pid === undefined) return found;
  try {
    for (const entry of readdirSync(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${entry}`;
      const leadsTo = readlinkSync(path);
      if (leadsTo.startsWith('/dev/shm/') && !leadsTo.includes('zoosync-bell')) found.push(path);
    }
  } catch {
    // It has just ended, or closed one.
  }
  return found;
}

/** @param {number} size @returns {number} where to write */
function place(size) {
  const areas = [
    () => random(128),
    () => 128 + random(64),
    () => participants + participantBytes * random(10) + random(participantBytes),
    () => block + random(2048),
    () => block + 2048 + random(192),
    () => block + pageBytes + random(pageBytes),
    () => size - 16_384 + 64 * random(256) + random(64),
    () => random(size),
  ];
  const at = areas[random(areas.length)]?.() ?? 0;
  return Math.max(0, Math.min(at, size - 8)) & ~7;
}

/** @param {bigint} there @returns {bigint} what to write in place of it */
function value(there) {
  const thread = BigInt([process.pid, 1, 2 ** 30 - 1, process.ppid][random(4)] ?? 1);
  const choices = [
    0n,
    1n,
    2n ** 64n - 1n,
    2n ** BigInt(random(64)),
    BigInt(random(300)),
    there + 64n,
    there - 64n,
    there + 1n,
    there ^ (1n << BigInt(random(64))),
    thread,
    thread | 0x8000_0000n,
    thread | 0x4000_0000n,
    (BigInt(random(2 ** 31)) << 32n) | BigInt(random(2 ** 31)),
  ];
  return BigInt.asUintN(64, choices[random(choices.length)] ?? 0n);
}

const word = Buffer.alloc(8);

/** @param {string} path */
function attack(path) {
  let file;
  try {
    file = openSync(path, 'r+');
    const { size } = fstatSync(file);
    if (size <= block) return;
    for (let count = 1 + random(6); count > 0; count -= 1) {
      const at = place(size);
      readSync(file, word, 0, 8, at);
      word.writeBigUInt64LE(value(word.readBigUInt64LE()));
      const width = random(2) === 0 ? 8 : 4;
      writeSync(file, word, 0, width, at);
    }
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!['ENOENT', 'ESRCH', 'EACCES', 'ENXIO', 'EINVAL'].includes(code ?? '')) throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

let over = false;
process.stdin.on('end', () => (over = true)).resume();
let attacks = 0;
while (!over) {
  for (const path of targets()) {
    if (random(3) === 0) continue;
    attack(path);
    attacks += 1;
  }
  await sleep(random(4));
}
process.stdout.write(`${attacks}\n`);

/** One life of a lock around accounts in shared memory, whose owners are killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LockRecovered, ZooLock, ZooMemory } from '../../dist/index.js';
import { Accounts } from './accounts.js';
import { comesTrue } from './support/leaks.js';
import { Peer } from './support/peers.js';

/** @typedef {import('./support/random.js').Random} Random */
/** @typedef {import('./support/report.js').Report} Report */

let rounds = 0;

/** @param {Random} random @param {Report} report @param {number} milliseconds */
export async function lockRound(random, report, milliseconds) {
  rounds += 1;
  report.count('locks');
  const names = {
    lock: `zootorture.${process.pid}.lock${rounds}`,
    memory: `zootorture.${process.pid}.accounts${rounds}`,
  };
  const directory = mkdtempSync(path.join(tmpdir(), 'torture-lock-'));
  const memory = ZooMemory.create(names.memory, 4 * (16 + 20));
  const accounts = new Accounts(memory.buffer);
  accounts.open();
  const lock = new ZooLock(names.lock);
  const plan = { ...names, deaths: random.one([0, 0.0005, 0.005]) };
  /** @type {Peer[]} */
  const peers = [];
  /** @type {Peer[]} */
  const past = [];
  let over = false;

  const start = () => {
    const kind = random.happens(0.6) ? 'process' : 'thread';
    const peer = new Peer(kind, 'holder', directory, random.between(0, 2 ** 31), plan);
    report.count(`peers: ${kind}`);
    peers.push(peer);
    void peer.gone.then(() => {
      peers.splice(peers.indexOf(peer), 1);
      past.push(peer);
      const killedItself = kind === 'process' && peer.ending.includes('SIGKILL');
      if (killedItself && !peer.harmed) report.count('kills');
      if (!peer.harmed && !killedItself && peer.ending !== '') {
        report.violation(`a holder (${kind}) ended by itself: ${peer.ending}`);
      }
      if (!over) start();
    });
  };
  for (let i = random.between(2, 5); i > 0; i -= 1) start();
  await comesTrue(() => peers.every(({ begun }) => begun), 20_000);
  const end = performance.now() + milliseconds;
  const rate = random.logarithmic(60, 600);
  while (performance.now() < end) {
    await sleep(random.next() * 2 * rate);
    const peer = random.one(peers.filter(({ begun }) => begun || random.happens(0.05)));
    if (random.happens(0.1)) peer?.tell();
    else void peer?.harm(random, report);
  }
  over = true;
  for (const peer of peers) peer.tell();
  const late = setTimeout(() => {
    for (const peer of peers) {
      report.violation(`a holder (${peer.kind}) does not come to an end: ${peer.state()}`);
      peer.harmed = true;
      peer.child?.kill('SIGKILL');
      void peer.worker?.terminate();
    }
  }, 60_000);
  await Promise.all(peers.map(({ gone }) => gone));
  clearTimeout(late);

  const asked = performance.now();
  try {
    await lock.acquire({ timeout: 10_000 });
  } catch (error) {
    if (error instanceof LockRecovered) accounts.repair(1);
    else report.violation(`the lock cannot be had: ${/** @type {Error} */ (error).stack}`);
  }
  report.took('a lock from the dead', performance.now() - asked);
  judge(accounts, past, report);
  if (lock.held) lock.release();
  lock.close();
  ZooLock.unlink(names.lock);
  // What threads that ended with a lock have left is unmapped when a lock is opened.
  const other = new ZooLock(`${names.lock}.next`);
  other.close();
  other.unlink();
  memory.close();
  memory.unlink();
  rmSync(directory, { recursive: true, force: true });
}

/** @param {Accounts} accounts @param {Peer[]} past @param {Report} report */
function judge(accounts, past, report) {
  /** @type {Set<number>} */
  const moves = new Set();
  for (const peer of past) {
    for (const line of peer.lines()) {
      if (line.startsWith('!')) report.violation(`holder ${peer.id}: ${line}`);
      if (line === 'R') report.count('repairs');
      if (!line.startsWith('#')) continue;
      const number = Number(line.slice(2));
      if (moves.has(number)) report.violation(`move ${number} was made twice`);
      if (number > accounts.moves) report.violation(`move ${number} of ${accounts.moves} was made`);
      moves.add(number);
    }
  }
  report.count('sections', moves.size);
  try {
    accounts.check();
  } catch (error) {
    report.violation(/** @type {Error} */ (error).message);
  }
}

/** A writer and a reader of a channel or a pipe, one of which may be killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Channel, ZooPipe } from '../../dist/index.js';
import { comesTrue } from './support/leaks.js';
import { Peer } from './support/peers.js';

/** @typedef {import('./support/random.js').Random} Random */
/** @typedef {import('./support/report.js').Report} Report */

/** How long a side may take to learn of the other's end, in milliseconds. */
const patience = 20_000;
let rounds = 0;

/** @param {Random} random @param {Report} report */
export async function streamRound(random, report) {
  rounds += 1;
  const directory = mkdtempSync(path.join(tmpdir(), 'torture-stream-'));
  const medium = random.one(['channel', 'pipe']);
  const plan = {
    name: `zootorture.${process.pid}.stream${rounds}`,
    medium,
    maker: random.one(['writer', 'reader']),
    bytes: random.one(['64KiB', '1MiB']),
    capacity: random.one([0, 0, 1, 50]),
    prefetch: random.one([1, 1, 64]),
    text: random.one([1, 300]),
    count: random.logarithmic(1, 4000),
    through: random.one(['direct', 'stream']),
    end: random.one(['closed', 'error']),
    first: true,
  };
  if (plan.through === 'stream') plan.end = 'closed';
  report.count(`streams: ${medium}`);
  const kind = () =>
    /** @type {'process' | 'thread'} */ (random.happens(0.6) ? 'process' : 'thread');
  const writer = new Peer(kind(), 'writer', directory, random.between(0, 2 ** 31), plan);
  let reader = new Peer(kind(), 'reader', directory, random.between(0, 2 ** 31), plan);
  const readers = [reader];
  const victim = random.one(['writer', 'writer', 'reader', 'nobody']);
  const show = () => `${JSON.stringify(plan)}, ${victim} dies, ${writer.kind} to ${reader.kind}`;
  const opened = () =>
    [writer, reader].every((peer) => peer.lines().includes('opened') || peer.ended);
  if (!(await comesTrue(opened, patience)))
    report.violation(`they do not find each other: ${show()}`);
  await sleep(random.logarithmic(1, 400));

  const dies = victim === 'writer' ? writer : victim === 'reader' ? reader : undefined;
  if (dies) await die(dies, random, report);
  if (victim === 'reader' && medium === 'channel' && plan.maker === 'writer') {
    // Others go on where it was. A reader that made the channel counts as a writer that died.
    reader = new Peer(kind(), 'reader', directory, random.between(0, 2 ** 31), {
      ...plan,
      first: false,
    });
    readers.push(reader);
  }
  const awaited =
    victim === 'writer'
      ? [reader]
      : victim === 'reader' && medium === 'pipe'
        ? [writer]
        : [writer, reader];
  const canEnd = victim !== 'reader' || medium === 'pipe' || readers.length === 2;
  const begun = performance.now();
  if (
    canEnd &&
    !(await comesTrue(
      () => awaited.every((peer) => endOf(peer) !== undefined || peer.ended),
      patience,
    ))
  ) {
    const states = awaited.map((peer) => `${peer.role}: ${peer.lines().at(-1)}`);
    report.violation(`no end after ${patience} ms: ${states}, ${show()}`);
  }
  report.took('the end of a stream', performance.now() - begun);
  for (const peer of [writer, ...readers]) peer.tell();
  await sleep(1);
  if (!canEnd) await die(writer, random, report);
  const late = setTimeout(() => {
    for (const peer of [writer, ...readers].filter(({ ended }) => !ended)) {
      report.violation(`a ${peer.role} does not end: ${peer.lines().at(-1)}, ${show()}`);
      peer.harmed = true;
      peer.child?.kill('SIGKILL');
      void peer.worker?.terminate();
    }
  }, patience);
  await Promise.all([writer, ...readers].map(({ gone }) => gone));
  clearTimeout(late);
  judge(plan, victim, writer, readers, report, show);
  if (medium === 'channel') Channel.unlink(plan.name);
  else ZooPipe.unlink(plan.name);
  rmSync(directory, { recursive: true, force: true });
}

/** @param {Peer} peer @param {Random} random @param {Report} report */
async function die(peer, random, report) {
  peer.harmed = true;
  if (peer.worker) {
    report.count('terminations');
    await peer.worker.terminate();
  } else {
    report.count('kills');
    if (random.happens(0.2)) {
      report.count('stops');
      peer.child?.kill('SIGSTOP');
      await sleep(random.between(1, 300));
    }
    peer.child?.kill('SIGKILL');
    await peer.gone;
  }
}

/** @param {Peer} peer */
function endOf(peer) {
  return peer
    .lines()
    .find((line) => line.startsWith('end '))
    ?.slice(4);
}

/** @param {any} plan @param {string} victim @param {Peer} writer @param {Peer[]} readers @param {Report} report @param {() => string} show */
function judge(plan, victim, writer, readers, report, show) {
  for (const peer of [writer, ...readers]) {
    if (!peer.harmed && peer.ending !== '')
      report.violation(`a ${peer.role} ended by itself: ${peer.ending}, ${show()}`);
  }
  const accepted = Math.max(
    0,
    ...writer
      .lines()
      .filter((line) => line.startsWith('= '))
      .map((line) => Number(line.slice(2))),
  );
  report.count(plan.medium === 'channel' ? 'values' : 'bytes', accepted);
  let position = 0;
  let missing = 0;
  for (const reader of readers) {
    for (const line of reader.lines()) {
      if (!line.startsWith('g ')) continue;
      const [first = 0, end = 0] = line.slice(2).split(' ').map(Number);
      if (first < position) {
        report.violation(`${first} came after ${position}, ${show()}`);
        return;
      }
      missing += first - position;
      position = end;
    }
  }
  const last = readers.at(-1);
  const end = last && endOf(last);
  const wasClosed = endOf(writer) === 'closed';
  // What a reader that was killed had in its hand is lost with it.
  const mayMiss = readers.length > 1 ? plan.prefetch + 64 : 0;
  if (missing > mayMiss) report.violation(`${missing} are missing in between, ${show()}`);
  if (victim === 'reader' && readers.length === 1) {
    const learnt = endOf(writer);
    const right = ['closed', 'ERR_ZOO_PEER_DIED'];
    if (plan.medium === 'pipe' && !right.includes(learnt ?? ''))
      report.violation(`the writer learnt ${learnt}, ${show()}`);
    return;
  }
  const proper = plan.end === 'error' ? 'RangeError' : 'closed';
  // Between its end and writing that down, a writer may have died of either.
  const expected =
    victim !== 'writer' ? [proper] : wasClosed ? [proper] : [proper, 'ERR_ZOO_PEER_DIED'];
  if (!expected.includes(end ?? ''))
    report.violation(`the reader learnt ${end} instead of ${expected}, ${show()}`);
  if (position + mayMiss < accepted)
    report.violation(`${accepted} were accepted, and ${position} came, ${show()}`);
}

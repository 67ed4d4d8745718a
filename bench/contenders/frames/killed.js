/**
 * A producer at full speed, two groups that must get every frame, a preview that need not, and
 * somebody who kills their viewers at random.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZooMemory, ZooQueue } from '../../../dist/index.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { LatencyHistogram } from '../../harness/statistics.js';
import { stopwatch } from '../support/stopwatch.js';
import { touchLines } from '../support/tally.js';

/**
 * @typedef {import('../../harness/types.d.ts').ContenderOptions & { slots: number, kill: boolean }} Options
 * @typedef {Options & { role: 'producer' | 'viewer', group: string }} PartnerOptions
 * @typedef {{ produced: number, longestWait: number, p99Wait: number, p50Wait: number }} ProducerReport
 */

const groups = /** @type {const} */ ({
  detect: { overflow: 'block' },
  encode: { overflow: 'block' },
  preview: { overflow: 'latest' },
});
const mustGetAll = ['detect', 'encode'];
/** A group always keeps one: the producer shall wait for nobody but the dead. */
const viewers = ['detect', 'detect', 'encode', 'encode', 'preview'];

/** Frames that one run can mark; a run of hours stays below. */
const mostFrames = 4_000_000;

/** Which group got which frame, in memory that survives the viewers. */
class Marks {
  #memory;

  /** @param {ZooMemory} memory */
  constructor(memory) {
    this.#memory = memory;
  }

  /** @param {string} prefix */
  static create(prefix) {
    return new Marks(ZooMemory.create(`${prefix}-marks`, 64 + mustGetAll.length * mostFrames));
  }

  /** @param {string} prefix */
  static open(prefix) {
    return new Marks(ZooMemory.open(`${prefix}-marks`));
  }

  /** The producer looks at it before each frame. */
  get stopWord() {
    return new Int32Array(this.#memory.buffer, 0, 1);
  }

  /** @param {string} group @returns {Uint8Array} how often the group got each frame */
  of(group) {
    return new Uint8Array(
      this.#memory.buffer,
      64 + mustGetAll.indexOf(group) * mostFrames,
      mostFrames,
    );
  }

  remove() {
    this.#memory.close();
    this.#memory.unlink();
  }
}

/** @param {Marks} marks @param {number} produced */
function countMarks(marks, produced) {
  let lost = 0;
  let again = 0;
  for (const group of mustGetAll) {
    for (const count of marks.of(group).subarray(0, produced)) {
      if (count === 0) lost += 1;
      else again += count - 1;
    }
  }
  return { lost, again };
}

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open(options) {
  return {
    run: (kills) => runOnce(options, kills),
    close() {},
  };
}

/** @param {Options} options @param {number} kills */
async function runOnce(options, kills) {
  const { prefix, bytes, slots } = options;
  const marks = Marks.create(prefix);
  const queue = ZooQueue.create(`${prefix}-frames`, {
    slots,
    slotSize: bytes,
    groups,
    group: 'preview',
  });
  /** @param {string} group */
  const startViewer = async (group) => {
    const child = startProcess(import.meta.url, { ...options, role: 'viewer', group });
    await once(child, 'message');
    return child;
  };
  const alive = await Promise.all(viewers.map((group) => startViewer(group)));
  const producer = startProcess(import.meta.url, { ...options, role: 'producer' });
  await once(producer, 'message');

  const elapsed = stopwatch();
  let killed = 0;
  while (killed < kills) {
    await sleep(Math.random() * 20);
    if (!options.kill) {
      killed += 1;
      continue;
    }
    const index = Math.floor(Math.random() * viewers.length);
    const [group = ''] = viewers.slice(index, index + 1);
    alive[index]?.kill('SIGKILL');
    killed += 1;
    alive[index] = await startViewer(group);
  }
  const seconds = elapsed();

  const reported = once(producer, 'message');
  Atomics.store(marks.stopWord, 0, 1);
  /** @type {ProducerReport[]} */
  const [report] = await reported;
  await Promise.all([producer, ...alive].map((child) => ended(child)));
  const { produced = 0, longestWait = 0, p99Wait = 0, p50Wait = 0 } = report ?? {};
  const { lost, again } = countMarks(marks, produced);
  const { dead } = queue.stats();
  queue.close();
  queue.unlink();
  marks.remove();
  return {
    operations: produced,
    seconds,
    figures: {
      kills: options.kill ? kills : 0,
      frames: produced,
      lost: lost + dead,
      again,
      longestWait,
      p99Wait,
      p50Wait,
    },
  };
}

/** @param {PartnerOptions} options */
export function partner(options) {
  if (options.role === 'producer') produce(options);
  else view(options);
}

/** @param {PartnerOptions} options */
function produce({ prefix, bytes }) {
  const queue = ZooQueue.open(`${prefix}-frames`, { group: 'preview', writer: true });
  const { stopWord } = Marks.open(prefix);
  const frame = Buffer.alloc(bytes, 1);
  const waits = new LatencyHistogram();
  let produced = 0;
  process.send?.('ready');
  const host = process.ppid;
  // A loop that blocks hears no event: that the host is gone shows in who the parent is.
  while (Atomics.load(stopWord, 0) === 0 && process.ppid === host) {
    if (produced === mostFrames) throw new Error('more frames than this run has marks for');
    const start = process.hrtime.bigint();
    const { view, cursor } = queue.reserveSync(bytes);
    waits.add([Number(process.hrtime.bigint() - start)]);
    frame.copy(view);
    view.writeDoubleLE(produced);
    queue.commitWrite(cursor);
    produced += 1;
  }
  queue.end();
  if (process.ppid !== host) return;
  const { p50, p99, highest } = waits.summary();
  process.send?.({ produced, longestWait: highest, p99Wait: p99, p50Wait: p50 }, () =>
    process.disconnect(),
  );
}

/** @param {PartnerOptions} options */
function view({ prefix, group }) {
  const queue = ZooQueue.open(`${prefix}-frames`, { group });
  const marks = Marks.open(prefix);
  const own = mustGetAll.includes(group) ? marks.of(group) : undefined;
  process.send?.('ready');
  process.disconnect();
  while (true) {
    const { view, cursor } = queue.recvViewSync();
    const frame = view.readDoubleLE();
    touchLines(view);
    // Before the commit: a frame counts as seen only when its viewer lived long enough to say so.
    if (own) own[frame] = /** @type {number} */ (own[frame]) + 1;
    queue.commitRead(cursor);
  }
}

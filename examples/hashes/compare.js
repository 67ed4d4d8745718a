/** Both pools on the same files, in turn. */
import { createHash } from 'node:crypto';
import * as onPiscina from './piscina.js';
import { Progress } from './progress.js';
import * as onZoosync from './zoosync.js';

const rounds = 5;

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * @typedef {object} HashPool
 * @property {(files: readonly string[]) => AsyncIterable<import('./tasks.js').Answer>} hashAll
 * @property {() => Promise<unknown>} close
 */

/** One pool, which stays open over all rounds. */
class Contender {
  name;
  /** Of the round that starts the pool, too. */
  firstSeconds = 0;
  /** @type {number[]} */
  seconds = [];
  #startPool;
  /** @type {HashPool | undefined} */
  #pool;

  /** @param {string} name @param {() => HashPool} startPool */
  constructor(name, startPool) {
    this.name = name;
    this.#startPool = startPool;
  }

  /** @param {readonly string[]} files @param {number} round @returns {Promise<string>} of all hashes */
  async hash(files, round) {
    const progress = new Progress(`${this.name}, round ${round} of ${rounds}`, files.length);
    const digest = createHash('sha256');
    const begun = performance.now();
    this.#pool ??= this.#startPool();
    for await (const answer of this.#pool.hashAll(files)) {
      digest.update('hash' in answer ? answer.hash : answer.problem);
      progress.advance();
    }
    const seconds = (performance.now() - begun) / 1000;
    if (round === 0) this.firstSeconds = seconds;
    else this.seconds.push(seconds);
    progress.stop();
    return digest.digest('hex');
  }

  async close() {
    await this.#pool?.close();
  }
}

/**
 * @param {readonly string[]} files
 * @param {import('./arguments.js').Staff} staff
 * @param {(text: string) => void} say
 */
export async function compare(files, staff, say) {
  const kinds = staff.kind === 'thread' ? 'threads' : 'processes';
  const contenders = [
    new Contender(`zoosync, ${staff.workers} ${kinds}`, () => onZoosync.startPool(staff)),
    new Contender(`piscina, ${staff.workers} threads`, () => onPiscina.startPool(staff)),
  ];
  const digests = new Set();
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const contender of contenders) digests.add(await contender.hash(files, round));
    }
  } finally {
    for (const contender of contenders) await contender.close();
  }
  if (digests.size !== 1) throw new Error('the pools do not agree about the hashes');
  const [ours, theirs] = contenders.map(({ seconds }) => median(seconds));
  for (const { name, firstSeconds, seconds } of contenders) {
    const rate = Math.round(files.length / median(seconds)).toLocaleString('en');
    say(
      `${name.padEnd(22)} ${median(seconds).toFixed(2)} s, ${rate} files/s, median of ${rounds} rounds;` +
        ` the first one with the start of the pool ${firstSeconds.toFixed(2)} s`,
    );
  }
  const factor = (Math.max(ours, theirs) / Math.min(ours, theirs)).toFixed(1);
  say(
    `${files.length} files, same hashes: zoosync is ${factor}x as ${ours <= theirs ? 'fast' : 'slow'}`,
  );
}

/** From metrics to averages: all that this example is about. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {import('./metric.js').Metric} Metric
 * @typedef {{ count: number, sum: number, highest: number }} Load of one source
 * @typedef {{ at: number, loads: Map<string, Load> }} Summary of one batch
 * @typedef {{ source: string, average: number, highest: number }} Status of one source in the last two seconds
 */

const windowMs = 2000;

/** How long the consumer takes for a batch, in milliseconds; the keys change it. */
export class Pace {
  delay = 0;

  slower() {
    this.delay = Math.min(320, this.delay * 2 || 5);
  }

  faster() {
    this.delay = this.delay <= 5 ? 0 : this.delay / 2;
  }

  async wait() {
    if (this.delay > 0) await sleep(this.delay);
  }
}

/** @param {Metric[]} batch @returns {Summary} */
function summarise(batch) {
  /** @type {Summary} */
  const summary = { at: 0, loads: new Map() };
  for (const { source, at, value } of batch) {
    summary.at = Math.max(summary.at, at);
    add(summary.loads, source, { count: 1, sum: value, highest: value });
  }
  return summary;
}

/** @param {Map<string, Load>} loads @param {string} source @param {Load} more */
function add(loads, source, { count, sum, highest }) {
  const load = loads.get(source);
  if (!load) {
    loads.set(source, { count, sum, highest });
    return;
  }
  load.count += count;
  load.sum += sum;
  load.highest = Math.max(load.highest, highest);
}

/** @param {readonly Summary[]} window @returns {Status[]} */
function statusOf(window) {
  /** @type {Map<string, Load>} */
  const total = new Map();
  for (const { loads } of window) {
    for (const [source, load] of loads) add(total, source, load);
  }
  return [...total].map(([source, { count, sum, highest }]) => {
    return { source, average: sum / count, highest };
  });
}

/**
 * @param {import('zoosync').Stream<Metric>} metrics
 * @param {Pace} pace
 * @param {(batch: readonly Metric[]) => void} count sees every metric once
 * @returns {import('zoosync').Stream<Status[]>} after each batch, how all sources are
 */
export function watch(metrics, pace, count) {
  return metrics
    .batch(1000, { ms: 50 })
    .map(async (batch) => {
      count(batch);
      await pace.wait();
      return summarise(batch);
    })
    .window({ ms: windowMs, at: ({ at }) => at })
    .map(statusOf);
}

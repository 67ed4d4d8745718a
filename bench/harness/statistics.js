/** Figures from samples. */
import { build } from 'hdr-histogram-js';

/** @param {readonly number[]} values @returns {number} the median; NaN of nothing */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** @typedef {import('./types.d.ts').Sample} Sample */

/** How far out the shares of a distribution go: eight steps for each nine. */
const stepsPerNine = 8;

/** Nanoseconds up to an hour, to three digits. */
export class LatencyHistogram {
  #histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000_000_000,
    numberOfSignificantValueDigits: 3,
  });

  /** @param {Iterable<number>} latencies */
  add(latencies) {
    for (const latency of latencies) this.#histogram.recordValue(Math.max(1, Math.round(latency)));
    return this;
  }

  /** @param {number} percent @returns {number} */
  percentile(percent) {
    return this.#histogram.getValueAtPercentile(percent);
  }

  /** @returns {import('./types.d.ts').LatencySummary['distribution']} */
  #distribution() {
    const nines = Math.log10(Math.max(1, this.#histogram.totalCount));
    const steps = Math.floor(nines * stepsPerNine);
    return Array.from({ length: steps + 1 }, (_, step) => {
      const share = 1 - 10 ** (-step / stepsPerNine);
      return { share, nanoseconds: this.percentile(share * 100) };
    });
  }

  /** @returns {import('./types.d.ts').LatencySummary} */
  summary() {
    return {
      p50: this.percentile(50),
      p90: this.percentile(90),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
      highest: this.#histogram.maxValue,
      count: this.#histogram.totalCount,
      distribution: this.#distribution(),
    };
  }
}

/**
 * @param {readonly (readonly import('./types.d.ts').Point[])[]} rounds
 * @returns {import('./types.d.ts').PointSummary[]} from the left to the right
 */
export function summarizePoints(rounds) {
  /** @type {Map<number, number[]>} */
  const valuesAt = new Map();
  for (const { x, value } of rounds.flat()) valuesAt.set(x, [...(valuesAt.get(x) ?? []), value]);
  return [...valuesAt]
    .sort(([a], [b]) => a - b)
    .map(([x, values]) => ({
      x,
      median: median(values),
      lowest: Math.min(...values),
      highest: Math.max(...values),
    }));
}

/** @param {Sample} sample @returns {number} operations per second */
export const perSecond = ({ operations, seconds }) => operations / seconds;

/** @param {Sample} sample @returns {number} nanoseconds per operation */
export const nanosecondsEach = ({ operations, seconds }) => (seconds * 1e9) / operations;

/** @param {number} percent @returns {(sample: Sample) => number} nanoseconds */
export const latencyAt =
  (percent) =>
  ({ latencies = [] }) =>
    new LatencyHistogram().add(latencies).percentile(percent);

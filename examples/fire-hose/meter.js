/** What the consumer knows about the metrics that have come. */
import { createHistogram } from 'node:perf_hooks';

/** Looking at the clock for each of them would be most of the work. */
const metricsPerAge = 16;

export class Meter {
  received = 0;
  /** Metrics that are missing, came twice, or in another order than they were sent. */
  disorder = 0;
  /** The number that comes next from each source. @type {Map<string, number>} */
  next = new Map();
  #ages = createHistogram();
  #before = { received: 0, time: performance.now() };

  /** @param {readonly import('./metric.js').Metric[]} batch */
  count(batch) {
    const now = Date.now();
    for (const { source, sequence, at } of batch) {
      if (sequence !== (this.next.get(source) ?? 0)) this.disorder += 1;
      this.next.set(source, sequence + 1);
      if (this.received % metricsPerAge === 0) this.#ages.record(Math.max(1, Math.ceil(now - at)));
      this.received += 1;
    }
  }

  /** Since the last call: metrics per second, and the age in milliseconds that 1 % exceed. */
  lap() {
    const { received } = this;
    const time = performance.now();
    const perSecond = ((received - this.#before.received) * 1000) / (time - this.#before.time);
    const age = this.#ages.percentile(99);
    this.#before = { received, time };
    this.#ages.reset();
    return { perSecond, age };
  }
}

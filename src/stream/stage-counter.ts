/** What a stage counts while it runs. */

/** One stage of a running pipeline, as `run.stats()` shows it. */
export interface StageStats {
  /** From the option `name`, else the name of the task's function. */
  readonly name: string;
  /** How many tasks may run at a time. */
  readonly workers: number;
  /** Tasks that run now. */
  readonly busy: number;
  /** Items that have arrived and that no task has begun, and results that nobody took yet. */
  readonly waiting: number;
  /** Tasks that succeeded. */
  readonly done: number;
  /** Tasks that failed. */
  readonly failed: number;
  /** Tasks that ended in the last second. */
  readonly perSecond: number;
}

const bucketMilliseconds = 100;
const bucketCount = 10;

/** Events of the last second, in tenths of a second: counting costs no memory per event. */
export class RateMeter {
  readonly #buckets = new Array<number>(bucketCount).fill(0);
  readonly #startedAt = performance.now();
  #newest = 0;

  count(): void {
    const bucket = this.#forgetOld();
    this.#buckets[bucket % bucketCount]! += 1;
  }

  /** Events a second, over the last second or the time since the start if that is shorter. */
  perSecond(): number {
    const bucket = this.#forgetOld();
    const events = this.#buckets.reduce((sum, count) => sum + count, 0);
    const elapsed = performance.now() - this.#startedAt;
    const covered = Math.min(
      elapsed,
      (bucketCount - 1) * bucketMilliseconds + (elapsed - bucket * bucketMilliseconds),
    );
    return Math.round((events * 1000) / Math.max(covered, bucketMilliseconds));
  }

  #forgetOld(): number {
    const now = Math.floor((performance.now() - this.#startedAt) / bucketMilliseconds);
    for (let i = Math.max(this.#newest + 1, now - bucketCount + 1); i <= now; i += 1) {
      this.#buckets[i % bucketCount] = 0;
    }
    this.#newest = now;
    return now;
  }
}

/** The counters of one stage. */
export class StageCounter {
  readonly name: string;
  readonly workers: number;
  busy = 0;
  done = 0;
  failed = 0;
  readonly #waiting: () => number;
  readonly #rate = new RateMeter();

  constructor(name: string, workers: number, waiting: () => number) {
    this.name = name;
    this.workers = workers;
    this.#waiting = waiting;
  }

  began(): void {
    this.busy += 1;
  }

  succeeded(): void {
    this.busy -= 1;
    this.done += 1;
    this.#rate.count();
  }

  failedOnce(): void {
    this.busy -= 1;
    this.failed += 1;
    this.#rate.count();
  }

  stats(): StageStats {
    return {
      name: this.name,
      workers: this.workers,
      busy: this.busy,
      waiting: this.#waiting(),
      done: this.done,
      failed: this.failed,
      perSecond: this.#rate.perSecond(),
    };
  }
}

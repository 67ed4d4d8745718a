/** Several sources as one. */
import { PullSlot } from './pull-slot.js';
import { cancelQuietly, type Batch, type Puller, type Pulled } from './pull.js';

/** One of the sources: at most one pull of it is under way, and at most one batch waits here. */
interface Lane<T> {
  readonly source: Puller<T>;
  batch: readonly T[] | undefined;
  pulling: boolean;
  ended: boolean;
}

/**
 * Which lane is served next, and what is looked at first.
 * - fair: after a lane was served, it is the last to be asked again.
 * - priority: the first in the list that has something; the others are asked only while it waits.
 */
export type MergePolicy = 'fair' | 'priority';

/** Gives what the sources give, as soon as it is there. Ends when all have; fails with the first. */
export class MergePuller<T> implements Puller<T> {
  readonly #lanes: Lane<T>[];
  readonly #policy: MergePolicy;
  readonly #slot = new PullSlot<T>();
  #failure: { readonly error: unknown } | undefined;
  #cancelled = false;
  #grace: NodeJS.Immediate | undefined;

  constructor(sources: readonly Puller<T>[], policy: MergePolicy) {
    this.#lanes = sources.map((source) => ({
      source,
      batch: undefined,
      pulling: false,
      ended: false,
    }));
    this.#policy = policy;
  }

  pull(): Pulled<T> {
    const ready = this.#policy === 'fair' ? this.#askFairly() : this.#askByPriority();
    if (ready !== undefined) return ready;
    return this.#slot.wait();
  }

  cancel(reason?: unknown): void | Promise<void> {
    if (this.#cancelled) return undefined;
    this.#cancelled = true;
    clearImmediate(this.#grace);
    this.#slot.resolve(null);
    const closing = this.#lanes.map((lane) => this.#close(lane, reason));
    return closing.some(Boolean) ? Promise.all(closing).then(() => {}) : undefined;
  }

  #close(lane: Lane<T>, reason: unknown): void | Promise<void> {
    if (lane.batch) lane.source.giveBack?.(lane.batch);
    lane.batch = undefined;
    if (lane.ended) return undefined;
    lane.ended = true;
    return lane.source.cancel(reason);
  }

  /** Every lane has a pull under way while somebody waits. */
  #askFairly(): Batch<T> | undefined {
    for (const lane of this.#lanes) this.#ask(lane);
    return this.#next();
  }

  /** A later lane is asked only when the earlier ones have to wait. */
  #askByPriority(): Batch<T> | undefined {
    let askedAnew = false;
    for (const lane of this.#lanes) {
      if (this.#failure) break;
      const before = lane.pulling;
      this.#ask(lane);
      if (lane.batch) {
        if (!askedAnew) break;
        // A source that answers with a promise may have something all the same: the ones before
        // this lane get one turn of the event loop to say so.
        this.#grace ??= setImmediate(() => {
          this.#grace = undefined;
          this.#slot.settle(() => this.#next());
        });
        return undefined;
      }
      if (lane.pulling && !before) askedAnew = true;
    }
    return this.#next();
  }

  #ask(lane: Lane<T>): void {
    if (lane.ended || lane.pulling || lane.batch || this.#failure || this.#cancelled) return;
    try {
      const pulled = lane.source.pull(this.#policy === 'priority' ? 1 : undefined);
      if (!(pulled instanceof Promise)) {
        this.#accept(lane, pulled);
        return;
      }
      lane.pulling = true;
      pulled.then(
        (batch) => this.#arrived(lane, () => this.#accept(lane, batch)),
        (error: unknown) => this.#arrived(lane, () => this.#fail(lane, error)),
      );
    } catch (error) {
      this.#fail(lane, error);
    }
  }

  #arrived(lane: Lane<T>, take: () => void): void {
    lane.pulling = false;
    take();
    if (this.#grace && lane !== this.#lanes[0]) return;
    this.#slot.settle(() => this.#next());
  }

  #accept(lane: Lane<T>, batch: Batch<T>): void {
    if (batch === null) lane.ended = true;
    else if (lane.ended) lane.source.giveBack?.(batch);
    else lane.batch = batch;
  }

  /** The other sources are cancelled at once; what has arrived is still given. */
  #fail(failed: Lane<T>, error: unknown): void {
    failed.ended = true;
    if (this.#failure || this.#cancelled) return;
    this.#failure = { error };
    for (const lane of this.#lanes) {
      if (lane.ended) continue;
      lane.ended = true;
      cancelQuietly(lane.source, error);
    }
  }

  /** The batch of the lane whose turn it is, the end, or undefined while all have to wait. */
  #next(): Batch<T> | undefined {
    if (this.#cancelled) return null;
    const index = this.#lanes.findIndex((lane) => lane.batch);
    if (index !== -1) return this.#serve(index);
    if (this.#failure) throw this.#failure.error;
    return this.#lanes.every((lane) => lane.ended) ? null : undefined;
  }

  #serve(index: number): readonly T[] {
    const lane = this.#lanes[index]!;
    const batch = lane.batch!;
    lane.batch = undefined;
    if (this.#policy === 'fair') {
      this.#lanes.splice(index, 1);
      this.#lanes.push(lane);
    }
    return batch;
  }
}

/** Items in groups. */
import { PullSlot } from './pull-slot.js';
import type { Batch, Puller, Pulled } from './pull.js';

/**
 * Arrays of `size` items. A shorter one comes at the end, before a failure, and, with
 * `milliseconds`, that long after its first item arrived.
 */
export class GroupPuller<T> implements Puller<T[]> {
  readonly #source: Puller<T>;
  readonly #size: number;
  readonly #milliseconds: number;
  readonly #slot = new PullSlot<T[]>();
  #group: T[] = [];
  #dueAt = Infinity;
  #timer: NodeJS.Timeout | undefined;
  /** A pull of the source may go on while a short group leaves. */
  #pulling = false;
  #ended = false;
  #cancelled = false;
  #failure: { readonly error: unknown } | undefined;

  /** `milliseconds`: Infinity waits for a full group. */
  constructor(source: Puller<T>, size: number, milliseconds: number) {
    this.#source = source;
    this.#size = size;
    this.#milliseconds = milliseconds;
  }

  pull(): Pulled<T[]> {
    const ready = this.#ready();
    if (ready !== undefined) return ready;
    this.#startTimer();
    return this.#slot.wait();
  }

  cancel(reason?: unknown): void | Promise<void> {
    if (this.#cancelled) return undefined;
    this.#cancelled = true;
    clearTimeout(this.#timer);
    if (this.#group.length > 0) this.#source.giveBack?.(this.#group);
    this.#group = [];
    this.#slot.resolve(null);
    return this.#ended ? undefined : this.#source.cancel(reason);
  }

  /** A group, the end, or undefined when one has to wait; throws the failure of the source. */
  #ready(): Batch<T[]> | undefined {
    for (;;) {
      if (this.#cancelled) return null;
      const { length } = this.#group;
      if (length >= this.#size || (length > 0 && (this.#ended || this.#isDue()))) {
        return [this.#takeGroup()];
      }
      if (this.#ended) return this.#end();
      if (this.#pulling) return undefined;
      this.#pullSource();
    }
  }

  #pullSource(): void {
    try {
      const pulled = this.#source.pull(this.#size - this.#group.length);
      if (!(pulled instanceof Promise)) {
        this.#accept(pulled);
        return;
      }
      this.#pulling = true;
      pulled.then(
        (batch) => this.#arrived(() => this.#accept(batch)),
        (error: unknown) => this.#arrived(() => this.#fail(error)),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #arrived(take: () => void): void {
    this.#pulling = false;
    take();
    this.#slot.settle(() => this.#ready());
    if (this.#slot.waiting) this.#startTimer();
  }

  #accept(batch: Batch<T>): void {
    if (batch === null) {
      this.#ended = true;
    } else if (this.#cancelled) {
      this.#source.giveBack?.(batch);
    } else {
      if (this.#group.length === 0) this.#becomesDue();
      for (const item of batch) this.#group.push(item);
    }
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#ended = true;
  }

  #end(): null {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
    return null;
  }

  #takeGroup(): T[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const group = this.#group;
    this.#group = group.length > this.#size ? group.splice(this.#size) : [];
    if (this.#group.length > 0) this.#becomesDue();
    return group;
  }

  #becomesDue(): void {
    if (this.#milliseconds !== Infinity) this.#dueAt = performance.now() + this.#milliseconds;
  }

  #isDue(): boolean {
    return this.#milliseconds !== Infinity && performance.now() >= this.#dueAt;
  }

  #startTimer(): void {
    if (this.#timer || this.#milliseconds === Infinity || this.#group.length === 0) return;
    // A timer may be early by a fraction of a millisecond, and then looks again.
    const rest = Math.max(1, Math.ceil(this.#dueAt - performance.now()));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#slot.settle(() => this.#ready());
      if (this.#slot.waiting) this.#startTimer();
    }, rest);
  }
}

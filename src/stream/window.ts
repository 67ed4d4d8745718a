/** Overlapping groups: the last items, or the items of the last milliseconds. */
import { outOfRange } from '../errors.js';
import { BatchOperator } from './batch-operator.js';
import type { Puller } from './pull.js';

/** Every `step` items, the last `size` items, once there are that many. */
export class CountWindowPuller<T> extends BatchOperator<T, T[]> {
  readonly #size: number;
  readonly #step: number;
  #items: T[] = [];
  /** Items to let go by before the next window begins, where steps are larger than windows. */
  #skip = 0;

  constructor(source: Puller<T>, size: number, step: number) {
    super(source);
    this.#size = size;
    this.#step = step;
  }

  protected process(input: readonly T[], position: number, output: T[][]): number {
    for (let i = position; i < input.length; i += 1) this.#add(input[i] as T, output);
    return input.length;
  }

  /** No callback, so nothing to wait for. */
  protected resume(): void {}

  #add(item: T, output: T[][]): void {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    this.#items.push(item);
    if (this.#items.length < this.#size) return;
    output.push(this.#items);
    this.#items = this.#items.slice(this.#step);
    this.#skip = Math.max(0, this.#step - this.#size);
  }
}

/** For each item, the items whose time is at most `milliseconds` before its own, itself the last. */
export class TimeWindowPuller<T> extends BatchOperator<T, T[]> {
  readonly #milliseconds: number;
  readonly #at: (item: T) => number;
  #items: { readonly item: T; readonly time: number }[] = [];

  constructor(source: Puller<T>, milliseconds: number, at: (item: T) => number) {
    super(source);
    this.#milliseconds = milliseconds;
    this.#at = at;
  }

  protected process(input: readonly T[], position: number, output: T[][]): number {
    let i = position;
    try {
      for (; i < input.length; i += 1) output.push(this.#add(input[i] as T));
      return i;
    } catch (error) {
      this.fail(error);
      return i + 1;
    }
  }

  protected resume(): void {}

  #add(item: T): T[] {
    const time = this.#at(item);
    if (typeof time !== 'number' || !Number.isFinite(time)) {
      throw outOfRange('what at() answered', 'a finite number of milliseconds', time);
    }
    const oldest = time - this.#milliseconds;
    this.#items = this.#items.filter((earlier) => earlier.time >= oldest);
    this.#items.push({ item, time });
    return this.#items.map((one) => one.item);
  }
}

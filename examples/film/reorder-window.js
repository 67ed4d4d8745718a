/** Puts what comes out of order, and sometimes twice, into order. */

/** @template {{ readonly number: number }} T numbered from 0 */
export class ReorderWindow {
  #size;
  /** @type {Map<number, T>} */
  #early = new Map();
  /** The number that `take` answers next. */
  next = 0;
  /** How many came a second time and were dropped. */
  duplicates = 0;

  /** @param {number} size how far ahead of `next` a number can be */
  constructor(size) {
    this.#size = size;
  }

  /** @param {T} item */
  add(item) {
    const { number } = item;
    if (number < this.next || this.#early.has(number)) {
      this.duplicates++;
      return;
    }
    if (number >= this.next + this.#size) {
      throw new RangeError(`number ${number} came while ${this.next} is due`);
    }
    this.#early.set(number, item);
  }

  /** @returns {T | undefined} the next one, if it is there */
  take() {
    const item = this.#early.get(this.next);
    if (item !== undefined) this.#early.delete(this.next++);
    return item;
  }
}

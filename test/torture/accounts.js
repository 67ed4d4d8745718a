/**
 * Accounts in shared memory whose sum never changes, with a journal that makes a half-made move good.
 * Whoever comes in without having been told of a death finds everything in order.
 */

/** Words before the accounts. */
const field = {
  inside: 0,
  state: 1,
  from: 2,
  to: 3,
  fromBefore: 4,
  toBefore: 5,
  amount: 6,
  moves: 7,
  generation: 8,
};
const header = 16;
const worth = 1000;

export class Accounts {
  /** @param {ArrayBuffer} buffer */
  constructor(buffer) {
    this.words = new Int32Array(buffer);
    this.count = this.words.length - header;
  }

  /** @param {number} field */
  #get(field) {
    return this.words[field] ?? 0;
  }

  /** In an order that others see, whoever is killed in between. @param {number} field @param {number} value */
  #set(field, value) {
    Atomics.store(this.words, field, value);
  }

  open() {
    for (let i = 0; i < this.count; i += 1) this.#set(header + i, worth);
  }

  /** @param {number} id @param {bigint} generation */
  enter(id, generation) {
    const other = Atomics.exchange(this.words, field.inside, id);
    if (other !== 0) throw new Error(`${other} is inside, and so is ${id}`);
    if (this.#get(field.state) !== 0) throw new Error('nobody said that the last owner died');
    this.#fence(generation);
    this.check();
  }

  /** @param {bigint} generation */
  #fence(generation) {
    const last = this.#get(field.generation);
    if (Number(generation) <= last) throw new Error(`generation ${generation} came after ${last}`);
    this.#set(field.generation, Number(generation));
  }

  /** @param {number} id */
  leave(id) {
    const inside = Atomics.exchange(this.words, field.inside, 0);
    if (inside !== id) throw new Error(`${id} leaves, and ${inside} is inside`);
  }

  check() {
    const sum = this.words.subarray(header).reduce((total, account) => total + account, 0);
    if (sum !== this.count * worth)
      throw new Error(`the accounts have ${sum} instead of ${this.count * worth}`);
  }

  /** @param {number} from @param {number} to @param {number} amount @returns {number} of this move */
  begin(from, to, amount) {
    this.#set(field.from, from);
    this.#set(field.to, to);
    this.#set(field.fromBefore, this.#get(header + from));
    this.#set(field.toBefore, this.#get(header + to));
    this.#set(field.amount, amount);
    this.#set(field.state, 1);
    return this.#get(field.moves) + 1;
  }

  take() {
    const from = header + this.#get(field.from);
    this.#set(from, this.#get(from) - this.#get(field.amount));
  }

  give() {
    const to = header + this.#get(field.to);
    this.#set(to, this.#get(to) + this.#get(field.amount));
  }

  finish() {
    this.#set(field.moves, this.#get(field.moves) + 1);
    this.#set(field.state, 0);
  }

  get moves() {
    return this.#get(field.moves);
  }

  /** After the death of an owner: the move that it had begun is taken back. @param {number} id */
  repair(id) {
    this.#set(field.inside, id);
    if (this.#get(field.state) !== 0) {
      this.#set(header + this.#get(field.from), this.#get(field.fromBefore));
      this.#set(header + this.#get(field.to), this.#get(field.toBefore));
      this.#set(field.state, 0);
    }
    this.check();
    this.#set(field.inside, 0);
  }
}

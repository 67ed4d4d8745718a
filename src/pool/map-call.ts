/** One function over many items, with a bound on how many are under way. */

/** What came of one item. */
interface Outcome<R> {
  readonly ok: boolean;
  readonly value: R | undefined;
  readonly error: unknown;
}

export interface MapPlan<T, R> {
  readonly items: Iterable<T> | AsyncIterable<T>;
  /** Most items that are pulled and not handed over. */
  readonly concurrency: number;
  readonly ordered: boolean;
  /** Items that are pulled before they are sent together. */
  readonly chunk: number;
  run(item: T): Promise<R>;
  /** Gives up what was sent. */
  leave(): void;
}

/**
 * Pulls items when there is room for them and somebody asks, gives their results, and stops at the
 * first failure: no more items are pulled, those that have not started are given up, and the
 * source is closed.
 */
export class MapCall<T, R> implements AsyncIterableIterator<R> {
  readonly #plan: MapPlan<T, R>;
  /** What came and was not handed over, by the index of its item, in the order in which it came. */
  readonly #outcomes = new Map<number, Outcome<R>>();
  #iterator: AsyncIterator<T> | Iterator<T> | undefined;
  /** Items pulled, or being pulled, and not handed over. */
  #under = 0;
  #pulled = 0;
  #handedOver = 0;
  #pulling = false;
  #exhausted = false;
  #over = false;
  #failure: { readonly error: unknown } | undefined;
  readonly #waiting: {
    resolve: (result: IteratorResult<R>) => void;
    reject: (error: unknown) => void;
  }[] = [];

  constructor(plan: MapPlan<T, R>) {
    this.#plan = plan;
  }

  next(): Promise<IteratorResult<R>> {
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#serve();
      void this.#pull();
    });
  }

  async return(): Promise<IteratorResult<R>> {
    this.#finish();
    await this.#closeSource();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** All results. */
  async toArray(): Promise<R[]> {
    const results: R[] = [];
    for await (const result of this) results.push(result);
    return results;
  }

  /** Keeps as many items under way as the bound allows. */
  async #pull(): Promise<void> {
    if (this.#pulling || this.#exhausted || this.#over || this.#failure) return;
    this.#pulling = true;
    const { items, concurrency, chunk } = this.#plan;
    try {
      this.#iterator ??= iteratorOf(items);
      while (!this.#exhausted && !this.#over && !this.#failure) {
        const room = concurrency - this.#under;
        // A group goes together, unless the bound is smaller than it.
        if (room < Math.min(chunk, concurrency)) break;
        const group = await this.#pullGroup(this.#iterator, Math.min(chunk, room));
        for (const item of group) this.#run(item);
      }
    } catch (error) {
      // Items before the one that failed are still handed over.
      this.#exhausted = true;
      this.#failure ??= { error };
    } finally {
      this.#pulling = false;
    }
    this.#serve();
  }

  async #pullGroup(source: AsyncIterator<T> | Iterator<T>, size: number): Promise<T[]> {
    const group: T[] = [];
    while (group.length < size && !this.#over) {
      this.#under += 1;
      const pulled = this.#pullOne(source);
      // A synchronous source is not waited for: each wait would cost a turn.
      const next = isPromise(pulled) ? await this.#orFailure(pulled) : pulled;
      if (next === undefined || next.done === true) {
        this.#under -= 1;
        this.#exhausted = true;
        break;
      }
      group.push(next.value);
    }
    return group;
  }

  #pullOne(
    source: AsyncIterator<T> | Iterator<T>,
  ): Promise<IteratorResult<T>> | IteratorResult<T> | undefined {
    try {
      return source.next();
    } catch (error) {
      this.#failure ??= { error };
      return undefined;
    }
  }

  /** A source that fails is at its end; the items that it gave before are handed over first. */
  async #orFailure(pulled: Promise<IteratorResult<T>>): Promise<IteratorResult<T> | undefined> {
    try {
      return await pulled;
    } catch (error) {
      this.#failure ??= { error };
      return undefined;
    }
  }

  #run(item: T): void {
    const index = this.#pulled++;
    const settled = (outcome: Outcome<R>): void => {
      this.#outcomes.set(index, outcome);
      this.#serve();
    };
    this.#plan.run(item).then(
      (value) => settled({ ok: true, value, error: undefined }),
      (error: unknown) => settled({ ok: false, value: undefined, error }),
    );
  }

  /** Hands over what is there and whose turn it is. */
  #serve(): void {
    while (this.#waiting.length > 0 && !this.#over) {
      const outcome = this.#takeOutcome();
      if (outcome === undefined) {
        this.#endIfDone();
        return;
      }
      this.#under -= 1;
      this.#handedOver += 1;
      if (!outcome.ok) {
        this.#fail(outcome.error);
        return;
      }
      this.#waiting.shift()?.resolve({ done: false, value: outcome.value as R });
      void this.#pull();
    }
  }

  #takeOutcome(): Outcome<R> | undefined {
    const next = this.#plan.ordered ? this.#handedOver : this.#outcomes.keys().next().value;
    if (next === undefined) return undefined;
    const outcome = this.#outcomes.get(next);
    this.#outcomes.delete(next);
    return outcome;
  }

  #endIfDone(): void {
    if (this.#handedOver < this.#pulled || this.#pulling) return;
    if (this.#failure) this.#fail(this.#failure.error);
    else if (this.#exhausted) this.#finish();
  }

  #fail(error: unknown): void {
    const first = this.#waiting.shift();
    this.#finish();
    void this.#closeSource();
    first?.reject(error);
  }

  /** Nothing more is handed over; what is queued is given up. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#plan.leave();
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  async #closeSource(): Promise<void> {
    if (this.#exhausted) return;
    this.#exhausted = true;
    try {
      // A generator that is waiting answers when it wakes: nobody waits for that.
      const closed = this.#iterator?.return?.(undefined);
      if (isPromise(closed) && this.#pulling) closed.catch(() => undefined);
      else await closed;
    } catch {
      // The consumer has left, or has a failure to look at already.
    }
  }
}

function iteratorOf<T>(items: Iterable<T> | AsyncIterable<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}

function isPromise<V>(value: V | Promise<V>): value is Promise<V> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function';
}

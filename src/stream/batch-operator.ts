/** What map, filter and their kin have in common: a callback for each item of a batch. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cancelQuietly, isThenable, type Batch, type Puller, type Pulled } from './pull.js';
import { Turn } from './turn.js';

/**
 * Calls a callback for each item, in order, one at a time. Where no callback answers a promise, a
 * whole batch goes through in one loop without any. Where one does, what is ready goes on first.
 *
 * Operators on top of each other advance by plain calls and wait together, once: only the topmost
 * makes a promise for its puller.
 */
export abstract class BatchOperator<A, B> implements Puller<B> {
  readonly #source: Puller<A>;
  /** The source, where that is an operator too. */
  readonly #below: BatchOperator<unknown, A> | undefined;
  #input: readonly A[] = [];
  #position = 0;
  /** The promise that a callback answered, for the item before `#position`. */
  #pending: PromiseLike<unknown> | undefined;
  /** What became of that item. */
  #late: B[] = [];
  /** A pull of the source that is under way, or a turn of the event loop. */
  #awaited: Promise<Batch<A>> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #sourceEnded = false;
  #finished = false;
  readonly #turn = new Turn();
  #release: (() => void) | undefined;

  constructor(source: Puller<A>) {
    this.#source = source;
    this.#below = source instanceof BatchOperator ? source : undefined;
  }

  /**
   * Handles `input` from `position` on into `output`; answers where it stopped: at the end, or
   * behind the item whose callback answered a promise, told to `suspend`, or threw, told to `fail`.
   */
  protected abstract process(input: readonly A[], position: number, output: B[]): number;

  /** What became of an item whose callback answered a promise. */
  protected abstract resume(item: A, answer: unknown, output: B[]): void;

  protected suspend(pending: PromiseLike<unknown>): void {
    this.#pending = pending;
  }

  protected fail(error: unknown): void {
    this.#failure = { error };
  }

  /** Called at the end of the source, before its own end; may throw. */
  protected atEnd(): void {}

  pull(limit?: number): Pulled<B> {
    const ready = this.#advance(limit);
    return ready === undefined ? this.#waitAndAdvance(limit) : ready;
  }

  cancel(reason?: unknown): void | Promise<void> {
    if (this.#finished) return undefined;
    this.#finished = true;
    this.#giveBackRest();
    this.#release?.();
    return this.#source.cancel(reason);
  }

  /** As far as it goes without waiting: a batch, the end, or undefined when it has to `#wait`. */
  #advance(limit: number | undefined): Batch<B> | undefined {
    if (this.#failure) return this.#throwFailure();
    for (;;) {
      if (this.#finished) return null;
      if (this.#late.length > 0) return this.#takeLate();
      if (this.#pending || this.#awaited) return undefined;
      if (this.#position >= this.#input.length) {
        if (this.#sourceEnded) return this.#end();
        const batch = this.#fromSource(limit);
        if (batch === undefined) return undefined;
        this.#accept(batch);
        if (batch === null) continue;
      }
      const output = this.#processInput();
      if (output.length > 0) return output;
      if (this.#failure) return this.#throwFailure();
      // A filter that keeps nothing of a source without end would never let a signal fire.
      if (!this.#pending && this.#turn.isOver()) this.#awaited = nextTurn([]);
    }
  }

  #fromSource(limit: number | undefined): Batch<A> | undefined {
    if (this.#below) return this.#below.#advance(limit);
    const pulled = this.#source.pull(limit);
    if (!(pulled instanceof Promise)) return pulled;
    this.#awaited = pulled;
    return undefined;
  }

  /** A loop, not a promise that follows a promise: a filter may drop millions of items in a row. */
  async #waitAndAdvance(limit: number | undefined): Promise<Batch<B>> {
    for (;;) {
      const waiting = this.#lowestThatWaits();
      if (waiting.#awaited) waiting.#arrived(await waiting.#awaited);
      else await waiting.#resumed(waiting.#pending!);
      const ready = this.#advance(limit);
      if (ready !== undefined) return ready;
    }
  }

  /** This operator, or the one below it that it could not advance without. */
  #lowestThatWaits(): BatchOperator<unknown, unknown> {
    let operator = this as BatchOperator<unknown, unknown>;
    while (!operator.#awaited && !operator.#pending) operator = operator.#below!;
    return operator;
  }

  #arrived(batch: Batch<A>): void {
    this.#awaited = undefined;
    if (!this.#finished) this.#accept(batch);
    else if (batch) this.#source.giveBack?.(batch);
  }

  #accept(batch: Batch<A>): void {
    this.#sourceEnded = batch === null;
    this.#input = batch ?? [];
    this.#position = 0;
  }

  #end(): null {
    this.#finished = true;
    this.atEnd();
    return null;
  }

  #takeLate(): readonly B[] {
    const output = this.#late;
    this.#late = [];
    return output;
  }

  #processInput(): B[] {
    const output: B[] = [];
    this.#position = this.process(this.#input, this.#position, output);
    if (this.#failure) this.#stopSource(this.#failure.error);
    const pending = this.#pending;
    // Items that are ready leave first; until somebody asks again, nobody listens to the promise.
    if (pending && output.length > 0) pending.then(undefined, () => {});
    return output;
  }

  /** Goes on with what the callback answered, or at a cancel without it. */
  #resumed(pending: PromiseLike<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#release = resolve;
      pending.then(
        (answer) => {
          this.#pending = undefined;
          if (this.#finished) return;
          this.resume(this.#input[this.#position - 1] as A, answer, this.#late);
          resolve();
        },
        (error: unknown) => {
          this.#pending = undefined;
          this.#stopSource(error);
          reject(error as Error);
        },
      );
    });
  }

  /** A callback failed: the source is cancelled at once. */
  #stopSource(error: unknown): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#giveBackRest();
    cancelQuietly(this.#source, error);
  }

  #throwFailure(): never {
    const { error } = this.#failure!;
    this.#failure = undefined;
    throw error;
  }

  /** What no callback has seen. */
  #giveBackRest(): void {
    const rest = this.#source.giveBack ? this.#input.slice(this.#position) : [];
    this.#input = [];
    if (rest.length > 0) this.#source.giveBack?.(rest);
  }
}

export type Mapper<A, B> = (item: A) => B | PromiseLike<B>;

/** Each item becomes what the callback makes of it. */
export class MapPuller<A, B> extends BatchOperator<A, B> {
  readonly #change: Mapper<A, B>;

  constructor(source: Puller<A>, change: Mapper<A, B>) {
    super(source);
    this.#change = change;
  }

  protected process(input: readonly A[], position: number, output: B[]): number {
    const change = this.#change;
    let i = position;
    try {
      while (i < input.length) {
        const answer = change(input[i] as A);
        i += 1;
        if (isThenable(answer)) {
          this.suspend(answer);
          return i;
        }
        output.push(answer);
      }
      return i;
    } catch (error) {
      this.fail(error);
      return i + 1;
    }
  }

  protected resume(_item: A, answer: unknown, output: B[]): void {
    output.push(answer as B);
  }
}

/** Only the items for which the callback answers something true. */
export class FilterPuller<A> extends BatchOperator<A, A> {
  readonly #keep: Mapper<A, unknown>;

  constructor(source: Puller<A>, keep: Mapper<A, unknown>) {
    super(source);
    this.#keep = keep;
  }

  protected process(input: readonly A[], position: number, output: A[]): number {
    const keep = this.#keep;
    let i = position;
    try {
      while (i < input.length) {
        const item = input[i] as A;
        const answer = keep(item);
        i += 1;
        if (isThenable(answer)) {
          this.suspend(answer);
          return i;
        }
        if (answer) output.push(item);
      }
      return i;
    } catch (error) {
      this.fail(error);
      return i + 1;
    }
  }

  protected resume(item: A, answer: unknown, output: A[]): void {
    if (answer) output.push(item);
  }
}

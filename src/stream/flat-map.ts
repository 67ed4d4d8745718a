/** Each item becomes a source of its own, one after the other. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  cancelQuietly,
  isThenable,
  type Batch,
  type Puller,
  type Pulled,
  type RunContext,
} from './pull.js';
import { openerOf, type Source } from './source.js';
import { Turn } from './turn.js';

export type Expander<A, B> = (item: A) => Source<B> | PromiseLike<Source<B>>;

/** A batch or the end of a part, or: there is a part to pull now, or there is none any more. */
type Step<B> = Batch<B> | 'part' | 'end';

/** Pulls a part to its end before the next item is looked at. */
export class FlatMapPuller<A, B> implements Puller<B> {
  readonly #source: Puller<A>;
  readonly #expand: Expander<A, B>;
  readonly #run: RunContext;
  #input: readonly A[] = [];
  #position = 0;
  #part: Puller<B> | undefined;
  #finished = false;
  readonly #turn = new Turn();
  #release: (() => void) | undefined;

  constructor(source: Puller<A>, expand: Expander<A, B>, run: RunContext) {
    this.#source = source;
    this.#expand = expand;
    this.#run = run;
  }

  pull(limit?: number): Pulled<B> {
    try {
      const step = this.#advance(limit);
      return step instanceof Promise ? this.#waitAndAdvance(step, limit) : step;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  cancel(reason?: unknown): void | Promise<void> {
    if (this.#finished) return undefined;
    this.#finished = true;
    this.#giveBackRest();
    this.#release?.();
    const part = this.#part?.cancel(reason);
    const source = this.#source.cancel(reason);
    return part || source ? Promise.all([part, source]).then(() => {}) : undefined;
  }

  /** As far as it goes without waiting. */
  #advance(limit: number | undefined): Batch<B> | Promise<Step<B>> {
    for (;;) {
      const step = this.#part ? this.#part.pull(limit) : this.#nextPart();
      if (step instanceof Promise) return step;
      if (step === 'end') return null;
      if (step === null) this.#part = undefined;
      else if (step !== 'part') return step;
      if (this.#turn.isOver()) return nextTurn<'part'>('part');
    }
  }

  /** Opens what the next item expands to: at once, after a promise, or never. */
  #nextPart(): 'part' | 'end' | Promise<'part' | 'end'> {
    if (this.#finished) return 'end';
    if (this.#position >= this.#input.length) {
      const pulled = this.#source.pull();
      if (!(pulled instanceof Promise)) return this.#accept(pulled);
      return pulled.then((batch) => this.#accept(batch));
    }
    const item = this.#input[this.#position] as A;
    this.#position += 1;
    const source = this.#expand(item);
    if (!isThenable(source)) return this.#openPart(source as Source<B>);
    return new Promise((resolve, reject) => {
      this.#release = () => resolve('end');
      (source as PromiseLike<Source<B>>).then((ready) => {
        this.#release = undefined;
        try {
          if (!this.#finished) resolve(this.#openPart(ready));
        } catch (error) {
          reject(error as Error);
        }
      }, reject);
    });
  }

  #accept(batch: Batch<A>): 'part' | 'end' | Promise<'part' | 'end'> {
    if (batch === null) return 'end';
    if (this.#finished) {
      this.#source.giveBack?.(batch);
      return 'end';
    }
    this.#input = batch;
    this.#position = 0;
    return this.#nextPart();
  }

  #openPart(source: Source<B>): 'part' {
    this.#part = openerOf(source, 'what the callback answered')(this.#run);
    return 'part';
  }

  /** A loop, not a promise that follows a promise: millions of parts in a row may be empty. */
  async #waitAndAdvance(first: Promise<Step<B>>, limit: number | undefined): Promise<Batch<B>> {
    try {
      for (let step: Batch<B> | Promise<Step<B>> = first; ; step = this.#advance(limit)) {
        if (!(step instanceof Promise)) return step;
        const answer = await step;
        if (answer === 'end' || this.#finished) return null;
        if (answer === null) this.#part = undefined;
        else if (answer !== 'part') return answer;
      }
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #fail(error: unknown): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#giveBackRest();
    if (this.#part) cancelQuietly(this.#part, error);
    cancelQuietly(this.#source, error);
  }

  #giveBackRest(): void {
    const rest = this.#source.giveBack ? this.#input.slice(this.#position) : [];
    this.#input = [];
    if (rest.length > 0) this.#source.giveBack?.(rest);
  }
}

/** A task for each item, several at a time: here, or in the processes behind a function. */
import { setMaxListeners } from 'node:events';
import { AbortError, invalidArgumentType } from '../errors.js';
import { checkOptions, parseBoolean, parseCount } from '../options.js';
import { checkCallback } from './arguments.js';
import { PullSlot } from './pull-slot.js';
import {
  cancelQuietly,
  isThenable,
  type Batch,
  type Puller,
  type Pulled,
  type RunContext,
} from './pull.js';
import { StageCounter } from './stage-counter.js';
import { Turn } from './turn.js';

/**
 * What a stage does with an item. The signal fires when the run is cancelled or its consumer has
 * left; a task that heeds it ends sooner, one that does not is waited for by the run.
 */
export type Task<A, B> = (item: A, options: { signal: AbortSignal }) => B | PromiseLike<B>;

/** How a stage works. */
export interface StageOptions {
  /** How many tasks may run at a time: 1 or more, default 1. */
  workers?: number | undefined;
  /** Results in the order of the items, the default; or as they are ready. */
  ordered?: boolean | undefined;
  /** For statistics and failed items. Default: the name of the function. */
  name?: string | undefined;
}

/** A stage after checking. */
export interface StagePlan<A, B> {
  readonly task: Task<A, B>;
  readonly workers: number;
  readonly ordered: boolean;
  readonly name: string | undefined;
}

export function parseStage<A, B>(task: Task<A, B>, options: unknown): StagePlan<A, B> {
  checkCallback('task', task);
  const checked = checkOptions<StageOptions>('options', options, ['workers', 'ordered', 'name']);
  const { name = task.name || undefined, workers = 1 } = checked;
  if (name !== undefined && typeof name !== 'string') {
    throw invalidArgumentType('name', 'a string', name);
  }
  return {
    task,
    workers: parseCount('workers', workers),
    ordered: parseBoolean('ordered', checked.ordered) ?? true,
    name,
  };
}

/** An item in the hands of the stage. */
interface Job<A, B> {
  readonly item: A;
  state: 'running' | 'done' | 'failed';
  value: B | undefined;
  error: unknown;
}

/**
 * Holds at most `workers` items: those whose task runs, and results nobody has taken. Whenever one
 * leaves, the next is pulled, also while no pull of the consumer waits. Results leave one by one.
 */
export class StagePuller<A, B> implements Puller<B> {
  readonly #source: Puller<A>;
  readonly #plan: StagePlan<A, B>;
  readonly #run: RunContext;
  readonly #name: string;
  readonly #counter: StageCounter;
  readonly #slot = new PullSlot<B>();
  readonly #abort = new AbortController();
  readonly #options = { signal: this.#abort.signal };
  /** Ordered: in the order of the items. Unordered: done ones first come, first served. */
  readonly #jobs: Job<A, B>[] = [];
  /** Jobs whose task, or whose way into the error outlet, is not over. */
  #active = 0;
  #input: readonly A[] = [];
  #position = 0;
  #pulling = false;
  #ended = false;
  #cancelled = false;
  #failure: { readonly error: unknown } | undefined;
  #filling = false;
  readonly #turn = new Turn();
  #whenInactive: (() => void) | undefined;

  constructor(source: Puller<A>, plan: StagePlan<A, B>, run: RunContext) {
    this.#source = source;
    this.#plan = plan;
    this.#run = run;
    // Every task may listen to it, and there may be many.
    setMaxListeners(0, this.#abort.signal);
    const { stages } = run.scope;
    this.#name = plan.name ?? `stage ${stages.length + 1}`;
    this.#counter = new StageCounter(this.#name, plan.workers, () => this.#countWaiting());
    stages.push(this.#counter);
  }

  pull(): Pulled<B> {
    this.#fill();
    const ready = this.#ready();
    if (ready !== undefined) return ready;
    return this.#slot.wait();
  }

  cancel(reason?: unknown): void | Promise<void> {
    if (this.#cancelled) return undefined;
    this.#cancelled = true;
    this.#abort.abort(reason ?? new AbortError('nobody takes the results of this stage any more'));
    if (this.#active > 0) this.#run.scope.track(this.#inactive());
    this.#jobs.length = 0;
    this.#slot.resolve(null);
    return this.#stopSource(reason);
  }

  #countWaiting(): number {
    return this.#input.length - this.#position + this.#jobs.length - this.#active;
  }

  /** Starts tasks while there are items and hands for them. */
  #fill(): void {
    // A task or an outlet that answers at once comes back here.
    if (this.#filling) return;
    this.#filling = true;
    while (this.#wantsItem()) {
      // Tasks that all fail at once would go through a source without end in one go.
      if (this.#turn.isOver()) {
        setImmediate(() => this.#progress());
        break;
      }
      if (this.#position < this.#input.length) {
        this.#start(this.#input[this.#position++] as A);
      } else if (!this.#pullSource()) {
        break;
      }
    }
    this.#filling = false;
  }

  #wantsItem(): boolean {
    if (this.#cancelled || this.#failure) return false;
    return this.#jobs.length < this.#plan.workers;
  }

  /** Asks for more items; false when they are not there yet, or never will be. */
  #pullSource(): boolean {
    if (this.#ended || this.#pulling) return false;
    try {
      const pulled = this.#source.pull(this.#plan.workers - this.#jobs.length);
      if (!(pulled instanceof Promise)) {
        this.#accept(pulled);
        return true;
      }
      this.#pulling = true;
      pulled.then(
        (batch) => this.#arrived(() => this.#accept(batch)),
        (error: unknown) => this.#arrived(() => this.#sourceFailed(error)),
      );
    } catch (error) {
      this.#sourceFailed(error);
    }
    return false;
  }

  #arrived(take: () => void): void {
    this.#pulling = false;
    take();
    this.#progress();
  }

  #accept(batch: Batch<A>): void {
    if (batch === null) {
      this.#ended = true;
    } else if (this.#cancelled || this.#failure) {
      this.#source.giveBack?.(batch);
    } else {
      this.#input = batch;
      this.#position = 0;
    }
  }

  #sourceFailed(error: unknown): void {
    this.#ended = true;
    this.#failure ??= { error };
  }

  #start(item: A): void {
    const job: Job<A, B> = { item, state: 'running', value: undefined, error: undefined };
    this.#jobs.push(job);
    this.#active += 1;
    this.#counter.began();
    try {
      const answer = this.#plan.task(item, this.#options);
      if (isThenable(answer)) {
        (answer as PromiseLike<B>).then(
          (value) => this.#succeeded(job, value),
          (error: unknown) => this.#taskFailed(job, error),
        );
      } else {
        this.#succeeded(job, answer);
      }
    } catch (error) {
      this.#taskFailed(job, error);
    }
  }

  #succeeded(job: Job<A, B>, value: B): void {
    this.#counter.succeeded();
    job.state = 'done';
    job.value = value;
    if (!this.#plan.ordered) this.#moveToFront(job);
    this.#leave();
  }

  /** Behind the others that are done, before those that run or failed. */
  #moveToFront(job: Job<A, B>): void {
    const from = this.#jobs.indexOf(job);
    if (from === -1) return;
    this.#jobs.splice(from, 1);
    const firstOther = this.#jobs.findIndex(({ state }) => state !== 'done');
    this.#jobs.splice(firstOther === -1 ? this.#jobs.length : firstOther, 0, job);
  }

  #taskFailed(job: Job<A, B>, error: unknown): void {
    this.#counter.failedOnce();
    const { errors } = this.#run;
    if (this.#cancelled) {
      this.#leave();
    } else if (errors) {
      this.#divert(job, error, errors);
    } else {
      this.#fail(job, error);
    }
  }

  /** The job stays in the hands of the stage until its failure has found room. */
  #divert(job: Job<A, B>, error: unknown, errors: NonNullable<RunContext['errors']>): void {
    const diverted = (): void => {
      const index = this.#jobs.indexOf(job);
      if (index !== -1) this.#jobs.splice(index, 1);
      this.#leave();
    };
    try {
      const pending = errors({ stage: this.#name, item: job.item, error }, this.#options);
      if (isThenable(pending)) {
        pending.then(diverted, (refused: unknown) => this.#fail(job, refused));
      } else {
        diverted();
      }
    } catch (refused) {
      this.#fail(job, refused);
    }
  }

  /** No new items; the tasks in flight finish. Of several failures the first in line counts. */
  #fail(job: Job<A, B>, error: unknown): void {
    job.state = 'failed';
    job.error = error;
    if (!this.#failure) {
      this.#failure = { error };
      this.#stopSourceQuietly(error);
    }
    this.#leave();
  }

  #stopSourceQuietly(error: unknown): void {
    this.#giveBackRest();
    if (!this.#ended) cancelQuietly(this.#source, error);
    this.#ended = true;
  }

  #stopSource(reason: unknown): void | Promise<void> {
    this.#giveBackRest();
    if (this.#ended) return undefined;
    this.#ended = true;
    return this.#source.cancel(reason);
  }

  #giveBackRest(): void {
    const rest = this.#input.slice(this.#position);
    this.#input = [];
    this.#position = 0;
    if (rest.length > 0) this.#source.giveBack?.(rest);
  }

  /** A job is no longer active. */
  #leave(): void {
    this.#active -= 1;
    if (this.#active === 0) this.#whenInactive?.();
    this.#progress();
  }

  #inactive(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenInactive = resolve;
    });
  }

  #progress(): void {
    if (this.#cancelled || this.#filling) return;
    this.#fill();
    this.#slot.settle(() => this.#ready());
  }

  /** A result, the end, or undefined when one has to wait; throws the failure. */
  #ready(): Batch<B> | undefined {
    if (this.#cancelled) return null;
    const [first] = this.#jobs;
    if (first?.state === 'done') {
      this.#jobs.shift();
      this.#fill();
      return [first.value as B];
    }
    if (this.#active > 0) return undefined;
    if (first) throw first.error;
    if (this.#failure) throw this.#failure.error;
    return this.#ended ? null : undefined;
  }
}

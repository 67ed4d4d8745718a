/**
 * `for await` over a queue. A message is taken when the loop asks for it and not before, so that
 * leaving the loop loses none.
 */
import { ZooError } from '../errors.js';
import { notYet, type PendingWait } from '../wait.js';
import type { Wait } from '../options.js';
import type { QueueEndpoint } from './endpoint.js';
import type { ClaimedView, ReadView } from './views.js';

const stepsPerTurn = 256;
const stepsPerLook = 16;
const millisecondsPerTurn = 4;

/**
 * Lets the event loop turn now and then. A queue that always has a message would otherwise run the
 * loop of the user in microtasks alone: no timer, no socket and no finalizer would get its turn.
 */
export class Pace {
  #steps = 0;
  #turnStarted = performance.now();

  /** Counts a step; true when the event loop should turn before it. */
  isTurnDue(): boolean {
    this.#steps++;
    if (this.#steps % stepsPerLook !== 0) return false;
    return (
      this.#steps >= stepsPerTurn || performance.now() - this.#turnStarted > millisecondsPerTurn
    );
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.restart();
        resolve();
      });
    });
  }

  restart(): void {
    this.#steps = 0;
    this.#turnStarted = performance.now();
  }
}

const stopped: unique symbol = Symbol('stopped');

/** What both iterations share: steps in order, waits that `return()` can end, the end of the queue. */
abstract class QueueIterator<V> implements AsyncIterableIterator<V> {
  protected readonly queue: QueueEndpoint;
  readonly #wait: Wait;
  readonly #pace = new Pace();
  readonly #pending = new Set<PendingWait<V | typeof stopped>>();
  #done = false;

  constructor(queue: QueueEndpoint, wait: Wait) {
    this.queue = queue;
    this.#wait = wait;
  }

  protected abstract readonly operation: string;
  /** Takes one message, or `notYet` with the reason in `queue.lastStatus`. */
  protected abstract take(): V | typeof notYet;

  next(): Promise<IteratorResult<V, undefined>> {
    if (this.#pace.isTurnDue()) return this.#pace.turn().then(() => this.#step());
    return this.#step();
  }

  #step(): Promise<IteratorResult<V, undefined>> {
    if (this.#done) return Promise.resolve({ done: true, value: undefined });
    if (this.#wait.signal === undefined && this.queue.reading.idle) {
      try {
        const value = this.#attempt();
        if (value !== notYet) return Promise.resolve({ done: false, value });
      } catch (error) {
        return this.#fail(error);
      }
    }
    return this.#waitForNext();
  }

  async #waitForNext(): Promise<IteratorResult<V, undefined>> {
    const pending = this.queue.reading.enter<V | typeof stopped>(
      { attempt: () => this.#attempt(), operation: this.operation },
      this.#wait,
    );
    this.#pending.add(pending);
    try {
      const value = await pending.promise;
      this.#pace.restart();
      return value === stopped ? { done: true, value: undefined } : { done: false, value };
    } catch (error) {
      return this.#fail(error);
    } finally {
      this.#pending.delete(pending);
    }
  }

  #attempt(): V | typeof notYet {
    const value = this.take();
    return value === notYet ? this.queue.mayCome(this.operation) : value;
  }

  /** The end of the queue ends the loop; everything else is thrown into it. */
  #fail(error: unknown): Promise<IteratorResult<V, undefined>> {
    this.#done = true;
    if (error instanceof ZooError && error.code === 'ERR_ZOO_ENDED') {
      return Promise.resolve({ done: true, value: undefined });
    }
    return Promise.reject(error as Error);
  }

  return(): Promise<IteratorResult<V, undefined>> {
    this.#done = true;
    for (const pending of this.#pending) pending.cancel(stopped);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Values one by one. */
export class ValueIterator<T> extends QueueIterator<T> {
  protected readonly operation = 'iteration';

  protected take(): T | typeof notYet {
    return this.queue.takeValue() as T | typeof notYet;
  }
}

/** Views one by one; the one before is committed when the next is asked for. */
export class ViewIterator extends QueueIterator<ReadView> {
  protected readonly operation = 'iteration of views';
  #current: ClaimedView | undefined;

  protected take(): ReadView | typeof notYet {
    const view = this.queue.claim();
    if (view !== notYet) this.#current = view;
    return view;
  }

  override next(): Promise<IteratorResult<ReadView, undefined>> {
    try {
      this.#current?.[Symbol.dispose]();
      this.#current = undefined;
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return super.next();
  }

  /** Left by `break` or by an error in the loop: the current message is offered again. */
  override return(): Promise<IteratorResult<ReadView, undefined>> {
    const current = this.#current;
    this.#current = undefined;
    const left = super.return();
    try {
      if (current && current.number >= 0 && !this.queue.closed) this.queue.reject(current);
      return left;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }
}

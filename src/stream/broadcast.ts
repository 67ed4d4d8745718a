/** One source for many: every subscriber gets every item. */
import { ZooError, invalidArgumentValue } from '../errors.js';
import { checkOptions, parseCount } from '../options.js';
import { checkCallback, parseSignalOption, type SignalOptions } from './arguments.js';
import type { WhenFull } from './local-store.js';
import { PullSlot } from './pull-slot.js';
import type { Batch, Puller, Pulled } from './pull.js';
import { StreamRun, type Run } from './run.js';
import type { Source } from './source.js';
import { Stream } from './stream.js';

/** How a subscriber of a Broadcast is served. */
export interface BroadcastStreamOptions {
  /** Items that may wait for this subscriber: 1 or more, default 1. */
  buffer?: number | undefined;
  /** `'wait'`, the default: the source waits for this subscriber. */
  whenFull?: WhenFull | undefined;
}

/** What a Broadcast has done. */
export interface BroadcastStats {
  /** Items of the source that were handed to the subscribers. */
  readonly items: number;
  /** One entry for each subscriber that has not left. */
  readonly subscribers: readonly {
    /** Items that wait for it now. */
    readonly waiting: number;
    /** Items it has taken. */
    readonly delivered: number;
    /** Items given up because it was slow. */
    readonly dropped: number;
  }[];
}

/**
 * Hands every item of a source to every subscriber, in this process. Subscribers register when
 * `stream()` or `subscribe()` is called, and get what comes from then on; `run()` begins.
 *
 * With `'wait'` the slowest subscriber sets the pace, so a stream that was asked for has to be
 * read. One that leaves, or whose callback throws, stops only itself. A failure of the source
 * reaches each subscriber after its waiting items.
 *
 * @example
 * const files = new Broadcast(segments.through(assemble()));
 * files.subscribe(save);
 * const alerts = files.stream({ buffer: 10, whenFull: 'drop-oldest' }).filter(isAlert);
 * const done = files.run();
 * for await (const alert of alerts) notify(alert);
 * await done;
 */
export class Broadcast<T> {
  readonly #source: Stream<T>;
  readonly #subscribers = new Set<Subscriber<T>>();
  #run: Run | undefined;
  #items = 0;
  #ending: Ending | undefined;

  /** Nothing of the source is touched before `run()`. */
  constructor(source: Source<T>) {
    this.#source = Stream.from(source);
  }

  /**
   * A stream of all items from now on. It can be read once; leaving it ends the subscription.
   *
   * Throws `ERR_OUT_OF_RANGE` for a buffer below 1.
   */
  stream(options?: BroadcastStreamOptions): Stream<T> {
    const { buffer = 1, whenFull = 'wait' } = checkOptions<BroadcastStreamOptions>(
      'options',
      options,
      ['buffer', 'whenFull'],
    );
    parseCount('buffer', buffer);
    checkWhenFull(whenFull);
    const subscriber = new Subscriber<T>(buffer, whenFull, () => {
      this.#subscribers.delete(subscriber);
    });
    if (this.#ending) subscriber.end(this.#ending);
    else this.#subscribers.add(subscriber);
    return new Stream(() => subscriber.open());
  }

  /**
   * Calls `fn` for each item from now on and waits for what it answers; the source waits too.
   * What `fn` throws rejects this run only.
   */
  subscribe(fn: (item: T) => unknown, options?: SignalOptions): Run {
    checkCallback('fn', fn);
    parseSignalOption(options);
    return this.stream().subscribe(fn, options);
  }

  /**
   * Begins, once: later calls answer the same run. It resolves, with the number of items, when
   * the last one is with its subscribers or waits for them.
   */
  run(options?: SignalOptions): Run {
    const signal = parseSignalOption(options);
    this.#run ??= new StreamRun(this.#source, signal, {
      use: (batch, ended) => this.#offerAll(batch, ended),
      close: (failure) => this.#end({ failure }),
    });
    return this.#run;
  }

  /** Numbers of now; cheap. */
  stats(): BroadcastStats {
    return {
      items: this.#items,
      subscribers: [...this.#subscribers].map((subscriber) => subscriber.stats()),
    };
  }

  async #offerAll(batch: readonly T[], ended: AbortSignal): Promise<void> {
    for (const item of batch) {
      if (ended.aborted) return;
      this.#items += 1;
      const waits: Promise<void>[] = [];
      for (const subscriber of this.#subscribers) {
        const wait = subscriber.offer(item);
        if (wait) waits.push(wait);
      }
      if (waits.length > 0) await Promise.all(waits);
    }
  }

  async #end(ending: Ending): Promise<void> {
    this.#ending = ending;
    for (const subscriber of this.#subscribers) subscriber.end(ending);
  }
}

/** How the source ended. */
interface Ending {
  readonly failure: { readonly error: unknown } | undefined;
}

function checkWhenFull(whenFull: unknown): void {
  if (whenFull === 'wait' || whenFull === 'drop-oldest' || whenFull === 'drop-newest') return;
  throw invalidArgumentValue(
    'whenFull',
    whenFull,
    "it must be 'wait', 'drop-oldest' or 'drop-newest'",
  );
}

/** The items that wait for one subscriber. They leave one by one: no further queue is hidden. */
class Subscriber<T> implements Puller<T> {
  readonly #capacity: number;
  readonly #whenFull: WhenFull;
  readonly #onLeave: () => void;
  readonly #items: T[] = [];
  readonly #slot = new PullSlot<T>();
  #room: (() => void) | undefined;
  #ending: Ending | undefined;
  #left = false;
  #opened = false;
  #delivered = 0;
  #dropped = 0;

  constructor(capacity: number, whenFull: WhenFull, onLeave: () => void) {
    this.#capacity = capacity;
    this.#whenFull = whenFull;
    this.#onLeave = onLeave;
  }

  open(): this {
    if (this.#opened) {
      throw new ZooError(
        'ERR_ZOO_CLOSED',
        'this stream of a Broadcast was read already: ask the Broadcast for one of its own',
      );
    }
    this.#opened = true;
    return this;
  }

  stats(): BroadcastStats['subscribers'][number] {
    return { waiting: this.#items.length, delivered: this.#delivered, dropped: this.#dropped };
  }

  /** Takes an item, or gives one up, or answers a promise for when there was room. */
  offer(item: T): void | Promise<void> {
    if (this.#left) return undefined;
    if (this.#slot.waiting) {
      this.#delivered += 1;
      this.#slot.resolve([item]);
      return undefined;
    }
    if (this.#items.length < this.#capacity) {
      this.#items.push(item);
      return undefined;
    }
    if (this.#whenFull === 'wait') return this.#offerWhenThereIsRoom(item);
    this.#dropped += 1;
    if (this.#whenFull === 'drop-newest') return undefined;
    this.#items.shift();
    this.#items.push(item);
    return undefined;
  }

  async #offerWhenThereIsRoom(item: T): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#room = resolve;
    });
    if (!this.#ending) this.offer(item);
  }

  /** No more items will come. */
  end(ending: Ending): void {
    this.#ending = ending;
    this.#room?.();
    this.#slot.settle(() => this.#next());
  }

  pull(): Pulled<T> {
    const next = this.#next();
    return next === undefined ? this.#slot.wait() : next;
  }

  cancel(): void {
    this.#leave();
    this.#slot.resolve(null);
  }

  /** An item, the end, or undefined while there is neither; throws the failure of the source. */
  #next(): Batch<T> | undefined {
    if (this.#left) return null;
    if (this.#items.length > 0) {
      const item = this.#items.shift() as T;
      this.#delivered += 1;
      this.#room?.();
      this.#room = undefined;
      return [item];
    }
    if (!this.#ending) return undefined;
    this.#leave();
    if (this.#ending.failure) throw this.#ending.failure.error;
    return null;
  }

  /** Frees what waits, and whoever waits for room. */
  #leave(): void {
    this.#left = true;
    this.#items.length = 0;
    this.#room?.();
    this.#onLeave();
  }
}

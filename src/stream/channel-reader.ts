/** Receiving from a channel: one by one, in batches for operators, and in place. */
import { ZooError } from '../errors.js';
import type { Wait } from '../options.js';
import { Pace } from '../queue/iterate.js';
import { notYet, type PendingWait } from '../wait.js';
import { Undecodable, type ChannelStore, type HeldView } from './channel-store.js';
import type { Batch, Puller, Pulled } from './pull.js';

const forever: Wait = { timeout: Infinity, signal: undefined };

/** What all iterations of a handle share: items that were taken and not used stay here. */
export class ChannelReader<T> {
  readonly store: ChannelStore<T>;
  #ready: (T | Undecodable)[] = [];

  constructor(store: ChannelStore<T>) {
    this.store = store;
  }

  get readyCount(): number {
    return this.#ready.length;
  }

  take(operation: string, tries = false): T | typeof notYet {
    if (this.#ready.length === 0 || this.store.closed) return this.store.take(operation, tries);
    return valueOf(this.#ready.shift() as T | Undecodable);
  }

  takeMany(max: number, operation: string): readonly T[] | typeof notYet {
    if (this.#ready.length === 0 || this.store.closed) {
      const taken = this.store.takeMany(max, operation);
      if (taken === notYet || !taken.some(isUndecodable)) {
        return taken as readonly T[] | typeof notYet;
      }
      this.#ready = [...taken];
    }
    // Up to the first that is no value, which is thrown when it is its turn.
    const bad = this.#ready.findIndex(isUndecodable);
    if (bad === 0) return [valueOf(this.#ready.shift() as T | Undecodable)];
    const count = Math.min(max, bad < 0 ? this.#ready.length : bad);
    return this.#ready.splice(0, count) as T[];
  }

  /** Items that were taken and not used: the next to receive gets them. */
  giveBack(items: readonly T[]): void {
    if (this.store.closed || items.length === 0) return;
    this.#ready = [...items, ...this.#ready];
    this.store.serve();
  }

  clear(): void {
    this.#ready = [];
  }
}

function isUndecodable(item: unknown): item is Undecodable {
  return item instanceof Undecodable;
}

function valueOf<T>(item: T | Undecodable): T {
  if (item instanceof Undecodable) throw item.error;
  return item;
}

/** What every way of pulling shares: a wait that can be cancelled, turns of the event loop, the end. */
abstract class WaitingPuller<V> implements Puller<V> {
  protected readonly store: ChannelStore<unknown>;
  readonly #pace = new Pace();
  #pending: PendingWait<Batch<V>> | undefined;
  #cancelled = false;

  constructor(store: ChannelStore<unknown>) {
    this.store = store;
  }

  /** Takes what is there; throws at the end. */
  protected abstract take(limit: number): readonly V[] | typeof notYet;
  /** Of a batch that came too late. */
  protected abstract putBack(batch: readonly V[]): void;

  pull(limit = Infinity): Pulled<V> {
    if (this.#cancelled) return null;
    if (this.#pace.isTurnDue()) return this.#pace.turn().then(() => this.#pullNow(limit));
    return this.#pullNow(limit);
  }

  #pullNow(limit: number): Pulled<V> {
    if (this.#cancelled) return null;
    if (!this.store.idle) return this.#wait(limit);
    try {
      const batch = this.take(limit);
      return batch === notYet ? this.#wait(limit) : batch;
    } catch (error) {
      return endOrThrow(error);
    }
  }

  async #wait(limit: number): Promise<Batch<V>> {
    const attempt = (): Batch<V> | typeof notYet => this.take(limit);
    const pending = this.store.enter<Batch<V>>(attempt, 'iteration', forever);
    this.#pending = pending;
    try {
      const batch = await pending.promise;
      if (!this.#cancelled || batch === null) return batch;
      this.putBack(batch);
      return null;
    } catch (error) {
      return this.#cancelled ? null : endOrThrow(error);
    } finally {
      this.#pending = undefined;
      this.#pace.restart();
    }
  }

  cancel(): void {
    this.#cancelled = true;
    this.#pending?.cancel(null);
  }
}

function endOrThrow(error: unknown): null {
  if (error instanceof ZooError && error.code === 'ERR_ZOO_ENDED') return null;
  throw error;
}

/** Values: for operators in batches of up to `prefetch`, for the loop of the user one by one. */
export class ValuePuller<T> extends WaitingPuller<T> {
  readonly #reader: ChannelReader<T>;
  readonly #oneByOne: boolean;

  /** Each batch is acknowledged as a whole when it is handed over. */
  constructor(reader: ChannelReader<T>, oneByOne: boolean) {
    super(reader.store);
    this.#reader = reader;
    this.#oneByOne = oneByOne;
  }

  protected take(limit: number): readonly T[] | typeof notYet {
    const { store } = this.#reader;
    if (this.#oneByOne || store.prefetch === 1 || limit <= 1) {
      const value = this.#reader.take('iteration');
      return value === notYet ? notYet : [value];
    }
    return this.#reader.takeMany(Math.min(limit, store.prefetch), 'iteration');
  }

  protected putBack(batch: readonly T[]): void {
    this.giveBack(batch);
  }

  giveBack(items: readonly T[]): void {
    this.#reader.giveBack(items);
  }
}

/** In place: each view is committed when the next is pulled, and given back when the loop is left. */
export class ViewPuller extends WaitingPuller<HeldView> {
  #current: HeldView | undefined;

  protected take(): readonly HeldView[] | typeof notYet {
    const current = this.#current;
    this.#current = undefined;
    current?.[Symbol.dispose]();
    const view = this.store.takeView('iteration of views');
    if (view === notYet) return notYet;
    this.#current = view;
    return [view];
  }

  protected putBack(): void {
    this.#leave();
  }

  override cancel(): void {
    super.cancel();
    this.#leave();
  }

  #leave(): void {
    const current = this.#current;
    this.#current = undefined;
    current?.giveBack();
  }
}

/**
 * How many workers there are: started on demand or at once, ended when idle, replaced when they
 * died or are used up. Each place has at most one worker that takes tasks, and while that is used
 * up, a successor that gets ready.
 */
import { performance } from 'node:perf_hooks';
import type { WorkerHandle } from './worker-handle.js';

export interface WorkerLimits {
  readonly min: number;
  readonly max: number;
}

/** What the pool does for its lifecycle. */
export interface Nursery {
  /** Makes a worker. May throw: then it counts as a death before ready. */
  make(place: number): WorkerHandle;
  /** How many workers have work waiting for them, those that have some left out. */
  demand(): number;
  /** Places for whose worker work waits. */
  placesInDemand(): Iterable<number>;
  /** Whether any work waits. */
  readonly hasWork: boolean;
  /** Workers died too often before they were ready. */
  broke(deaths: number, cause: unknown): void;
  /** A worker should end: take back what it has not started, and let it finish the rest. */
  retire(worker: WorkerHandle): void;
}

interface Place {
  worker: WorkerHandle | undefined;
  successor: WorkerHandle | undefined;
  /** Deaths in a row without a finished task. */
  deaths: number;
  restart: NodeJS.Timeout | undefined;
}

/** Deaths before ready, in a row, until what waits is rejected. */
export const mostDeathsBeforeReady = 5;
const firstDelay = 50;
const longestDelay = 5000;

export class Lifecycle {
  readonly #nursery: Nursery;
  readonly #idleTimeout: number;
  readonly #places: Place[] = [];
  /** Workers that finish what they have, and end. */
  readonly #leaving = new Set<WorkerHandle>();
  /** Workers that need a successor. */
  readonly #usedUp = new WeakSet<WorkerHandle>();
  readonly #idleTimers = new Map<WorkerHandle, NodeJS.Timeout>();
  #limits: WorkerLimits;
  #deathsBeforeReady = 0;
  /** Nothing is started before the next call. */
  #broken = false;
  #closing = false;
  /** The workers were killed: no task is left. */
  #isOver = false;
  #onGone: (() => void)[] = [];

  constructor(limits: WorkerLimits, idleTimeout: number, nursery: Nursery) {
    this.#limits = limits;
    this.#idleTimeout = idleTimeout;
    this.#nursery = nursery;
  }

  get limits(): WorkerLimits {
    return this.#limits;
  }

  /** All workers that have not ended. */
  *all(): Iterable<WorkerHandle> {
    for (const { worker, successor } of this.#places) {
      if (worker) yield worker;
      if (successor) yield successor;
    }
    yield* this.#leaving;
  }

  /** The workers that may be sent tasks. */
  *serving(): Iterable<WorkerHandle> {
    for (const { worker } of this.#places) {
      if (worker?.serves) yield worker;
    }
  }

  #count(): number {
    return this.#places.reduce((sum, { worker }) => sum + (worker ? 1 : 0), 0);
  }

  /** Starts the workers that are wanted now, as far as the limits and the delays after deaths allow. */
  fill(): void {
    if (this.#broken || this.#isOver) return;
    this.#places.forEach(({ worker, successor }, index) => {
      if (worker && !successor && !this.#closing && this.#usedUp.has(worker)) this.#start(index);
    });
    const wanted = this.#wanted();
    let count = this.#count();
    for (const place of this.#nursery.placesInDemand()) {
      if (place < this.#limits.max && !this.#place(place).worker) {
        this.#start(place);
        count += 1;
      }
    }
    for (let place = 0; place < this.#limits.max && count < wanted; place++) {
      if (this.#place(place).worker) continue;
      this.#start(place);
      count += 1;
    }
  }

  /** The number of workers that there should be, used up ones included. */
  #wanted(): number {
    const { min, max } = this.#limits;
    return Math.min(max, Math.max(this.#closing ? 0 : min, this.#count() + this.#nursery.demand()));
  }

  #place(index: number): Place {
    let place = this.#places[index];
    if (!place) {
      place = { worker: undefined, successor: undefined, deaths: 0, restart: undefined };
      this.#places[index] = place;
      for (let i = 0; i < index; i++) this.#place(i);
    }
    return place;
  }

  #start(index: number): void {
    const place = this.#place(index);
    if (place.restart) {
      if (this.#nursery.hasWork) place.restart.ref();
      return;
    }
    const delay = delayAfter(place.deaths);
    if (delay === 0) {
      this.#make(index);
      return;
    }
    place.restart = setTimeout(() => {
      place.restart = undefined;
      if (this.#isWanted(index)) this.#make(index);
    }, delay);
    if (!this.#nursery.hasWork) place.restart.unref();
  }

  /** Whether a worker at this place still has something to do when its delay is over. */
  #isWanted(index: number): boolean {
    if (index >= this.#limits.max) return false;
    const { worker } = this.#place(index);
    if (worker) return this.#usedUp.has(worker);
    return this.#count() < this.#wanted() || [...this.#nursery.placesInDemand()].includes(index);
  }

  #make(index: number): void {
    const place = this.#place(index);
    try {
      const made = this.#nursery.make(index);
      if (place.worker) place.successor = made;
      else place.worker = made;
    } catch (error) {
      this.#diedBeforeReady(place, error);
    }
  }

  /** A worker is used up: another one gets ready beside it, and takes over. */
  replace(worker: WorkerHandle): void {
    this.#usedUp.add(worker);
    this.fill();
  }

  /** A worker answered to its start: it takes over from the one that it succeeds. */
  ready(worker: WorkerHandle): void {
    this.#deathsBeforeReady = 0;
    const place = this.#places[worker.place];
    if (!place || place.successor !== worker) return;
    const old = place.worker;
    place.successor = undefined;
    place.worker = worker;
    if (old) this.#leave(old);
  }

  /** A task was finished: what came before is forgiven. */
  finished(worker: WorkerHandle): void {
    if (this.#places[worker.place]?.deaths !== 0) this.#forgive();
  }

  #forgive(): void {
    for (const place of this.#places) place.deaths = 0;
  }

  /** A new call: a pool that was broken tries again. */
  revive(): void {
    if (!this.#broken) return;
    this.#broken = false;
    this.#forgive();
  }

  #leave(worker: WorkerHandle): void {
    this.#clearIdleTimer(worker);
    this.#leaving.add(worker);
    this.#nursery.retire(worker);
  }

  /** A worker has ended, for whatever reason. */
  ended(worker: WorkerHandle, wasReady: boolean, cause: unknown): void {
    this.#clearIdleTimer(worker);
    const meant = this.#leaving.delete(worker) || this.#closing;
    const place = this.#places[worker.place];
    if (place?.worker === worker) place.worker = undefined;
    else if (place?.successor === worker) place.successor = undefined;
    if (place && !meant) {
      if (wasReady) place.deaths += 1;
      else this.#diedBeforeReady(place, cause);
    }
    // Starting a process takes milliseconds: those who wait for the dead one's tasks go first.
    setImmediate(() => this.fill());
    this.#checkGone();
  }

  #diedBeforeReady(place: Place, cause: unknown): void {
    place.deaths += 1;
    this.#deathsBeforeReady += 1;
    if (this.#deathsBeforeReady < mostDeathsBeforeReady) {
      queueMicrotask(() => this.fill());
      return;
    }
    const deaths = this.#deathsBeforeReady;
    this.#deathsBeforeReady = 0;
    this.#broken = true;
    this.#nursery.broke(deaths, cause);
  }

  /** A worker has nothing to do: above `min`, it ends after a while. */
  idle(worker: WorkerHandle): void {
    if (this.#idleTimers.has(worker) || this.#idleTimeout === Infinity) return;
    if (this.#count() <= this.#limits.min) return;
    const timer = setTimeout(() => this.#idleFor(worker), Math.min(this.#idleTimeout, 2 ** 31 - 1));
    timer.unref();
    this.#idleTimers.set(worker, timer);
  }

  #idleFor(worker: WorkerHandle): void {
    this.#idleTimers.delete(worker);
    const place = this.#places[worker.place];
    if (worker.state !== 'idle' || place?.worker !== worker || this.#closing) return;
    const rest = worker.idleSince + this.#idleTimeout - performance.now();
    if (rest > 1) {
      const timer = setTimeout(() => this.#idleFor(worker), rest);
      timer.unref();
      this.#idleTimers.set(worker, timer);
      return;
    }
    if (this.#count() <= this.#limits.min) return;
    place.worker = undefined;
    this.#leave(worker);
  }

  #clearIdleTimer(worker: WorkerHandle): void {
    clearTimeout(this.#idleTimers.get(worker));
    this.#idleTimers.delete(worker);
  }

  /** New limits: workers beyond `max` finish what they have and end; missing ones are started. */
  resize(limits: WorkerLimits): void {
    this.#limits = limits;
    for (let index = this.#places.length - 1; index >= 0; index--) {
      const place = this.#places[index] as Place;
      if (this.#count() <= limits.max && index < limits.max) continue;
      const { worker, successor } = place;
      place.worker = undefined;
      place.successor = undefined;
      if (worker) this.#leave(worker);
      if (successor) this.#leave(successor);
      clearTimeout(place.restart);
      place.restart = undefined;
    }
    this.fill();
  }

  /** Every worker ends once it has nothing to do; no new ones except for work that waits. */
  close(): void {
    this.#closing = true;
  }

  /** All workers end: by themselves when `kill` is false, else at once. */
  endAll(kill: boolean): void {
    this.#closing = true;
    this.#isOver ||= kill;
    for (const place of this.#places) {
      clearTimeout(place.restart);
      place.restart = undefined;
    }
    for (const worker of Array.from(this.all())) {
      // One that is starting has nothing to finish, and may never be ready.
      if (kill || worker.state === 'starting') worker.kill();
      else worker.end();
    }
    this.#checkGone();
  }

  /** Settles when the workers that are on their way out now have ended. */
  async settled(): Promise<void> {
    const leaving = [...this.#leaving];
    await Promise.all(leaving.map((worker) => worker.gone));
  }

  /** Whether the workers are on their way out. */
  get isEnding(): boolean {
    return this.#closing;
  }

  /** Settles when the last worker has ended. */
  gone(): Promise<void> {
    return new Promise((resolve) => {
      this.#onGone.push(resolve);
      this.#checkGone();
    });
  }

  #checkGone(): void {
    if (this.#onGone.length === 0 || [...this.all()].length > 0) return;
    for (const resolve of this.#onGone.splice(0)) resolve();
  }
}

/** At once after the first death, then 50 ms and twice as long each time up to 5 s, plus up to a fifth. */
function delayAfter(deaths: number): number {
  if (deaths < 2) return 0;
  const delay = Math.min(longestDelay, firstDelay * 2 ** (deaths - 2));
  return delay * (1 + Math.random() / 5);
}

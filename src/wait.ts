/**
 * The one engine behind every wait. A wait is an attempt that is made again whenever it may
 * succeed; the truth is in shared memory, and a wake only says "look".
 *
 * Blocking calls sleep in the addon, at most 100 ms at a time, so that a worker can be terminated.
 * Promises stand in line: first come, first served. The front one is attempted, then the addon is
 * asked for a wake, then it is attempted once more, because what it waits for may have come
 * between the two; only then does it sleep. A wake can be lost when a process dies, so everything
 * in line is also attempted again at a fixed interval.
 */
import { AbortError } from './errors.js';
import { Status } from './native.js';
import type { Wait } from './options.js';

/** What an attempt answers when it could not succeed yet. */
export const notYet: unique symbol = Symbol('not yet');

/** What is tried, and how it is called in error messages. */
export interface Request<R> {
  attempt(): R | typeof notYet;
  readonly operation: string;
  /** Bytes of room that the attempt needs; a request to read has none. */
  readonly needed?: number;
}

/** The handle of a line, as the line needs it. */
export interface LineOwner {
  add(line: WaitingLine): void;
  /** A line has waiters now. */
  activate(): void;
  /** A line has none any more. */
  deactivate(): void;
}

/** One direction of one handle: what its waits sleep on. */
export interface WaitSource {
  /** Asks for a wake; a status that is not ok means that waiting is in vain. */
  arm(needed: number): number;
  disarm(): void;
  failure(status: number, operation: string): Error;
  timedOut(operation: string, milliseconds: number, needed: number): Error;
}

const longestBlock = 100;
/** The longest delay that `setTimeout` keeps. */
const longestTimer = 2 ** 31 - 1;

/** The same, for a thread that blocks. */
export interface BlockingSource extends WaitSource {
  /** Blocks up to `milliseconds`; a status as of `arm`. */
  block(needed: number, milliseconds: number): number;
}

/** Waits on this thread, without the event loop. */
export function waitBlocking<R>(source: BlockingSource, request: Request<R>, timeout: number): R {
  const outcome = request.attempt();
  if (outcome !== notYet) return outcome;
  const step = (milliseconds: number): R | typeof notYet => {
    const status = source.block(request.needed ?? 0, milliseconds);
    const next = request.attempt();
    if (next === notYet && isInVain(status)) throw source.failure(status, request.operation);
    return next;
  };
  return repeatUntil(timeout, step, () =>
    source.timedOut(request.operation, timeout, request.needed ?? 0),
  );
}

/** Repeats a blocking step that takes at most the given time, so that a worker can be terminated in between. */
export function repeatUntil<R>(
  timeout: number,
  step: (milliseconds: number) => R | typeof notYet,
  timedOut: () => Error,
): R {
  const deadline = performance.now() + timeout;
  for (;;) {
    const rest = deadline - performance.now();
    if (rest <= 0) throw timedOut();
    const outcome = step(Math.min(Math.ceil(rest), longestBlock));
    if (outcome !== notYet) return outcome;
  }
}

function isInVain(status: number): boolean {
  return status !== Status.ok && status !== Status.wouldBlock;
}

/** A promise in line. */
export interface PendingWait<R> {
  readonly promise: Promise<R>;
  readonly settled: boolean;
  /** Leaves the line and resolves with this instead; nothing was taken. */
  cancel(instead: R): void;
}

/** The line of promises that wait for one direction of a handle. */
export class WaitingLine {
  readonly #handle: LineOwner;
  readonly #source: WaitSource;
  readonly #hasty: boolean;
  // A list with links in the waiters: entering and leaving, at any place, makes no garbage.
  #first: Waiter<unknown> | undefined;
  #last: Waiter<unknown> | undefined;
  #serving = false;

  /** `hasty`: whoever waits here should learn of a death soon. */
  constructor(handle: LineOwner, source: WaitSource, hasty: boolean) {
    this.#hasty = hasty;
    this.#handle = handle;
    this.#source = source;
    handle.add(this);
  }

  get urgent(): boolean {
    return this.#hasty && !this.idle;
  }

  /** Nobody is in line, so a caller may try for itself without overtaking anybody. */
  get idle(): boolean {
    return this.#first === undefined;
  }

  wait<R>(request: Request<R>, wait: Wait): Promise<R> {
    return this.enter(request, wait).promise;
  }

  /** Joins the line. A signal that is aborted already, and a timeout of 0, are answered at once. */
  enter<R>(request: Request<R>, { timeout, signal }: Wait): PendingWait<R> {
    const waiter = new Waiter<R>(this, request);
    if (signal?.aborted) {
      waiter.reject(new AbortError(signal.reason));
      return waiter;
    }
    if (this.idle && waiter.tryOnce()) return waiter;
    if (timeout === 0) {
      waiter.reject(this.#timeoutOf(request, timeout));
      return waiter;
    }
    this.#append(waiter as Waiter<unknown>);
    if (this.#first === waiter && this.#sleepUnlessReady(waiter as Waiter<unknown>)) return waiter;
    if (timeout !== Infinity) waiter.startTimer(performance.now() + timeout, timeout);
    if (signal) waiter.listenTo(signal);
    return waiter;
  }

  #append(waiter: Waiter<unknown>): void {
    waiter.queued = true;
    waiter.previous = this.#last;
    if (this.#last) {
      this.#last.next = waiter;
    } else {
      this.#first = waiter;
      this.#handle.activate();
    }
    this.#last = waiter;
  }

  /** Lets those in line try, in order, until one of them has to sleep. */
  serve(): void {
    // A custom codec or an iterator of the user runs inside an attempt, and may come back here.
    if (this.#serving) return;
    this.#serving = true;
    try {
      for (let waiter = this.#first; waiter; waiter = this.#first) {
        if (!waiter.tryOnce() && !this.#sleepUnlessReady(waiter)) break;
      }
    } finally {
      this.#serving = false;
    }
  }

  /** Looks again although nobody woke this line: a wake can be lost, or die with whoever was to wake. */
  lookAgain(): void {
    const first = this.#first;
    if (first && !this.#serving && this.#sleepUnlessReady(first)) this.serve();
  }

  /** Arms the wake for this waiter; true when it settled after all. */
  #sleepUnlessReady(waiter: Waiter<unknown>): boolean {
    let status: number;
    try {
      status = this.#source.arm(waiter.request.needed ?? 0);
    } catch (error) {
      // No bell can be made, say: nobody may stay in line whose promise is not with its caller.
      waiter.reject(error as Error);
      return true;
    }
    if (waiter.tryOnce()) return true;
    if (!isInVain(status)) return false;
    waiter.reject(this.#source.failure(status, waiter.request.operation));
    return true;
  }

  /** A last look before a timeout: what came while the event loop was busy is better. */
  timeOut(waiter: Waiter<unknown>, timeout: number): void {
    this.serve();
    waiter.reject(this.#timeoutOf(waiter.request, timeout));
  }

  rejectAll(reason: (operation: string) => Error): void {
    for (let waiter = this.#first; waiter; waiter = this.#first) {
      waiter.reject(reason(waiter.request.operation));
    }
  }

  /** Called by a waiter that settled. */
  leave(waiter: Waiter<unknown>): void {
    if (!waiter.queued) return;
    waiter.queued = false;
    const wasFirst = this.#first === waiter;
    if (waiter.previous) waiter.previous.next = waiter.next;
    else this.#first = waiter.next;
    if (waiter.next) waiter.next.previous = waiter.previous;
    else this.#last = waiter.previous;
    if (this.idle) {
      this.#source.disarm();
      this.#handle.deactivate();
    } else if (wasFirst && !this.#serving) {
      // The next one may need less room than the one that gave up, and nobody would wake it.
      queueMicrotask(() => this.serve());
    }
  }

  #timeoutOf(request: Request<unknown>, timeout: number): Error {
    return this.#source.timedOut(request.operation, timeout, request.needed ?? 0);
  }
}

/** One promise with all that can settle it. */
class Waiter<R> implements PendingWait<R> {
  readonly promise: Promise<R>;
  readonly request: Request<R>;
  previous: Waiter<unknown> | undefined;
  next: Waiter<unknown> | undefined;
  queued = false;
  readonly #line: WaitingLine;
  #settled = false;
  #resolve!: (value: R) => void;
  #reject!: (reason: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(line: WaitingLine, request: Request<R>) {
    this.#line = line;
    this.request = request;
    this.promise = new Promise<R>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Makes the attempt; true when the promise is settled, one way or the other. */
  tryOnce(): boolean {
    if (this.#settled) return true;
    let outcome: R | typeof notYet;
    try {
      outcome = this.request.attempt();
    } catch (error) {
      this.reject(error as Error);
      return true;
    }
    if (outcome === notYet) return false;
    this.cancel(outcome);
    return true;
  }

  startTimer(deadline: number, timeout: number): void {
    const rest = Math.min(Math.max(deadline - performance.now(), 0), longestTimer);
    this.#timer = setTimeout(() => {
      if (performance.now() < deadline - 1) this.startTimer(deadline, timeout);
      else this.#line.timeOut(this as Waiter<unknown>, timeout);
    }, rest);
    // What keeps the process alive is the wait itself, as ref() and unref() say.
    this.#timer.unref();
  }

  listenTo(signal: AbortSignal): void {
    this.#signal = signal;
    this.#onAbort = () => this.reject(new AbortError(signal.reason));
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  cancel(instead: R): void {
    if (this.#settle()) this.#resolve(instead);
  }

  reject(reason: Error): void {
    if (this.#settle()) this.#reject(reason);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#onAbort) this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#line.leave(this as Waiter<unknown>);
    return true;
  }
}

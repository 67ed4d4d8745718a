/**
 * Tasks on their way: from the queue to a worker, and to their answer. What becomes of a task:
 *
 *      queued ----> dispatched ----> settled
 *        ^  |           |               ^
 *        |  +-----------|---------------+   abort, timeout, close
 *        +--------------+                   taken back, or its worker died and it may run again
 *
 * Whether a dispatched task has started is read from the worker's inbox when somebody needs to
 * know. Only `#settle` resolves or rejects.
 */
import { performance } from 'node:perf_hooks';
import { AbortError, ZooError } from '../errors.js';
import { Announcements } from './announcements.js';
import {
  WorkerDied,
  loadFailure,
  poolBroken,
  poolClosed,
  poolFull,
  timedOut,
  unknownTask,
} from './errors.js';
import type { WorkerEnding } from './errors.js';
import { SharedSignals } from './shared-signals.js';
import { KeepAlive } from './keep-alive.js';
import { Lifecycle, type Nursery, type WorkerLimits } from './lifecycle.js';
import type { PoolSettings } from './options.js';
import { ToWorker, bytesOfFrame, frameAround, toWorkerHeader } from './protocol.js';
import { TaskQueue, hasRoom, learn } from './scheduler.js';
import type { PoolRecords } from './statistics.js';
import { Task, type Caller, type Experience, type TaskCargo, type TaskDemands } from './task.js';
import type { PoolEvents } from './types.js';
import type { Answer } from './answer-reader.js';
import type { WorkerHandle, WorkerOwner } from './worker-handle.js';

/** A healthy worker answers within so many milliseconds, on a busy machine too. */
const shortestProbe = 200;
/** Calls in a row after which the workers get to hear of them. */
const callsInARow = 32;
/** How often the pool looks for tasks that wait behind a slow one. */
const stallCheck = 10;
/** How long, and how often, a task waits for memory that others give back, in milliseconds. */
const spaceWait = 20;
const mostSpaceWaits = 10;
/** The longest delay that `setTimeout` keeps. */
const longestTimer = 2 ** 31 - 1;

/** What the dispatcher needs from the pool around it. */
export interface PoolSide {
  emit<E extends keyof PoolEvents>(event: E, ...args: PoolEvents[E]): void;
  makeWorker(place: number, owner: WorkerOwner): WorkerHandle;
}

/** A call that every worker makes waits for nothing, and is not made again. */
const noDemands: TaskDemands = {
  priority: 0,
  key: undefined,
  place: -1,
  timeout: Infinity,
  queueTimeout: Infinity,
  retries: 0,
  signal: undefined,
};

export class Dispatcher implements WorkerOwner, Nursery {
  readonly lifecycle: Lifecycle;
  readonly #settings: PoolSettings;
  readonly #pool: PoolSide;
  readonly #records: PoolRecords;
  readonly #queue = new TaskQueue();
  readonly #experiences = new Map<string, Experience>();
  readonly #announcements = new Announcements((worker, name, cargo, caller) =>
    this.#tell(worker, name, cargo, caller),
  );
  readonly #readiness: { resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly #onIdle: (() => void)[] = [];
  readonly #signals = new SharedSignals<Task>((task, reason) =>
    this.giveUp(task, new AbortError(reason), reason),
  );
  readonly #keepAlive = new KeepAlive(
    () => this.#isIdle && !this.lifecycle.isEnding,
    (on) => {
      for (const worker of this.lifecycle.all()) worker.setReferenced(on);
    },
  );
  #lastTask = 0;
  #inFlight = 0;
  /** Tasks wait; 'drain' is due when none does any more. */
  #drainIsDue = false;
  #dispatchIsDue = false;
  /** Calls since the last dispatch. */
  #callsInARow = 0;
  /** What every task is rejected with from now on. */
  #destroyed: Error | undefined;
  #stallTimer: NodeJS.Timeout | undefined;
  /** Nothing is sent while it runs. */
  #spaceTimer: NodeJS.Timeout | undefined;

  constructor(settings: PoolSettings, pool: PoolSide, records: PoolRecords) {
    this.#settings = settings;
    this.#pool = pool;
    this.#records = records;
    this.lifecycle = new Lifecycle(settings.limits, settings.idleTimeout, this);
  }

  get queued(): number {
    return this.#queue.size;
  }

  get running(): number {
    return this.#inFlight;
  }

  // Tasks in

  /** Takes a task in. It is sent at once when a worker has room. */
  submit(name: string, cargo: TaskCargo, demands: TaskDemands, caller: Caller): Task {
    const { overflow } = this.#settings;
    const maxQueue = caller.unbounded === true ? Infinity : this.#settings.maxQueue;
    const now = performance.now();
    const task = new Task(++this.#lastTask, this.#experience(name), cargo, demands, caller, now);
    if (demands.signal && !this.#listen(task, demands.signal)) return task;
    this.#keepAlive.turnOn();
    this.#queue.push(task);
    // One that may run again needs its arguments as they are now; so does one that has to wait.
    if (task.borrows && demands.retries > 0) task.keepParts();
    if (task.borrows || this.#queue.size > maxQueue) this.#dispatch();
    if (this.#queue.size > maxQueue && overflow === 'reject' && task.phase === 'queued') {
      this.#queue.remove(task);
      this.#settle(task, { ok: false, error: poolFull(maxQueue) });
      return task;
    }
    if (task.phase === 'queued') {
      task.keepParts();
      if (demands.queueTimeout !== Infinity) this.#limitWaiting(task);
    }
    this.#dispatchSoon();
    return task;
  }

  /** After the calls that the program makes in a row: then they go together, with one wake. */
  #dispatchSoon(): void {
    this.#callsInARow += 1;
    if (this.#callsInARow === callsInARow) this.#keepBusy();
    if (this.#dispatchIsDue) return;
    this.#dispatchIsDue = true;
    queueMicrotask(this.#dispatchNow);
  }

  readonly #dispatchNow = (): void => {
    this.#dispatchIsDue = false;
    this.#callsInARow = 0;
    this.#dispatch();
  };

  /**
   * A program may make thousands of calls before it lets the event loop turn. The workers need not
   * wait for the last one: they run what they were sent meanwhile, and get more when they answer.
   */
  #keepBusy(): void {
    this.#callsInARow = 0;
    for (const worker of this.lifecycle.serving()) worker.hear();
    this.#dispatch();
  }

  /** Sends what there is room for, and starts workers for the rest. */
  #dispatch(): void {
    this.#feedAll();
    if (this.#queue.size === 0) return;
    this.#drainIsDue = true;
    this.lifecycle.revive();
    this.lifecycle.fill();
  }

  #experience(name: string): Experience {
    let experience = this.#experiences.get(name);
    if (!experience) {
      experience = { name, mean: Infinity };
      this.#experiences.set(name, experience);
    }
    return experience;
  }

  /** False: the signal was aborted before. */
  #listen(task: Task, signal: AbortSignal): boolean {
    if (signal.aborted) {
      this.#settle(task, { ok: false, error: new AbortError(signal.reason) });
      return false;
    }
    this.#signals.add(signal, task);
    return true;
  }

  #mayTake(worker: WorkerHandle, task: Task): boolean {
    return (
      !worker.congested &&
      !worker.doomed &&
      worker.taken < this.#settings.maxTasksPerWorker &&
      hasRoom(worker, this.#settings.concurrency, task)
    );
  }

  /** Fills a worker up from the queue. */
  #feed(worker: WorkerHandle): void {
    if (this.#queue.size === 0 || !worker.serves) return;
    const now = performance.now();
    while (this.#sendNext(worker, now));
    worker.flush();
    this.#emitDrain();
  }

  /** Deals the queue out, one task to each worker in turn: a few tasks go to as many workers. */
  #feedAll(): void {
    if (this.#queue.size === 0) return;
    const now = performance.now();
    const serving = [...this.lifecycle.serving()].sort((a, b) => a.inFlight - b.inFlight);
    // The first so many have room still; the others got what they take.
    let hungry = serving.length;
    while (hungry > 0) {
      let next = 0;
      for (let i = 0; i < hungry; i++) {
        const worker = serving[i] as WorkerHandle;
        if (!this.#sendNext(worker, now)) continue;
        serving[i] = serving[next] as WorkerHandle;
        serving[next++] = worker;
      }
      hungry = next;
    }
    for (const worker of serving) worker.flush();
    this.#emitDrain();
  }

  /** Sends the worker the task that is its next, if it has room for it. */
  #sendNext(worker: WorkerHandle, now: number): boolean {
    const task = this.#queue.firstFor(worker.place);
    if (!task || this.#spaceTimer || !this.#mayTake(worker, task)) return false;
    this.#queue.remove(task);
    this.#send(worker, task, now);
    return true;
  }

  #emitDrain(): void {
    if (!this.#drainIsDue || this.#queue.size > 0) return;
    this.#drainIsDue = false;
    this.#pool.emit('drain');
  }

  #send(worker: WorkerHandle, task: Task, now: number): void {
    const index = worker.functions.get(task.experience.name);
    if (index === undefined) {
      const error = unknownTask(this.#settings.module, task.name, [...worker.functions.keys()]);
      this.#settle(task, { ok: false, error });
      return;
    }
    try {
      worker.send(task, index);
    } catch (error) {
      if (!this.#waitForSpace(task, error)) this.#settle(task, { ok: false, error });
      return;
    }
    this.#inFlight += 1;
    if (task.attempts === 1) this.#records.waited(now - task.queuedAt);
    if (task.timer) clearTimeout(task.timer);
    if (task.demands.timeout !== Infinity) this.#limitRunning(task);
    if (worker.inFlight > this.#settings.concurrency) this.#watchForStalls();
    if (worker.taken >= this.#settings.maxTasksPerWorker) this.lifecycle.replace(worker);
  }

  /**
   * No room in /dev/shm for large arguments: what is kept for later ones is given back, and the
   * workers are given time to let go of it.
   */
  #waitForSpace(task: Task, error: unknown): boolean {
    const isSpace = error instanceof ZooError && error.code === 'ERR_ZOO_NO_SPACE';
    if (!isSpace || task.spaceWaits === mostSpaceWaits) return false;
    task.spaceWaits += 1;
    for (const worker of this.lifecycle.all()) worker.giveMemoryBack();
    this.#queue.pushFront([task]);
    this.#drainIsDue = true;
    this.#spaceTimer = setTimeout(() => {
      this.#spaceTimer = undefined;
      this.#feedAll();
    }, spaceWait);
    return true;
  }

  // Tasks out

  /** The only place where anybody who waits for a task is answered. */
  #settle(task: Task, answer: Answer): void {
    if (task.phase === 'settled') return;
    task.phase = 'settled';
    if (task.timer) clearTimeout(task.timer);
    if (task.demands.signal) this.#signals.delete(task.demands.signal, task);
    this.#records.settled(task, answer.ok);
    if (answer.ok) task.caller.resolve(answer.value);
    else task.caller.reject(answer.error);
  }

  /** Rejects a task at once; when it runs, its worker has `killAfter` to come to an end with it. */
  giveUp(task: Task, error: unknown, reason: unknown): void {
    if (task.phase === 'settled') return;
    if (this.#isWaiting(task)) {
      this.#queue.remove(task);
    } else {
      this.#inFlight -= 1;
      const worker = this.#workerOf(task);
      worker?.condemn(task, reason);
      if (worker) this.#killUnlessDone(worker, task.id);
    }
    this.#settle(task, { ok: false, error });
    this.#feedAll();
    this.#emitDrain();
    this.#checkIdle();
  }

  /** Whether the task has not started; then it is in the queue, if need be again. */
  #isWaiting(task: Task): boolean {
    if (task.phase === 'dispatched') this.#takeBackFrom(this.#workerOf(task));
    return task.phase === 'queued';
  }

  #workerOf(task: Task): WorkerHandle | undefined {
    for (const worker of this.lifecycle.all()) if (worker.has(task)) return worker;
    return undefined;
  }

  /** What the worker has not started goes back to the front of the queue. */
  #takeBackFrom(worker: WorkerHandle | undefined): void {
    const tasks = worker?.takeBack() ?? [];
    this.#inFlight -= tasks.length;
    this.#putBack(tasks);
    // What every worker has to hear stays with this one.
    for (const task of tasks) {
      if (task.kind === ToWorker.broadcast && worker) this.#sendAnnouncement(worker, task);
    }
  }

  #putBack(tasks: readonly Task[]): void {
    const waiting = tasks.filter(
      ({ kind, phase }) => kind !== ToWorker.broadcast && phase !== 'settled',
    );
    if (waiting.length === 0) return;
    for (const task of waiting) {
      task.phase = 'queued';
      if (task.timer) clearTimeout(task.timer);
      task.timer = undefined;
    }
    if (this.#destroyed) {
      for (const task of waiting) this.#settle(task, { ok: false, error: this.#destroyed });
      return;
    }
    this.#queue.pushFront(waiting);
    this.#drainIsDue = true;
    for (const task of waiting) {
      const isFresh = task.attempts === 1;
      if (isFresh && task.demands.queueTimeout !== Infinity) this.#limitWaiting(task);
    }
  }

  /** A condemned task may end by itself for a while; its neighbours may, while their worker lives. */
  #killUnlessDone(worker: WorkerHandle, id: number): void {
    const check = (): void => {
      if (worker.ended) return;
      worker.doomed = worker.runsCondemned(id);
      if (!worker.doomed) {
        this.#feed(worker);
        return;
      }
      if (worker.sparesOthers) setTimeout(check, stallCheck).unref();
      else worker.kill();
    };
    const { killAfter } = this.#settings;
    // With Infinity, a task that does not listen to its signal keeps its worker for ever.
    if (killAfter !== Infinity) setTimeout(check, Math.min(killAfter, longestTimer)).unref();
  }

  /** It had a free hand and has not begun: it is stopped, or does something else without end. */
  async #suspect(worker: WorkerHandle): Promise<void> {
    const { killAfter } = this.#settings;
    if (killAfter === Infinity || worker.inFlight > 0) return;
    worker.doomed = true;
    const patience = Math.max(shortestProbe, Math.min(killAfter, longestTimer));
    if (await worker.probe(patience)) worker.doomed = false;
    else worker.kill();
    this.#feedAll();
  }

  // Limits of time

  #limitWaiting(task: Task): void {
    const { queueTimeout } = task.demands;
    const expired = (): void => {
      if (!this.#isWaiting(task)) return;
      this.giveUp(task, timedOut(`'${task.name}' did not start`, queueTimeout), undefined);
    };
    task.timer = setTimer(task.queuedAt + queueTimeout, (timer) => (task.timer = timer), expired);
  }

  /** Counted from when it was sent: a task with a limit goes to a worker with a free hand only. */
  #limitRunning(task: Task): void {
    const { timeout } = task.demands;
    const expired = (): void => {
      const worker = this.#workerOf(task);
      if (this.#isWaiting(task)) {
        if (worker) void this.#suspect(worker);
        this.#feedAll();
        return;
      }
      const error = timedOut(`'${task.name}' did not finish`, timeout);
      this.giveUp(task, error, error);
    };
    const deadline = performance.now() + timeout;
    task.timer = setTimer(deadline, (timer) => (task.timer = timer), expired);
  }

  /** Tasks that were sent ahead wait behind one that takes longer than was thought: they go elsewhere. */
  #watchForStalls(): void {
    this.#stallTimer ??= setInterval(() => this.#lookForStalls(), stallCheck).unref();
  }

  #lookForStalls(): void {
    let watched = false;
    for (const worker of this.lifecycle.serving()) {
      if (worker.inFlight <= this.#settings.concurrency) continue;
      watched = true;
      if (worker.answers !== worker.answersSeen) {
        worker.answersSeen = worker.answers;
        continue;
      }
      worker.stalled = true;
      this.#takeBackFrom(worker);
    }
    this.lifecycle.fill();
    this.#feedAll();
    if (watched) return;
    clearInterval(this.#stallTimer);
    this.#stallTimer = undefined;
  }

  // Announcements

  /** Every worker makes this call once: those that live now, and those born later. */
  announce(name: string, cargo: TaskCargo): Promise<void> {
    return this.#keepAlive.during((resolve, reject) => {
      this.#announcements.announce(name, cargo, this.lifecycle.all()).then(resolve, reject);
    });
  }

  #tell(worker: WorkerHandle, name: string, announced: TaskCargo, caller: Caller): void {
    // The header differs from worker to worker.
    const { kind, flags, parts } = announced;
    const payload = bytesOfFrame(announced).subarray(toWorkerHeader);
    const cargo: TaskCargo = { kind, flags, parts, ...frameAround(payload) };
    const id = ++this.#lastTask;
    const experience = this.#experience(name);
    const task = new Task(id, experience, cargo, noDemands, caller, performance.now());
    if (worker.functions.has(name)) this.#sendAnnouncement(worker, task);
    else caller.reject(unknownTask(this.#settings.module, name, [...worker.functions.keys()]));
  }

  #sendAnnouncement(worker: WorkerHandle, task: Task): void {
    this.#keepAlive.turnOn();
    try {
      worker.send(task, worker.functions.get(task.name) ?? 0);
      worker.flush();
      this.#inFlight += 1;
    } catch (error) {
      this.#settle(task, { ok: false, error });
    }
  }

  #becomeReady(worker: WorkerHandle): void {
    worker.rest();
    this.lifecycle.ready(worker);
    this.#pool.emit('worker:ready', { id: worker.id, pid: worker.pid });
    this.#checkReadiness();
    this.#feed(worker);
    this.workerWasRead(worker);
  }

  // What workers say

  workerIsReady(worker: WorkerHandle): void {
    this.#announcements.introduce(worker, () => this.#becomeReady(worker));
  }

  taskAnswered(worker: WorkerHandle, task: Task, run: number, answer: Answer): void {
    this.#inFlight -= 1;
    task.experience.mean = learn(task.experience.mean, run);
    this.#records.ran(run);
    if (task.kind !== ToWorker.broadcast) this.lifecycle.finished(worker);
    this.#settle(task, answer);
  }

  itemCame(worker: WorkerHandle, task: Task, item: Answer): void {
    task.gaveItems = true;
    if (item.ok) task.caller.item?.(item.value, (more) => worker.grant(task, more));
    else this.giveUp(task, item.error, item.error);
  }

  progressCame(task: Task, value: unknown): void {
    task.caller.progress?.(value);
  }

  workerIsFull(worker: WorkerHandle): void {
    this.lifecycle.replace(worker);
  }

  workerWasRead(worker: WorkerHandle): void {
    this.#feed(worker);
    if (worker.inFlight > 0) return;
    if (worker.state === 'idle') this.lifecycle.idle(worker);
    this.#checkIdle();
  }

  workerEnded(
    worker: WorkerHandle,
    ending: WorkerEnding,
    unstarted: readonly Task[],
    started: readonly Task[],
  ): void {
    this.#inFlight -= unstarted.length + started.length;
    this.#records.ended(worker);
    const again = started.filter((task) => this.#runsAgain(task, ending));
    this.#putBack([...unstarted, ...again]);
    const { pid, exitCode, signal } = ending;
    this.#pool.emit('worker:exit', { id: worker.id, pid, exitCode, signal });
    this.#announcements.workerEnded(worker);
    const wasReady = this.#announcements.hasIntroduced(worker);
    const cause = wasReady
      ? undefined
      : (ending.cause ?? loadFailure(this.#settings.module, ending));
    this.lifecycle.ended(worker, wasReady, cause);
    this.#feedAll();
    this.#checkIdle();
  }

  /** Whether a task whose worker died runs once more; else it is rejected here. */
  #runsAgain(task: Task, ending: WorkerEnding): boolean {
    if (task.kind === ToWorker.broadcast || task.phase === 'settled') return false;
    if (this.#destroyed) {
      this.#settle(task, { ok: false, error: this.#destroyed });
      return false;
    }
    if (task.attempts > task.demands.retries || task.gaveItems) {
      const error = new WorkerDied(task.name, ending, task.attempts);
      this.#settle(task, { ok: false, error });
      return false;
    }
    task.attempts += 1;
    this.#records.retried();
    const { id, name, attempts: attempt } = task;
    this.#pool.emit('retry', { id, name, attempt, pid: ending.pid });
    return true;
  }

  // What the lifecycle asks for

  make(place: number): WorkerHandle {
    const worker = this.#pool.makeWorker(place, this);
    worker.setReferenced(this.#keepAlive.isOn);
    return worker;
  }

  demand(): number {
    let starting = 0;
    for (const worker of this.lifecycle.all()) if (worker.state === 'starting') starting += 1;
    const waiting = Math.max(0, this.#queue.sizeUnbound - starting);
    return waiting === 0 && this.#readiness.length > 0 && starting === 0 ? 1 : waiting;
  }

  get hasWork(): boolean {
    return this.#queue.size > 0;
  }

  placesInDemand(): Iterable<number> {
    return this.#queue.placesInDemand();
  }

  broke(deaths: number, cause: unknown): void {
    const error = poolBroken(this.#settings.module, deaths, cause);
    for (const { reject } of this.#readiness.splice(0)) reject(error);
    this.#announcements.rejectAll(error);
    this.#rejectQueued(error);
  }

  retire(worker: WorkerHandle): void {
    this.#takeBackFrom(worker);
    worker.end();
    this.#feedAll();
  }

  #rejectQueued(error: Error): void {
    for (const task of this.#queue.all()) {
      this.#queue.remove(task);
      this.#settle(task, { ok: false, error });
    }
    this.#emitDrain();
    this.#checkIdle();
  }

  // The pool as a whole

  /** Settles when the number of workers is within the new limits. */
  async resize(limits: WorkerLimits): Promise<void> {
    this.#queue.changePlaces(limits.max);
    this.lifecycle.resize(limits);
    await this.#keepAlive.during<unknown>((resolve, reject) => {
      const ready = limits.min > 0 ? this.ready() : undefined;
      Promise.all([this.lifecycle.settled(), ready]).then(resolve, reject);
    });
  }

  /** Settles when as many workers as there always are, at least one, are ready. */
  ready(): Promise<void> {
    return this.#keepAlive.during((resolve, reject) => {
      this.#readiness.push({ resolve, reject });
      this.lifecycle.revive();
      this.lifecycle.fill();
      this.#checkReadiness();
    });
  }

  #checkReadiness(): void {
    if (this.#readiness.length === 0) return;
    const serving = [...this.lifecycle.serving()].length;
    if (serving < Math.max(1, this.lifecycle.limits.min)) return;
    for (const { resolve } of this.#readiness.splice(0)) resolve();
    this.#checkIdle();
  }

  /** Settles when no task waits or runs. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
      this.#checkIdle();
    });
  }

  get #isIdle(): boolean {
    return this.#queue.size === 0 && this.#inFlight === 0;
  }

  #checkIdle(): void {
    if (!this.#isIdle) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
    this.#keepAlive.turnOffSoon();
  }

  /** Waits until every worker has ended by itself. */
  async end(): Promise<void> {
    this.#keepAlive.turnOn();
    for (const { reject } of this.#readiness.splice(0)) reject(poolClosed('ready'));
    this.lifecycle.endAll(false);
    await this.lifecycle.gone();
  }

  /** Rejects everything, and ends every worker at once. */
  async destroy(operation: string, reason: Error | undefined): Promise<void> {
    this.#keepAlive.turnOn();
    const error = poolClosed(operation, reason);
    this.#destroyed ??= error;
    this.#announcements.rejectAll(error);
    this.lifecycle.close();
    this.#rejectQueued(error);
    for (const worker of this.lifecycle.all()) {
      for (const task of worker.tasks()) {
        this.#settle(task, { ok: false, error });
      }
    }
    for (const { reject } of this.#readiness.splice(0)) reject(error);
    this.lifecycle.endAll(true);
    await this.lifecycle.gone();
  }
}

/** A timer up to a point of `performance.now()`, however far away it is. */
function setTimer(
  deadline: number,
  keep: (timer: NodeJS.Timeout) => void,
  expired: () => void,
): NodeJS.Timeout {
  const check = (): void => {
    if (performance.now() >= deadline - 0.5) expired();
    else keep(setTimer(deadline, keep, expired));
  };
  const rest = Math.ceil(deadline - performance.now());
  return setTimeout(check, Math.max(0, Math.min(rest, longestTimer))).unref();
}

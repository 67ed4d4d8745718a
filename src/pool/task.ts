/** One call of a function in a worker, from `run()` until it is settled. */
import { copyParts, type Part } from './large-values.js';
import type { Frame } from './protocol.js';

export type TaskPhase = 'queued' | 'dispatched' | 'settled';

/** Whoever waits for the task. */
export interface Caller {
  /** The one answer of a task, or what ends a stream. */
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** A value of a stream; `grant` lets the worker send so many more. */
  item?(value: unknown, grant: (items: number) => void): void;
  progress?(value: unknown): void;
  /** The task does not count against `maxQueue`. */
  readonly unbounded?: boolean;
}

/** What is known about the calls of one function. */
export interface Experience {
  readonly name: string;
  /** Mean run time in milliseconds, Infinity before the first answer. */
  mean: number;
}

/** What a task needs besides the function and its arguments. */
export interface TaskDemands {
  readonly priority: number;
  readonly key: string | undefined;
  /** The worker place that its key stands for, -1 without a key. */
  readonly place: number;
  readonly timeout: number;
  readonly queueTimeout: number;
  readonly retries: number;
  readonly signal: AbortSignal | undefined;
}

/** What of a task travels: a frame with what the codec made of the arguments. */
export interface TaskCargo extends Frame {
  /** `ToWorker.task` or one of its like. */
  readonly kind: number;
  readonly flags: number;
  /** Large arguments, which lie in a segment while the task is with a worker. */
  readonly parts: readonly Part[];
}

/** The cargo lies in the task itself: of thousands that wait, each object costs the collector. */
export class Task implements TaskCargo {
  readonly id: number;
  readonly experience: Experience;
  readonly memory: Buffer;
  readonly start: number;
  readonly end: number;
  readonly kind: number;
  readonly flags: number;
  parts: readonly Part[];
  readonly demands: TaskDemands;
  readonly caller: Caller;
  /** When it was queued, in milliseconds of `performance.now()`. */
  readonly queuedAt: number;
  phase: TaskPhase = 'queued';
  /** The worker place that its key stands for, -1 without a key. */
  place: number;
  /** How often it was started, the present run included. */
  attempts = 1;
  /** What it adds to the load of its worker. */
  estimate = 0;
  /** The segment with its large arguments, 0 for none. */
  segment = 0;
  /** The large arguments are the caller's, who may change them once the call has returned. */
  borrows: boolean;
  /** How often it waited for room in /dev/shm. */
  spaceWaits = 0;
  /** A stream gave an item: it is never run again. */
  gaveItems = false;
  timer: NodeJS.Timeout | undefined;
  // Its place in a line of the queue.
  before: Task | undefined;
  after: Task | undefined;

  constructor(
    id: number,
    experience: Experience,
    cargo: TaskCargo,
    demands: TaskDemands,
    caller: Caller,
    queuedAt: number,
  ) {
    this.id = id;
    this.experience = experience;
    this.memory = cargo.memory;
    this.start = cargo.start;
    this.end = cargo.end;
    this.kind = cargo.kind;
    this.flags = cargo.flags;
    this.parts = cargo.parts;
    this.demands = demands;
    this.caller = caller;
    this.queuedAt = queuedAt;
    this.place = demands.place;
    this.borrows = cargo.parts.length > 0;
  }

  /** Copies the large arguments: from now on nothing that the caller does is seen. */
  keepParts(): void {
    if (!this.borrows) return;
    this.borrows = false;
    this.parts = copyParts(this.parts);
  }

  get name(): string {
    return this.experience.name;
  }
}

/**
 * Which task goes next, and how many go ahead to one worker. Pure: no processes, no clock, no I/O.
 *
 * Tasks wait in lines, one per priority, first in, first out; tasks with a key wait in lines of
 * their own, for the one worker place that the key stands for:
 *
 *      anywhere:   priority  5 | t7 t9
 *                            0 | t1 t2 t3 ...
 *      place 0:    priority  0 | t4 (key 'a')
 *      place 1:    priority  9 | t8 (key 'b')
 */
import { ToWorker } from './protocol.js';
import type { Task } from './task.js';

/** Tasks of one priority, linked in the tasks themselves: leaving from the middle costs nothing. */
class Line {
  readonly priority: number;
  #first: Task | undefined;
  #last: Task | undefined;

  constructor(priority: number) {
    this.priority = priority;
  }

  get first(): Task | undefined {
    return this.#first;
  }

  append(task: Task): void {
    task.before = this.#last;
    task.after = undefined;
    if (this.#last) this.#last.after = task;
    else this.#first = task;
    this.#last = task;
  }

  prepend(task: Task): void {
    task.before = undefined;
    task.after = this.#first;
    if (this.#first) this.#first.before = task;
    else this.#last = task;
    this.#first = task;
  }

  remove(task: Task): void {
    if (task.before) task.before.after = task.after;
    else this.#first = task.after;
    if (task.after) task.after.before = task.before;
    else this.#last = task.before;
    task.before = undefined;
    task.after = undefined;
  }
}

/** The lines of all priorities that are in use, the highest first. */
class Lines {
  readonly #lines: Line[] = [];

  of(priority: number): Line {
    let low = 0;
    let high = this.#lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const line = this.#lines[middle] as Line;
      if (line.priority === priority) return line;
      if (line.priority > priority) low = middle + 1;
      else high = middle;
    }
    const line = new Line(priority);
    this.#lines.splice(low, 0, line);
    return line;
  }

  remove(task: Task): void {
    const line = this.of(task.demands.priority);
    line.remove(task);
    // Priorities may be deadlines: one line for each that was ever used would be too many.
    if (line.first === undefined && line.priority !== 0)
      this.#lines.splice(this.#lines.indexOf(line), 1);
  }

  get first(): Task | undefined {
    for (const line of this.#lines) {
      if (line.first) return line.first;
    }
    return undefined;
  }

  *tasks(): Iterable<Task> {
    for (const line of this.#lines) {
      for (let task = line.first; task; task = task.after) yield task;
    }
  }
}

/** The tasks that wait for a worker. */
export class TaskQueue {
  readonly #anywhere = new Lines();
  readonly #byPlace = new Map<number, Lines>();
  #size = 0;
  /** Tasks with a key. */
  #bound = 0;

  get size(): number {
    return this.#size;
  }

  /** Tasks that any worker may take. */
  get sizeUnbound(): number {
    return this.#size - this.#bound;
  }

  push(task: Task): void {
    this.#lineOf(task).append(task);
    this.#count(task, 1);
  }

  /** Tasks that come back from a worker go to the front, in the order they had. */
  pushFront(tasks: readonly Task[]): void {
    const oldestLast = [...tasks].sort((a, b) => b.id - a.id);
    for (const task of oldestLast) {
      this.#lineOf(task).prepend(task);
      this.#count(task, 1);
    }
  }

  remove(task: Task): void {
    this.#linesOf(task).remove(task);
    this.#count(task, -1);
  }

  #count(task: Task, change: 1 | -1): void {
    this.#size += change;
    if (task.place >= 0) this.#bound += change;
  }

  /** The task that the worker at this place would take next; it stays in the queue. */
  firstFor(place: number): Task | undefined {
    const shared = this.#anywhere.first;
    const own = this.#byPlace.size > 0 ? this.#byPlace.get(place)?.first : undefined;
    if (!own || !shared) return own ?? shared;
    const rank = own.demands.priority - shared.demands.priority || shared.id - own.id;
    return rank > 0 ? own : shared;
  }

  /** Places for whose worker tasks with a key wait. */
  *placesInDemand(): Iterable<number> {
    for (const [place, lines] of this.#byPlace) {
      if (lines.first) yield place;
    }
  }

  /** There are more or fewer places now: some keys stand for others. */
  changePlaces(places: number): void {
    const moving = this.all().filter((task) => task.place >= 0);
    for (const task of moving) this.remove(task);
    for (const task of moving.sort((a, b) => a.id - b.id)) {
      task.place = placeOfKey(task.demands.key ?? '', places);
      this.push(task);
    }
  }

  /** All tasks that wait. */
  all(): Task[] {
    return [this.#anywhere, ...this.#byPlace.values()].flatMap((lines) => [...lines.tasks()]);
  }

  #linesOf({ place }: Task): Lines {
    if (place < 0) return this.#anywhere;
    let lines = this.#byPlace.get(place);
    if (!lines) this.#byPlace.set(place, (lines = new Lines()));
    return lines;
  }

  #lineOf(task: Task): Line {
    return this.#linesOf(task).of(task.demands.priority);
  }
}

/** What is on its way to a worker or runs there. */
export interface Load {
  /** Number of tasks. */
  readonly inFlight: number;
  /** Sum of their estimated run times in milliseconds. */
  readonly estimated: number;
  /** It has not answered for a while: nothing more is sent ahead. */
  readonly stalled: boolean;
}

/** Work that is sent ahead keeps a worker busy for so long: about ten times a wake. */
const aheadMilliseconds = 1;
const mostAhead = 256;
/** A task takes some time to travel, however short it runs. */
const leastEstimate = 0.004;

/** What the task adds to the load of a worker, in milliseconds. Infinity keeps others from queueing up behind it. */
export function estimateOf(task: Task): number {
  return needsFreeWorker(task) ? Infinity : Math.max(task.experience.mean, leastEstimate);
}

/**
 * The time of these is counted from when they are sent, or their arguments lie in a segment whose
 * name has to be short-lived, or nobody knows how long they run. Those with a key start in order,
 * and what was sent ahead and is taken back while its worker goes on may not.
 */
function needsFreeWorker({ kind, parts, demands, place }: Task): boolean {
  return demands.timeout !== Infinity || place >= 0 || parts.length > 0 || kind === ToWorker.stream;
}

/**
 * Whether the task may go to a worker: it has a free hand, or what it has is done so soon that a
 * wake would cost more than the waiting. Unknown and slow functions are never sent ahead.
 */
export function hasRoom(load: Load, concurrency: number, task: Task): boolean {
  if (load.inFlight < concurrency) return true;
  if (load.stalled || load.inFlight >= concurrency + mostAhead) return false;
  return load.estimated + estimateOf(task) <= aheadMilliseconds;
}

/** Weight of the newest run in the mean. */
const newest = 0.1;

export function learn(mean: number, runMilliseconds: number): number {
  return mean === Infinity ? runMilliseconds : mean + newest * (runMilliseconds - mean);
}

/**
 * The worker place that a key stands for, by rendezvous hashing: when the number of places changes,
 * few keys move.
 */
export function placeOfKey(key: string, places: number): number {
  let best = 0;
  let highest = -1;
  for (let place = 0; place < places; place++) {
    const weight = hash(`${place}:${key}`);
    if (weight > highest) {
      highest = weight;
      best = place;
    }
  }
  return best;
}

/** FNV-1a, with the final mix of MurmurHash3, since FNV alone spreads short keys badly. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** What the waits of one handle share: wakes, the look around at fixed intervals, and keeping the process alive. */
import { environment, expectWakes, forgetWakes, type Wakeable } from './lifecycle.js';

/** A line of waits, as the handle needs it. */
interface Line {
  /** Whether somebody waits in it who should learn of a death soon. */
  readonly urgent: boolean;
  serve(): void;
  lookAgain(): void;
  rejectAll(reason: (operation: string) => Error): void;
}

/** All waits of one handle: woken together, looked after together, and kept alive together. */
export class HandleWaits implements Wakeable {
  readonly #id: number;
  readonly #rechecks: Rechecks;
  readonly #lookAround: () => void;
  readonly #lines: Line[] = [];
  #active = 0;
  #enrolled = false;
  #referenced = true;

  /**
   * `lookAround` repairs what dead participants left; it runs before each fixed attempt, which is
   * made every `recheckEvery` milliseconds while an urgent line has waiters, else less often.
   */
  constructor(id: number, recheckEvery: 10 | 20, lookAround: () => void) {
    this.#id = id;
    this.#rechecks = rechecksEvery(recheckEvery);
    this.#lookAround = lookAround;
  }

  add(line: Line): void {
    this.#lines.push(line);
  }

  /** A line has waiters now. */
  activate(): void {
    if (this.#active++ === 0) {
      if (!this.#enrolled) {
        this.#enrolled = true;
        expectWakes(this.#id, this);
        this.#rechecks.add(this);
      }
      if (this.#referenced) holdLoop(1);
    }
    if (this.urgent) this.#rechecks.hurry();
  }

  /** A line has none any more. Where wakes go to stays until the next tick: waits often follow each other. */
  deactivate(): void {
    if (--this.#active === 0 && this.#referenced) holdLoop(-1);
  }

  wake(): void {
    for (const line of this.#lines) line.serve();
  }

  get idle(): boolean {
    return this.#active === 0;
  }

  get urgent(): boolean {
    for (const line of this.#lines) if (line.urgent) return true;
    return false;
  }

  /** Nobody waits any more. */
  strikeOff(): void {
    this.#enrolled = false;
    forgetWakes(this.#id);
  }

  recheck(): void {
    this.#lookAround();
    for (const line of this.#lines) line.lookAgain();
  }

  rejectAll(reason: (operation: string) => Error): void {
    for (const line of this.#lines) line.rejectAll(reason);
  }

  get referenced(): boolean {
    return this.#referenced;
  }

  /** Whether pending waits keep the process alive. */
  setReferenced(referenced: boolean): void {
    if (this.#referenced === referenced) return;
    this.#referenced = referenced;
    if (this.#active > 0) holdLoop(referenced ? 1 : -1);
  }
}

let loopHolders = 0;

/** The process stays alive while at least one handle with pending waits wants it to. */
function holdLoop(change: 1 | -1): void {
  const before = loopHolders;
  loopHolders += change;
  if ((before === 0) !== (loopHolders === 0)) environment().keepAlive(loopHolders > 0);
}

/** Ticks between two rounds of those that are in no hurry. */
const calmTicks = 5;
/** So many of these have their turn in a round: looking at hundreds would cost more than waiting. */
const fewestInRound = 32;
/** Where there are still more of them, each has its turn within so many rounds. */
const mostRounds = 8;

/** Handles that are attempted again, whatever wakes come: the urgent ones at each tick, the others in turns. */
class Rechecks {
  readonly #interval: number;
  /** Who has waited longest for its turn comes first. */
  readonly #handles = new Set<HandleWaits>();
  #timer: NodeJS.Timeout | undefined;
  /** Every tick is awaited; otherwise only those with a round. */
  #hurrying = false;
  #ticks = 0;
  #calmSince = 0;

  constructor(interval: number) {
    this.#interval = interval;
  }

  add(handle: HandleWaits): void {
    this.#handles.add(handle);
    if (!this.#timer) this.#start(false);
  }

  /** A handle among them has become urgent. */
  hurry(): void {
    if (!this.#hurrying) this.#start(true);
  }

  #start(hurrying: boolean): void {
    clearInterval(this.#timer);
    this.#hurrying = hurrying;
    this.#calmSince = this.#ticks;
    const pause = hurrying ? this.#interval : this.#interval * calmTicks;
    this.#timer = setInterval(() => this.#tick(), pause).unref();
  }

  #tick(): void {
    this.#ticks++;
    const isRound = !this.#hurrying || this.#ticks % calmTicks === 0;
    if (this.#recheck(isRound)) this.#calmSince = this.#ticks;
    if (this.#handles.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#hurrying = false;
    } else if (this.#hurrying && this.#ticks - this.#calmSince >= calmTicks) {
      this.#start(false);
    }
  }

  /** Whether there was an urgent one. */
  #recheck(isRound: boolean): boolean {
    const { size } = this.#handles;
    let turns = isRound ? Math.max(fewestInRound, Math.ceil(size / mostRounds)) : 0;
    let anyUrgent = false;
    let left = size;
    for (const handle of this.#handles) {
      // From here on they have had their turn; without hurry, none of the rest is urgent.
      if (left-- === 0 || (turns === 0 && !this.#hurrying)) break;
      if (handle.idle) {
        this.#handles.delete(handle);
        handle.strikeOff();
      } else if (handle.urgent) {
        anyUrgent = true;
        handle.recheck();
      } else if (turns > 0) {
        turns--;
        this.#handles.delete(handle);
        this.#handles.add(handle);
        handle.recheck();
      }
    }
    return anyUrgent;
  }
}

const rechecksByInterval = new Map<number, Rechecks>();

function rechecksEvery(interval: number): Rechecks {
  let rechecks = rechecksByInterval.get(interval);
  if (!rechecks) rechecksByInterval.set(interval, (rechecks = new Rechecks(interval)));
  return rechecks;
}

/** What the waits of one handle share: wakes, the look around at fixed intervals, and keeping the process alive. */
import { environment, expectWakes, forgetWakes, type Wakeable } from './lifecycle.js';

/** A line of waits, as the handle needs it. */
interface Line {
  /** Whether somebody waits in it who should learn of a death soon. */
  readonly urgent: boolean;
  serve(): void;
  rejectAll(reason: (operation: string) => Error): void;
}

const calmTicks = 5;

/** All waits of one handle: woken together, looked after together, and kept alive together. */
export class HandleWaits implements Wakeable {
  readonly #id: number;
  readonly #rechecks: Rechecks;
  readonly #lookAround: () => void;
  readonly #lines: Line[] = [];
  #active = 0;
  #skipped = 0;
  #enrolled = false;
  #referenced = true;

  /**
   * `lookAround` repairs what dead participants left; it runs before each fixed attempt, which is
   * made every `recheckEvery` milliseconds while an urgent line has waiters, else every fifth time.
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
    if (this.#active++ > 0) return;
    if (!this.#enrolled) {
      this.#enrolled = true;
      expectWakes(this.#id, this);
      this.#rechecks.add(this);
    }
    if (this.#referenced) holdLoop(1);
  }

  /** A line has none any more. Where wakes go to stays until the next tick: waits often follow each other. */
  deactivate(): void {
    if (--this.#active === 0 && this.#referenced) holdLoop(-1);
  }

  wake(): void {
    for (const line of this.#lines) line.serve();
  }

  /** False: nobody waits any more, and the handle is struck off. */
  recheck(): boolean {
    if (this.#active === 0) {
      this.#enrolled = false;
      forgetWakes(this.#id);
      return false;
    }
    if (!this.#lines.some((line) => line.urgent) && ++this.#skipped < calmTicks) return true;
    this.#skipped = 0;
    this.#lookAround();
    this.wake();
    return true;
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

/** Handles that are attempted again at one interval, whatever wakes come. */
class Rechecks {
  readonly #interval: number;
  readonly #handles = new Set<HandleWaits>();
  #timer: NodeJS.Timeout | undefined;

  constructor(interval: number) {
    this.#interval = interval;
  }

  add(handle: HandleWaits): void {
    this.#handles.add(handle);
    this.#timer ??= setInterval(() => this.#tick(), this.#interval).unref();
  }

  #tick(): void {
    for (const handle of this.#handles) {
      if (!handle.recheck()) this.#handles.delete(handle);
    }
    if (this.#handles.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const rechecksByInterval = new Map<number, Rechecks>();

function rechecksEvery(interval: number): Rechecks {
  let rechecks = rechecksByInterval.get(interval);
  if (!rechecks) rechecksByInterval.set(interval, (rechecks = new Rechecks(interval)));
  return rechecks;
}

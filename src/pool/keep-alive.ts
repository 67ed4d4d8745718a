/** Whether a pool keeps its program alive: while it has something to do, and idle workers do not. */

/** How long an idle pool keeps the process, so that a pause between two tasks costs nothing. */
const idleMilliseconds = 5;

export class KeepAlive {
  readonly #isIdle: () => boolean;
  readonly #apply: (on: boolean) => void;
  #on = true;
  /** Promises about the pool as a whole that are not settled. */
  #held = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `apply` lets the workers keep the process alive, or not. */
  constructor(isIdle: () => boolean, apply: (on: boolean) => void) {
    this.#isIdle = isIdle;
    this.#apply = apply;
  }

  get isOn(): boolean {
    return this.#on;
  }

  turnOn(): void {
    if (this.#on) return;
    this.#on = true;
    this.#apply(true);
  }

  /** The pool has become idle: after a moment it keeps nothing alive, unless it is busy again. */
  turnOffSoon(): void {
    if (!this.#on || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#held > 0 || !this.#isIdle()) return;
      this.#on = false;
      this.#apply(false);
    }, idleMilliseconds).unref();
  }

  /** A promise that keeps the process alive until it is settled. */
  async during<R>(
    act: (resolve: (value: R) => void, reject: (error: unknown) => void) => void,
  ): Promise<R> {
    this.#held += 1;
    this.turnOn();
    try {
      return await new Promise<R>(act);
    } finally {
      this.#held -= 1;
      this.turnOffSoon();
    }
  }
}

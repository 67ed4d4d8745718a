/** One acquisition of a lock, released at the end of a block. */

/** How a lock is released. */
export interface ReleaseOptions {
  /**
   * Whether the data that the lock protects is in order. Default true. False: the next owner gets
   * `LockRecovered` again.
   */
  recovered?: boolean | undefined;
}

/**
 * A lock that is held. Released at the end of the block with `using`, or by `release()`.
 *
 * @example
 * using guard = await lock.acquire();
 * write(data, guard.generation);
 */
export interface LockGuard extends Disposable {
  /** Number of this acquisition, growing: a fencing token. */
  readonly generation: bigint;
  /** Releases the lock. Throws `ERR_ZOO_NOT_OWNER` when it was released already. */
  release(options?: ReleaseOptions): void;
  /** Releases the lock, unless it was released already. */
  [Symbol.dispose](): void;
}

/** What a guard needs of its lock. */
export interface GuardedLock {
  /** Whether the lock is still held by the acquisition of this number. */
  holds(generation: bigint): boolean;
  release(options: ReleaseOptions | undefined): void;
  /** The error for releasing what is not held. */
  notHeld(): Error;
}

export class Guard implements LockGuard {
  readonly generation: bigint;
  readonly #lock: GuardedLock;

  constructor(lock: GuardedLock, generation: bigint) {
    this.#lock = lock;
    this.generation = generation;
  }

  release(options?: ReleaseOptions): void {
    if (!this.#lock.holds(this.generation)) throw this.#lock.notHeld();
    this.#lock.release(options);
  }

  [Symbol.dispose](): void {
    if (this.#lock.holds(this.generation)) this.#lock.release(undefined);
  }
}

import { inspect } from 'node:util';
import { LockRecovered, ZooError, invalidArgumentType } from '../errors.js';
import { HandleWaits } from '../handle-waits.js';
import { environment } from '../lifecycle.js';
import { Status, type NativeLock, type NativeLockOptions } from '../native.js';
import {
  checkOptions,
  parseBoolean,
  parseLabel,
  parseMode,
  parseName,
  parseSyncWait,
  parseWait,
  type SyncWaitOptions,
  type WaitOptions,
} from '../options.js';
import { closedError, statusError, timeoutError, translated, type Subject } from '../status.js';
import { WaitingLine, notYet, repeatUntil, type WaitSource } from '../wait.js';
import { Guard, type GuardedLock, type LockGuard, type ReleaseOptions } from './guard.js';

export interface LockOptions {
  /**
   * Permissions of the file under `/dev/shm`. Default `0o600`. When said, what is there may not be
   * wider (`ERR_ZOO_INCOMPATIBLE`). A lock that another user, other than root, has made is refused
   * (`ERR_ZOO_ACCESS`), unless the mode that is said lets others in.
   */
  mode?: number | undefined;
  /** Up to 31 bytes that `owner` shows to others beside the process id. */
  label?: string | undefined;
}

/** Who holds a lock. */
export interface LockOwner {
  readonly pid: number;
  readonly label: string;
  /** When it was acquired, in milliseconds since 1970. */
  readonly since: number;
}

/** Repairs the data after the death of an owner. */
type Recover = (info: LockRecovered) => void | Promise<void>;

/** The status of an acquisition whose previous owner died with the lock. */
const acquiredFromTheDead = 1;

/**
 * A lock between threads and processes. When its owner dies, the next one gets it, and is told:
 * `acquire`, `acquireSync` and `tryAcquire` then throw `LockRecovered`, **and the lock is held**.
 *
 * @example
 * const lock = new ZooLock('app_index');
 * await lock.withLock(() => updateIndex(), { recover: () => rebuildIndex() });
 */
export class ZooLock implements Disposable, AsyncDisposable {
  readonly #native: NativeLock;
  readonly #subject: Subject;
  readonly #waits: HandleWaits;
  readonly #line: WaitingLine;
  readonly #source: WaitSource;
  readonly #guarded: GuardedLock;
  #held = false;
  #closed = false;
  #generation = 0n;

  /**
   * Opens the lock of this name, or creates it when there is none.
   *
   * @throws ZooError `ERR_ZOO_KIND`, `ERR_ZOO_CORRUPT`, `ERR_ZOO_INCOMPATIBLE`, `ERR_ZOO_NO_SPACE`,
   *   `ERR_ZOO_FULL`, `ERR_ZOO_ACCESS`, `ERR_ZOO_PLATFORM`; `TypeError` or `RangeError` for a wrong argument
   */
  constructor(name: string, options?: LockOptions) {
    const bare = parseName(name);
    const native = translated(bare, () => environment().openLock(bare, parseLockOptions(options)));
    this.#native = native;
    this.#subject = { kind: 'lock', name: bare, native };
    this.#source = new LockSource(this.#subject, native);
    // A dead owner rings nobody, so waits look for themselves, and often.
    this.#waits = new HandleWaits(native.id, 10, () => undefined);
    this.#line = new WaitingLine(this.#waits, this.#source, true);
    this.#guarded = {
      holds: (generation) => this.#held && this.#generation === generation,
      release: (release) => this.release(release),
      notHeld: () => statusError(Status.notOwner, this.#subject, 'release'),
    };
  }

  /**
   * Removes the name. Who has the lock open goes on with it.
   *
   * @returns false when there was none
   * @throws ZooError `ERR_ZOO_KIND`, `ERR_ZOO_CORRUPT` (the file is not ours), `ERR_ZOO_ACCESS`
   */
  static unlink(name: string): boolean {
    const bare = parseName(name);
    return translated(bare, () => environment().unlinkLock(bare));
  }

  /** The name, without a leading slash. */
  get name(): string {
    return this.#subject.name;
  }

  /** Whether this handle was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether this handle holds the lock. */
  get held(): boolean {
    return this.#held;
  }

  /** Number of this handle's last acquisition, 0 before the first. It grows with each acquisition by anybody. */
  get generation(): bigint {
    return this.#generation;
  }

  /** Who holds the lock now; undefined when nobody does. */
  get owner(): LockOwner | undefined {
    if (this.#closed) throw closedError(this.#subject, 'owner');
    return translated(this.name, () => this.#native.owner());
  }

  /**
   * Acquires the lock; waits until it is free. Waits of one handle are served in order; the
   * second one then finds the lock held by its own handle, which is `ERR_ZOO_DEADLOCK`.
   *
   * Cancel safety: a wait that is given up does not hold the lock.
   *
   * @throws LockRecovered the previous owner died with it; **the lock is held**
   * @throws ZooError `ERR_ZOO_TIMEOUT`, `ERR_ZOO_DEADLOCK`, `ERR_ZOO_CLOSED`, `ERR_ZOO_GONE`; `AbortError`
   * @example
   * using guard = await lock.acquire({ timeout: 1000 });
   */
  acquire(wait?: WaitOptions): Promise<LockGuard> {
    try {
      const parsed = parseWait(wait);
      return this.#line.wait(
        { attempt: () => this.#attempt('acquire'), operation: 'acquire' },
        parsed,
      );
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Acquires the lock; blocks the thread until it is free. Errors as `acquire`. */
  acquireSync(wait?: SyncWaitOptions): LockGuard {
    const timeout = parseSyncWait(wait);
    const operation = 'acquireSync';
    const guard = this.#attempt(operation);
    if (guard !== notYet) return guard;
    // The addon acquires inside its wait, as soon as the lock is free.
    return repeatUntil(
      timeout,
      (milliseconds) => this.#accept(this.#native.acquire(milliseconds), operation),
      () => this.#source.timedOut(operation, timeout, 0),
    );
  }

  /** Acquires the lock if it is free now; undefined when somebody else has it. Errors as `acquire`. */
  tryAcquire(): LockGuard | undefined {
    const guard = this.#attempt('tryAcquire');
    return guard === notYet ? undefined : guard;
  }

  #attempt(operation: string): LockGuard | typeof notYet {
    return this.#accept(this.#native.tryAcquire(), operation);
  }

  #accept(status: number, operation: string): LockGuard | typeof notYet {
    if (status === Status.wouldBlock) return notYet;
    if (status < 0) throw statusError(status, this.#subject, operation);
    const { scratch } = environment();
    this.#held = true;
    this.#generation = BigInt(scratch[0] as number);
    if (status === acquiredFromTheDead) {
      throw new LockRecovered(scratch[1] as number, this.#generation, this.name);
    }
    return new Guard(this.#guarded, this.#generation);
  }

  /**
   * Releases the lock.
   *
   * @param options `recovered: false` says that the data is not in order: the next owner gets
   *   `LockRecovered`
   * @throws ZooError `ERR_ZOO_NOT_OWNER` when this handle does not hold it
   */
  release(options?: ReleaseOptions): void {
    let recovered = true;
    if (options !== undefined) {
      const given = checkOptions<ReleaseOptions>('options', options, ['recovered']).recovered;
      recovered = parseBoolean('recovered', given) ?? true;
    }
    const status = this.#native.release(recovered);
    if (status === Status.ok || status === Status.corrupt) this.#held = false;
    if (status < 0) throw statusError(status, this.#subject, 'release');
  }

  /**
   * Runs a function while holding the lock, and releases it afterwards, also when the function
   * throws. After the death of an owner, `recover` runs first; without it, or when it throws, the
   * lock is released with `recovered: false`, and the error is thrown.
   *
   * @throws LockRecovered without `recover`; the lock is not held then
   * @throws ZooError as `acquire`
   */
  async withLock<R>(
    fn: (lock: this) => R | Promise<R>,
    options?: WaitOptions & { recover?: Recover | undefined },
  ): Promise<R> {
    const known = ['timeout', 'signal', 'recover'];
    const { recover, ...wait } = checkOptions<WaitOptions & { recover: Recover }>(
      'options',
      options,
      known,
    );
    if (typeof fn !== 'function') throw invalidArgumentType('fn', 'a function', fn);
    if (recover !== undefined && typeof recover !== 'function') {
      throw invalidArgumentType('recover', 'a function', recover);
    }
    const generation = await this.#acquireRepaired(recover, wait);
    try {
      return await fn(this);
    } finally {
      if (this.#guarded.holds(generation)) this.release();
    }
  }

  async #acquireRepaired(recover: Recover | undefined, wait: WaitOptions): Promise<bigint> {
    try {
      return (await this.acquire(wait)).generation;
    } catch (error) {
      if (!(error instanceof LockRecovered)) throw error;
      await this.#repair(error, recover);
      return error.generation;
    }
  }

  async #repair(info: LockRecovered, recover: Recover | undefined): Promise<void> {
    try {
      if (recover === undefined) throw info;
      await recover(info);
    } catch (error) {
      if (this.#guarded.holds(info.generation)) this.release({ recovered: false });
      throw error;
    }
  }

  /**
   * Lets go of this handle. The name stays. Pending waits reject with `ERR_ZOO_CLOSED`. A second
   * time does nothing.
   *
   * @throws ZooError `ERR_ZOO_HELD` while this handle holds the lock; nothing is closed then
   */
  close(): void {
    if (this.#closed) return;
    if (this.#held) {
      throw new ZooError(
        'ERR_ZOO_HELD',
        `close: this handle holds lock '${this.name}'; release it first`,
        { segment: this.name },
      );
    }
    this.#closed = true;
    this.#waits.rejectAll((operation) => closedError(this.#subject, operation));
    this.#native.close();
  }

  /** Removes the name, if it still leads to this lock; works after `close()`. False when it does not. */
  unlink(): boolean {
    return translated(this.name, () => this.#native.unlink());
  }

  /** Pending waits keep the process alive, which is the default. */
  ref(): this {
    this.#waits.setReferenced(true);
    return this;
  }

  /** Pending waits do not keep the process alive. */
  unref(): this {
    this.#waits.setReferenced(false);
    return this;
  }

  /** Whether pending waits keep the process alive. */
  hasRef(): boolean {
    return this.#waits.referenced;
  }

  /**
   * Closes, and unlinks when this handle made the lock. A lock that is still held is released with
   * `recovered: false` first, since the block was left in an unknown state.
   */
  [Symbol.dispose](): void {
    if (this.#held) this.release({ recovered: false });
    this.close();
    if (this.#native.created) this.unlink();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => {
      this[Symbol.dispose]();
      resolve();
    });
  }

  [inspect.custom](): string {
    const { name, held, generation, closed } = this;
    return `ZooLock ${inspect({ name, held, generation, closed }, { breakLength: Infinity })}`;
  }
}

function parseLockOptions(options: unknown): NativeLockOptions {
  const given = checkOptions<LockOptions>('options', options, ['mode', 'label']);
  const native: NativeLockOptions = {};
  const mode = parseMode(given.mode);
  const label = parseLabel(given.label);
  if (mode !== undefined) native.mode = mode;
  if (label !== undefined) native.label = label;
  return native;
}

/** What a wait for a lock sleeps on. */
class LockSource implements WaitSource {
  readonly #subject: Subject;
  readonly #native: NativeLock;

  constructor(subject: Subject, native: NativeLock) {
    this.#subject = subject;
    this.#native = native;
  }

  arm(): number {
    return translated(this.#subject.name, () => this.#native.arm());
  }

  disarm(): void {
    this.#native.disarm();
  }

  failure(status: number, operation: string): Error {
    return statusError(status, this.#subject, operation);
  }

  timedOut(operation: string, milliseconds: number): Error {
    const owner = this.#native.owner();
    const reason = owner
      ? `process ${owner.pid} holds it${owner.label && ` (${owner.label})`}`
      : 'others got it';
    return timeoutError(this.#subject, operation, milliseconds, reason);
  }
}

import { inspect } from 'node:util';
import { environment } from '../lifecycle.js';
import type { NativeMemory, NativeMemoryOptions } from '../native.js';
import { checkOptions, parseBoolean, parseBytes, parseMode, parseName } from '../options.js';
import { translated } from '../status.js';

/** What the creator of a block of memory chooses. */
export interface MemoryOptions {
  /** Permissions of the file under `/dev/shm`. Default `0o600`. */
  mode?: number | undefined;
  /** Sets the memory aside at once, so that a full `/dev/shm` is an error now. Default true. */
  reserve?: boolean | undefined;
  /** Keeps the name when this process ends. Default false. */
  persist?: boolean | undefined;
}

/**
 * A block of shared memory: bytes that several threads and processes see, with nothing in between.
 * Use `Atomics` on it, or a `ZooLock`, where they change it together.
 *
 * @example
 * using memory = ZooMemory.create('app_table', '1MiB');
 * const counters = new BigInt64Array(memory.buffer);
 * Atomics.add(counters, 0, 1n);
 */
export class ZooMemory implements Disposable, AsyncDisposable {
  readonly #name: string;
  readonly #native: NativeMemory;
  #buffer: ArrayBuffer;
  readonly #unlinkWhenDisposed: boolean;
  #closed = false;

  private constructor(name: string, options: NativeMemoryOptions) {
    this.#name = parseName(name);
    this.#native = translated(this.#name, () => environment().openMemory(this.#name, options));
    this.#buffer = this.#native.memory;
    this.#unlinkWhenDisposed = this.#native.created && options.persist !== true;
  }

  /**
   * Makes a block of `bytes` bytes (a number, or a string like `'1MiB'`), all zero.
   *
   * @throws ZooError `ERR_ZOO_EXISTS` when there is one that somebody uses, `ERR_ZOO_NO_SPACE`,
   *   `ERR_ZOO_KIND`, `ERR_ZOO_CORRUPT`, `ERR_ZOO_ACCESS`; `RangeError` for more than Node can map
   */
  static create(name: string, bytes: number | string, options?: MemoryOptions): ZooMemory {
    const given = checkOptions<MemoryOptions>('options', options, ['mode', 'reserve', 'persist']);
    const native: NativeMemoryOptions = { openMode: 'create', bytes: parseBytes('bytes', bytes) };
    const mode = parseMode(given.mode);
    const reserve = parseBoolean('reserve', given.reserve);
    const persist = parseBoolean('persist', given.persist);
    if (mode !== undefined) native.mode = mode;
    if (reserve !== undefined) native.reserve = reserve;
    if (persist !== undefined) native.persist = persist;
    return new ZooMemory(name, native);
  }

  /**
   * Opens a block that somebody made.
   *
   * @throws ZooError `ERR_ZOO_NOT_FOUND`, `ERR_ZOO_KIND`, `ERR_ZOO_CORRUPT`,
   *   `ERR_ZOO_INCOMPATIBLE`, `ERR_ZOO_FULL`, `ERR_ZOO_ACCESS`
   */
  static open(name: string): ZooMemory {
    return new ZooMemory(name, { openMode: 'open' });
  }

  /** Removes the name; who has the block open goes on with it. False when there was none. */
  static unlink(name: string): boolean {
    const bare = parseName(name);
    return translated(bare, () => environment().unlinkMemory(bare));
  }

  /** The name, without a leading slash. */
  get name(): string {
    return this.#name;
  }

  /** The bytes, 64-byte aligned. After `close()`, they and all views of them have length 0. */
  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  /** Bytes of the block; 0 after `close()`. */
  get byteLength(): number {
    return this.#buffer.byteLength;
  }

  /** Whether this handle was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Lets go of this handle: views of the buffer become empty. The name stays. A second time does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#native.close();
  }

  /**
   * Takes the views back from whoever has some: all views of `buffer` so far are empty from now on,
   * in this thread, and `buffer` is a new one on the same bytes. After `close()` nothing happens.
   *
   * @throws ZooError `ERR_ZOO_CORRUPT` when another process has truncated the file: views read zeros
   *   then, and nobody else sees what is written
   */
  renew(): void {
    this.#buffer = translated(this.#name, () => this.#native.renew()) ?? this.#buffer;
  }

  /** Removes the name, if it still leads to this block; works after `close()`. False when it does not. */
  unlink(): boolean {
    return translated(this.#name, () => this.#native.unlink());
  }

  /** Closes; and unlinks when this handle made the block, unless it was made with `persist`. */
  [Symbol.dispose](): void {
    this.close();
    if (this.#unlinkWhenDisposed) this.unlink();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => {
      this[Symbol.dispose]();
      resolve();
    });
  }

  [inspect.custom](): string {
    const { name, byteLength, closed } = this;
    return `ZooMemory ${inspect({ name, byteLength, closed }, { breakLength: Infinity })}`;
  }
}

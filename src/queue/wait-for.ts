/** Waits for a name to appear. */
import { watch, type FSWatcher } from 'node:fs';
import { AbortError, ZooError } from '../errors.js';
import type { Wait } from '../options.js';
import { timeoutError } from '../status.js';

const directory = '/dev/shm';
const recheckEvery = 100;

/**
 * Calls `open` until it finds the name. Changes in the directory are watched; since a watch can
 * miss some, and may not be had at all, the name is also looked up at a fixed interval.
 */
export async function untilMade<H>(
  name: string,
  { timeout, signal }: Wait,
  open: () => H,
  subject: { kind: string; operation: string } = { kind: 'queue', operation: 'waitFor' },
): Promise<H> {
  const deadline = performance.now() + timeout;
  const changes = new DirectoryChanges(name);
  try {
    for (;;) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      const handle = openIfMade(open);
      if (handle !== undefined) return handle;
      const rest = deadline - performance.now();
      if (rest <= 0) {
        const { kind, operation } = subject;
        throw timeoutError({ kind, name }, operation, timeout, 'nobody has made it');
      }
      await changes.next(Math.min(rest, recheckEvery), signal);
    }
  } finally {
    changes.close();
  }
}

function openIfMade<H>(open: () => H): H | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof ZooError && error.code === 'ERR_ZOO_NOT_FOUND') return undefined;
    throw error;
  }
}

class DirectoryChanges {
  readonly #watcher: FSWatcher | undefined;
  #wake: (() => void) | undefined;

  constructor(name: string) {
    try {
      this.#watcher = watch(directory, (_event, file) => {
        if (file === name) this.#wake?.();
      });
      // The fixed interval does without.
      this.#watcher.on('error', () => this.close());
    } catch {
      this.#watcher = undefined;
    }
  }

  /** Resolves at the next change, after `milliseconds`, or when the signal aborts. */
  next(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      signal?.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
    });
  }

  close(): void {
    this.#watcher?.close();
  }
}

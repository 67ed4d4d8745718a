/** What every kind of traffic is given, and how it fails. */

/**
 * @typedef {object} Scope
 * @property {import('../torture/support/random.js').Random} random
 * @property {string} prefix of all names; nobody else uses it
 * @property {'left' | 'right' | 'host'} role
 * @property {(what: string, times?: number) => void} count
 */

/** @typedef {(scope: Scope) => Promise<void>} Traffic */

let named = 0;

/** A name that only this process uses. @param {Scope} scope @param {string} purpose */
export function freshName({ prefix }, purpose) {
  named += 1;
  return `${prefix}-${process.pid}-${purpose}-${named}`;
}

/** @param {boolean} condition @param {string} what */
export function demand(condition, what) {
  if (!condition) throw new Error(`wrong: ${what}`);
}

/**
 * That the call fails with this code, or with an error of this class.
 * @param {string | ErrorConstructor} expected
 * @param {() => unknown} call
 */
export async function refusedWith(expected, call) {
  try {
    await call();
  } catch (error) {
    if (typeof expected === 'string') {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === expected) return;
    } else if (error instanceof expected) {
      return;
    }
    throw error;
  }
  throw new Error(`nothing was refused with ${String(expected)}`);
}

/**
 * Runs `body`, and disposes of the handles afterwards, the last first.
 * @template T
 * @param {(Partial<Disposable> & Partial<AsyncDisposable>)[]} handles
 * @param {() => Promise<T>} body
 */
export async function disposing(handles, body) {
  try {
    return await body();
  } finally {
    for (const handle of handles.toReversed()) {
      if (handle[Symbol.asyncDispose] !== undefined) await handle[Symbol.asyncDispose]?.();
      else handle[Symbol.dispose]?.();
    }
  }
}

/**
 * Every error that this library throws. A message says what failed, with which values, and what
 * can be done about it; `code` is for programs and never changes.
 */
import { inspect } from 'node:util';

/** What `ZooError.code` can be. `docs/errors.md` explains each. */
export type ZooErrorCode =
  | 'ERR_ZOO_TIMEOUT'
  | 'ERR_ZOO_CLOSED'
  | 'ERR_ZOO_ENDED'
  | 'ERR_ZOO_PEER_DIED'
  | 'ERR_ZOO_NOT_FOUND'
  | 'ERR_ZOO_EXISTS'
  | 'ERR_ZOO_GONE'
  | 'ERR_ZOO_KIND'
  | 'ERR_ZOO_INCOMPATIBLE'
  | 'ERR_ZOO_CORRUPT'
  | 'ERR_ZOO_NO_SPACE'
  | 'ERR_ZOO_TOO_LARGE'
  | 'ERR_ZOO_CURSOR'
  | 'ERR_ZOO_FULL'
  | 'ERR_ZOO_LOCK_RECOVERED'
  | 'ERR_ZOO_NOT_OWNER'
  | 'ERR_ZOO_DEADLOCK'
  | 'ERR_ZOO_HELD'
  | 'ERR_ZOO_WORKER_DIED'
  | 'ERR_ZOO_POOL_BROKEN'
  | 'ERR_ZOO_UNSENDABLE'
  | 'ERR_ZOO_DECODE'
  | 'ERR_ZOO_PLATFORM'
  | 'ERR_ZOO_ACCESS'
  | 'ERR_ZOO_SYSTEM';

/** What an error carries besides its code and message. Only what is known is set. */
export interface ZooErrorDetails {
  /** Name of the segment that the error is about. */
  segment?: string | undefined;
  /** Number of the system error, as in `os.constants.errno`. */
  errno?: number | undefined;
  /** System call that failed. */
  syscall?: string | undefined;
  /** Process that the error is about. */
  pid?: number | undefined;
  /** `ERR_ZOO_NO_SPACE`: bytes needed. */
  needed?: number | undefined;
  /** `ERR_ZOO_NO_SPACE`: bytes free. */
  free?: number | undefined;
  /** `ERR_ZOO_TOO_LARGE`: bytes of the message. */
  size?: number | undefined;
  /** `ERR_ZOO_TOO_LARGE`: bytes of the largest message. */
  limit?: number | undefined;
  /** `putMany` and `putBytesMany`: how many messages went in before the failure. */
  sent?: number | undefined;
  /** `ERR_ZOO_DECODE`: the message, which is no longer in the queue. */
  bytes?: Uint8Array | undefined;
  /** `ERR_ZOO_UNSENDABLE`: where in the value the culprit is, like `value.items[3].callback`. */
  path?: string | undefined;
  /** The error behind this one. */
  cause?: unknown;
}

/**
 * An error of this library, told apart by `code`.
 *
 * @example
 * try {
 *   await queue.get({ timeout: 100 });
 * } catch (error) {
 *   if (error instanceof ZooError && error.code === 'ERR_ZOO_TIMEOUT') return;
 *   throw error;
 * }
 */
export class ZooError extends Error {
  static {
    setClassName(this, 'ZooError');
  }

  readonly code: ZooErrorCode;
  declare readonly segment?: string;
  declare readonly errno?: number;
  declare readonly syscall?: string;
  declare readonly pid?: number;
  declare readonly needed?: number;
  declare readonly free?: number;
  declare readonly size?: number;
  declare readonly limit?: number;
  declare readonly sent?: number;
  declare readonly bytes?: Uint8Array;
  declare readonly path?: string;

  constructor(code: ZooErrorCode, message: string, details: ZooErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    for (const [key, value] of Object.entries(details)) {
      if (key !== 'cause' && value !== undefined) Object.assign(this, { [key]: value });
    }
  }
}

/**
 * Sending to, or receiving from, a channel or pipe that has ended. `cause` is the error that it
 * was closed with, if there was one.
 */
export class ChannelClosed extends ZooError {
  static {
    setClassName(this, 'ChannelClosed');
  }

  declare readonly code: 'ERR_ZOO_ENDED';

  constructor(message: string, details: ZooErrorDetails = {}) {
    super('ERR_ZOO_ENDED', message, details);
  }
}

/**
 * The last writer of a queue, channel or pipe died without ending it, and everything it had put
 * was taken; or the reader of a pipe died. `pid` says who.
 */
export class PeerDied extends ZooError {
  static {
    setClassName(this, 'PeerDied');
  }

  declare readonly code: 'ERR_ZOO_PEER_DIED';
  declare readonly pid: number;

  /** `message`: instead of the one about the last writer of a queue. */
  constructor(pid: number, segment: string, message?: string) {
    super(
      'ERR_ZOO_PEER_DIED',
      message ??
        `process ${pid}, the last writer of queue '${segment}', died without end(): ` +
          'everything it had put was delivered, what it still meant to put will not come',
      { pid, segment },
    );
  }
}

/**
 * The previous owner of a lock died while it held the lock. **The lock is held by the caller
 * now**: repair the data, then `release()`.
 */
export class LockRecovered extends ZooError {
  static {
    setClassName(this, 'LockRecovered');
  }

  declare readonly code: 'ERR_ZOO_LOCK_RECOVERED';
  /** The process that died, 0 if that is not known. */
  readonly deadPid: number;
  /** Number of this acquisition. */
  readonly generation: bigint;

  constructor(deadPid: number, generation: bigint, segment: string) {
    super(
      'ERR_ZOO_LOCK_RECOVERED',
      `process ${deadPid} died while it held lock '${segment}': the lock is yours now; ` +
        'repair what it protects, then call release(), or release({ recovered: false })',
      { segment },
    );
    this.deadPid = deadPid;
    this.generation = generation;
  }
}

/** An operation was given up because its `AbortSignal` said so; `cause` is the signal's reason. */
export class AbortError extends Error {
  static {
    setClassName(this, 'AbortError');
  }

  readonly code = 'ABORT_ERR';

  constructor(reason: unknown) {
    super('The operation was aborted', { cause: reason });
  }
}

/** A wrong argument: Node's own code on the matching built-in class. */
export function invalidArgumentType(
  argument: string,
  expected: string,
  actual: unknown,
): TypeError {
  const message = `${argument} must be ${expected}, not ${describeValue(actual)}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

export function invalidArgumentValue(argument: string, actual: unknown, reason: string): TypeError {
  const message = `${argument} is ${describeValue(actual)}: ${reason}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

export function outOfRange(argument: string, range: string, actual: unknown): RangeError {
  const message = `${argument} must be ${range}, not ${describeValue(actual)}`;
  return withCode(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

/** A value in an error message: short, on one line. */
export function describeValue(value: unknown): string {
  const text = inspect(value, {
    depth: 0,
    breakLength: Infinity,
    maxArrayLength: 3,
    maxStringLength: 60,
  });
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** Gives an error a `code`, printed in the head line of its stack as Node does. */
function withCode<E extends Error>(error: E, code: string): E {
  const name = error.name;
  Object.defineProperty(error, 'name', {
    value: `${name} [${code}]`,
    configurable: true,
    writable: true,
  });
  // The head line of the stack is made when it is first read, and would be without the code.
  void error.stack;
  Reflect.deleteProperty(error, 'name');
  return Object.assign(error, { code });
}

/** The name in the head line of a stack, without making it a property of each error. */
function setClassName(target: { prototype: Error }, name: string): void {
  Object.defineProperty(target.prototype, 'name', {
    value: name,
    configurable: true,
    writable: true,
  });
}

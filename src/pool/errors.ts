/** Errors that only a pool throws. */
import { ZooError, describeValue, invalidArgumentValue } from '../errors.js';

/** How a worker ended. */
export interface WorkerEnding {
  readonly pid: number;
  readonly workerId: number;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What was thrown, when that is what ended it. */
  readonly cause: unknown;
}

/**
 * The worker that ran a task has died. The task had started, so it may have done part of its work;
 * `retries` lets such tasks run again.
 *
 * @example
 * try {
 *   await pool.run('decode', [file]);
 * } catch (error) {
 *   if (!(error instanceof WorkerDied)) throw error;
 *   console.error(`${file} killed worker ${error.pid} (${error.signal ?? error.exitCode})`);
 * }
 */
export class WorkerDied extends ZooError {
  static {
    Object.defineProperty(this.prototype, 'name', {
      value: 'WorkerDied',
      configurable: true,
      writable: true,
    });
  }

  declare readonly code: 'ERR_ZOO_WORKER_DIED';
  declare readonly pid: number;
  /** The signal that ended it, null when there was none. */
  readonly signal: NodeJS.Signals | null;
  /** Its exit code, null when a signal ended it. 0 is a death too, when a task was running. */
  readonly exitCode: number | null;
  readonly workerId: number;
  /** How often the task was started. */
  readonly attempts: number;
  /** Always true for a task: one that had not started runs in another worker instead. */
  readonly started: boolean;

  constructor(task: string, ending: WorkerEnding, attempts: number) {
    const { pid, signal, exitCode, workerId, cause } = ending;
    const how = signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
    const why = cause === undefined ? '' : `, because of ${describeThrown(cause)}`;
    super(
      'ERR_ZOO_WORKER_DIED',
      `worker ${workerId} (process ${pid}) died with ${how} while it ran '${task}'${why}; ` +
        `the task was started ${attempts === 1 ? 'once' : `${attempts} times`}, ` +
        'and runs again only as often as the option retries says',
      cause === undefined ? { pid } : { pid, cause },
    );
    this.signal = signal;
    this.exitCode = exitCode;
    this.workerId = workerId;
    this.attempts = attempts;
    this.started = true;
  }
}

/** A worker ended before it was ready, and without saying why. */
export function loadFailure(
  module: string,
  { workerId, pid, exitCode, signal }: WorkerEnding,
): Error {
  const how = signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
  return new ZooError(
    'ERR_ZOO_WORKER_DIED',
    `worker ${workerId} (process ${pid}) ended with ${how} while it loaded '${module}'`,
    { pid },
  );
}

function describeThrown(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : describeValue(thrown);
}

export function poolClosed(operation: string, reason?: Error): ZooError {
  return new ZooError(
    'ERR_ZOO_CLOSED',
    `${operation}: this pool is closed${reason ? ` (${reason.message})` : ''}; make a new one`,
    reason ? { cause: reason } : {},
  );
}

export function poolBroken(module: string, deaths: number, cause: unknown): ZooError {
  const why = cause === undefined ? '' : `, the last time because of ${describeThrown(cause)}`;
  return new ZooError(
    'ERR_ZOO_POOL_BROKEN',
    `workers for '${module}' died ${deaths} times before they were ready${why}; ` +
      'the next call tries again',
    cause === undefined ? {} : { cause },
  );
}

export function poolFull(maxQueue: number): ZooError {
  return new ZooError(
    'ERR_ZOO_FULL',
    `${maxQueue} tasks wait for a worker, which is what maxQueue allows: wait for 'drain', ` +
      "or use overflow: 'wait'",
  );
}

export function timedOut(what: string, milliseconds: number): ZooError {
  return new ZooError('ERR_ZOO_TIMEOUT', `${what} within ${milliseconds} ms`);
}

export function unknownTask(module: string, name: string, exported: readonly string[]): TypeError {
  const known = exported.length === 0 ? 'nothing that is a task' : exported.join(', ');
  return invalidArgumentValue('name', name, `'${module}' exports ${known}`);
}

/** A refusal that names the culprit from where the user sees it: `args[0].items` instead of `value[0].items`. */
export function renameRoot(error: unknown, root: string): unknown {
  if (!(error instanceof ZooError) || error.code !== 'ERR_ZOO_UNSENDABLE') return error;
  if (error.path === undefined) return error;
  const path = error.path.replace(/\bvalue\b/, root);
  const message = error.message.replace(error.path, path);
  const details = error.cause === undefined ? { path } : { path, cause: error.cause };
  return new ZooError('ERR_ZOO_UNSENDABLE', message, details);
}

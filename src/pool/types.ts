/** The public types of the pool. */
import type { RecordableHistogram } from 'node:perf_hooks';
import type { ResourceLimits } from 'node:worker_threads';
import type { Readable } from 'node:stream';

// oxlint-disable-next-line typescript/no-explicit-any -- any function is a task, whatever it takes
export type TaskFunction = (...args: any[]) => unknown;

/** Exports that the pool calls itself, or that would make a module look like a promise. */
type Hook = 'setup' | 'teardown' | 'then';

export type ArgumentsOf<F> = F extends (...args: infer A) => unknown ? A : never;

export type FirstOf<A> = A extends [infer H, ...unknown[]] ? H : A extends (infer H)[] ? H : never;

// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type AnswerOf<F> = F extends (...args: any[]) => infer R ? Awaited<R> : never;

/** What a generator function gives; `unknown` when the module has no types. */
export type StreamedBy<F> = [AnswerOf<F>] extends [never]
  ? never
  : unknown extends AnswerOf<F>
    ? unknown
    : AnswerOf<F> extends AsyncIterable<infer T> | Generator<infer T, unknown, unknown>
      ? T
      : never;

/** Names of the exports that answer with a value. */
export type TaskName<M> = {
  [K in keyof M & string]: K extends Hook
    ? never
    : M[K] extends TaskFunction
      ? unknown extends AnswerOf<M[K]>
        ? K
        : [StreamedBy<M[K]>] extends [never]
          ? K
          : never
      : never;
}[keyof M & string];

/** Names of the exports that answer with a sequence of values. */
export type StreamName<M> = {
  [K in keyof M & string]: K extends Hook
    ? never
    : M[K] extends TaskFunction
      ? [StreamedBy<M[K]>] extends [never]
        ? never
        : K
      : never;
}[keyof M & string];

export type SetupData<M> = M extends { setup: (data: infer D) => unknown } ? D : unknown;

/** How many workers: a fixed number, started at once, or between two, started on demand. */
export type Workers = number | { min: number; max: number };

/** A named codec, or a module that exports `encode` and `decode`. */
export type PoolCodec = 'msgpack' | 'json' | 'v8' | 'bytes' | { module: string | URL };

export interface PoolOptions<M extends object = Record<string, TaskFunction>> {
  /**
   * `'process'` (default): native code that crashes, or a heap that overflows, cannot take this
   * program with it. `'thread'`: starts faster and needs less memory.
   */
  kind?: 'process' | 'thread' | undefined;
  /** Default `{ min: 0, max: os.availableParallelism() }`. A number starts so many at once. */
  workers?: Workers | undefined;
  /** Milliseconds after which a worker above `min` that has nothing to do ends. Default 30 000. */
  idleTimeout?: number | undefined;
  /** Given to the exported `setup(data)`, once per worker. */
  data?: SetupData<M> | undefined;
  /** How often a task that had started runs again when its worker dies. Default 0. */
  retries?: number | undefined;
  /** Milliseconds that a task may run. Default: no limit. */
  timeout?: number | undefined;
  /** Milliseconds that a task may wait before it starts. Default: no limit. */
  queueTimeout?: number | undefined;
  /** Milliseconds between abort or timeout of a running task and the end of its worker. Default 500. */
  killAfter?: number | undefined;
  /** Most tasks that wait. Default `Infinity`. */
  maxQueue?: number | undefined;
  /** What `run` does beyond `maxQueue`: `'reject'` (default, `ERR_ZOO_FULL`) or `'wait'`. */
  overflow?: 'reject' | 'wait' | undefined;
  /** Tasks that one worker runs at a time. Default 1. */
  concurrency?: number | undefined;
  /** A worker is replaced after so many tasks. Default: never. */
  maxTasksPerWorker?: number | undefined;
  /** A worker is replaced beyond so many bytes: resident memory of a process, heap of a thread. */
  maxMemory?: number | string | undefined;
  /** Bytes of each worker's inbox and outbox. Default `'4MiB'`. Larger values travel beside them. */
  size?: number | string | undefined;
  /** Default `'msgpack'`. */
  codec?: PoolCodec | undefined;
  /** Environment of the workers. Default: that of this program. */
  env?: NodeJS.ProcessEnv | undefined;
  /** What the workers find in `process.argv` from index 2 on. */
  argv?: readonly string[] | undefined;
  /** Options of node for the workers. Default: those of this program. */
  execArgv?: readonly string[] | undefined;
  /** Working directory of the workers; processes only. */
  cwd?: string | undefined;
  /** Scheduling priority of the workers, -20 (highest) to 19. */
  nice?: number | undefined;
  /** Limits of the workers' heaps, as `worker_threads` has them. */
  resourceLimits?: ResourceLimits | undefined;
  /**
   * Output of the workers: `'inherit'` (default), `'ignore'`, or `'pipe'`: each of `workers` has
   * `stdout` and `stderr` then.
   */
  stdio?: 'inherit' | 'ignore' | 'pipe' | undefined;
}

export interface RunOptions {
  /** Aborts the task: rejects at once, and tells the task by `task.signal`. */
  signal?: AbortSignal | undefined;
  /** Milliseconds that the task may run. Default: that of the pool. */
  timeout?: number | undefined;
  /** Milliseconds that the task may wait before it starts. Default: that of the pool. */
  queueTimeout?: number | undefined;
  /** Higher goes first; first in, first out among equals. Default 0. */
  priority?: number | undefined;
  /** Tasks with the same key run in the same worker while it lives. */
  key?: string | undefined;
  /** How often the task runs again when its worker dies. Default: that of the pool. */
  retries?: number | undefined;
  /** Called with what the task gives to `task.progress()`. */
  onProgress?: ((value: unknown) => void) | undefined;
}

export interface MapOptions extends RunOptions {
  /** Most items that are pulled and not handed over yet. Default: twice the workers. */
  concurrency?: number | undefined;
  /** Results in the order of the items (default), or as they come. */
  ordered?: boolean | undefined;
  /** Items that are pulled and sent together. Default 1. */
  chunk?: number | undefined;
}

export type WorkerState = 'starting' | 'idle' | 'busy' | 'ending';

export interface WorkerInfo {
  readonly id: number;
  /** Of a thread: that of this process. */
  readonly pid: number;
  readonly state: WorkerState;
  /** With `stdio: 'pipe'`. */
  readonly stdout?: Readable;
  readonly stderr?: Readable;
}

export interface PoolStats {
  /** Tasks that wait for a worker. */
  readonly queued: number;
  /** Tasks that workers have. */
  readonly running: number;
  /** Tasks that answered. */
  readonly done: number;
  /** Tasks that were rejected, for whatever reason. */
  readonly failed: number;
  /** Runs again after the death of a worker. */
  readonly retried: number;
  /** Share of the workers' time that tasks ran, 0 to 1, since the pool was made. */
  readonly utilization: number;
  /** Bytes that were copied between the processes. */
  readonly bytesCopied: number;
  /** Bytes of arguments that workers saw in place. */
  readonly bytesShared: number;
  /** How long tasks ran, in nanoseconds. */
  readonly runTime: RecordableHistogram;
  /** How long tasks waited for a worker, in nanoseconds. */
  readonly waitTime: RecordableHistogram;
}

export interface PoolEvents {
  'worker:ready': [{ id: number; pid: number }];
  'worker:exit': [
    { id: number; pid: number; exitCode: number | null; signal: NodeJS.Signals | null },
  ];
  retry: [{ id: number; name: string; attempt: number; pid: number }];
  drain: [];
}

/** What `task` of `zoosync/worker` is inside a running task. */
export interface TaskContext {
  /** Number of the task in its pool. */
  readonly id: number;
  /** 1 the first time, higher when a worker died with the task before. */
  readonly attempt: number;
  /** Aborted when the caller aborts, when the time is over, and when a loop over a stream is left. */
  readonly signal: AbortSignal;
  readonly workerId: number;
  /** Gives a value to the caller's `onProgress`. Dropped when the caller is far behind. */
  progress(value: unknown): void;
}

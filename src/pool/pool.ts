import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import type { ValueCodec } from '../codec.js';
import { parseCodec } from '../codec.js';
import { invalidArgumentType, invalidArgumentValue } from '../errors.js';
import { encodeMessagePack } from '../msgpack.js';
import { checkOptions } from '../options.js';
import { checkDepth, currentDepth } from './depth.js';
import { Dispatcher } from './dispatcher.js';
import { poolClosed, renameRoot } from './errors.js';
import { copyParts, takePartsOut, type Part } from './large-values.js';
import { MapCall } from './map-call.js';
import {
  loadCodec,
  parseMapOptions,
  parsePoolOptions,
  parseRunOptions,
  parseTime,
  parseWorkers,
  type PoolSettings,
} from './options.js';
import { packArguments } from './payload.js';
import { Flag, ToWorker, frameMemory, toWorkerHeader, type Frame } from './protocol.js';
import { PoolRecords } from './statistics.js';
import { StreamCall } from './stream-call.js';
import { newPoolName, sweepAbandoned } from './sweep.js';
import type { Caller, TaskCargo, TaskDemands } from './task.js';
import type {
  AnswerOf,
  ArgumentsOf,
  FirstOf,
  MapOptions,
  PoolEvents,
  PoolOptions,
  PoolStats,
  RunOptions,
  StreamName,
  StreamedBy,
  TaskFunction,
  TaskName,
  WorkerInfo,
  Workers,
} from './types.js';
import { WorkerHandle, type WorkerPlan } from './worker-handle.js';

/**
 * Runs exported functions of a module in worker processes or threads. Tasks travel through shared
 * memory, and none is lost when a worker dies: one that had not started runs elsewhere, one that
 * had started rejects with `WorkerDied`, or runs again as often as `retries` says. Every promise
 * settles.
 *
 * @example
 * await using pool = new ZooPool<typeof import('./tasks.js')>(new URL('./tasks.js', import.meta.url));
 * const thumbnail = await pool.run('resize', [image, 320]);
 */
export class ZooPool<M extends object = Record<string, TaskFunction>>
  extends EventEmitter<PoolEvents>
  implements AsyncDisposable
{
  readonly #settings: PoolSettings;
  readonly #dispatcher: Dispatcher;
  readonly #records: PoolRecords;
  /** What a call without options gets. */
  readonly #defaults: TaskDemands;
  readonly #name = newPoolName();
  readonly #data: { readonly bytes: Uint8Array; readonly parts: readonly Part[] };
  #codec: ValueCodec | undefined;
  /** Only while a codec of the user is being loaded. */
  #loading: Promise<ValueCodec> | undefined;
  #plan: WorkerPlan | undefined;
  #lastWorker = 0;
  #closing: Promise<void> | undefined;
  #reason: Error | undefined;

  /**
   * @param module file of the tasks: a URL, or a path seen from the working directory
   * @throws ZooError `ERR_ZOO_UNSENDABLE` when `data` cannot be sent; `TypeError` or `RangeError`
   *   for a wrong option
   */
  constructor(module: string | URL, options?: PoolOptions<M>) {
    super();
    this.#settings = parsePoolOptions(module, options);
    this.#defaults = parseRunOptions(undefined, this.#settings.defaults, 1).demands;
    checkDepth();
    this.#data = this.#packData();
    const { codec, codecModule, limits } = this.#settings;
    if (codecModule === undefined) this.#codec = parseCodec(codec);
    else this.#loadCodec(codec, codecModule);
    this.#records = new PoolRecords(this.#name);
    this.#dispatcher = new Dispatcher(
      this.#settings,
      {
        emit: (event, ...args) => callSafely(() => this.emit(event, ...(args as never))),
        makeWorker: (place, owner) => {
          const id = ++this.#lastWorker;
          const prefix = `${this.#name}-${id}`;
          return new WorkerHandle(id, place, prefix, this.#workerPlan(), owner);
        },
      },
      this.#records,
    );
    sweepAbandoned();
    if (limits.min > 0) this.#dispatcher.lifecycle.fill();
  }

  /** Workers that are born later get the same data, whatever happens to it here meanwhile. */
  #packData(): { bytes: Uint8Array; parts: readonly Part[] } {
    try {
      const { data } = this.#settings;
      const large = takePartsOut(data);
      const bytes = Uint8Array.from(encodeMessagePack(large ? large.value : data));
      return { bytes, parts: copyParts(large?.parts ?? []) };
    } catch (error) {
      throw renameRoot(error, 'data');
    }
  }

  #loadCodec(name: string, module: string): void {
    this.#loading = loadCodec(name, module);
    this.#loading.then(
      (codec) => (this.#codec = codec),
      () => undefined,
    );
  }

  #workerPlan(): WorkerPlan {
    const { host, ringBytes } = this.#settings;
    this.#plan ??= {
      host,
      ringBytes,
      codec: () => this.#codec as ValueCodec,
      depth: currentDepth(),
      startFrame: (worker) => this.#startFrame(worker),
    };
    return this.#plan;
  }

  /** What a worker is told first, and the data for its `setup`, in one frame. */
  #startFrame(worker: WorkerHandle): Frame {
    const { module, concurrency, codec, codecModule, nice, maxMemory } = this.#settings;
    const order = { module, workerId: worker.id, concurrency, codec, codecModule, nice, maxMemory };
    const start = encodeMessagePack({ order, data: this.#data.bytes });
    return worker.startFrame(start, this.#data.parts);
  }

  // Calls

  /**
   * Runs one function in a worker. Large typed arrays (64 KiB or more) arrive there as views of
   * shared memory, valid until the task settles. All arguments are taken as they are at the call.
   *
   * Cancel safety: an aborted task rejects at once. If it had started, it learns by `task.signal`,
   * and its worker is killed after `killAfter` unless it ends before.
   *
   * @throws what the function throws, with its class, `code`, cause and own properties;
   *   `WorkerDied`; ZooError `ERR_ZOO_UNSENDABLE`, `ERR_ZOO_TIMEOUT`, `ERR_ZOO_FULL`,
   *   `ERR_ZOO_CLOSED`, `ERR_ZOO_POOL_BROKEN`; `AbortError`; `TypeError` `ERR_INVALID_ARG_VALUE`
   *   for a name that the module does not export
   * @example
   * const answer = await pool.run('score', [text], { signal, timeout: 1000 });
   */
  run<K extends TaskName<M>>(
    name: K,
    args: ArgumentsOf<M[K]>,
    options?: RunOptions,
  ): Promise<AnswerOf<M[K]>> {
    return new Promise<unknown>((resolve, reject) => {
      const caller: Caller = { resolve, reject };
      this.#submit(ToWorker.task, 'run', name, args as unknown[], options, caller);
    }) as Promise<AnswerOf<M[K]>>;
  }

  /**
   * Every function as a method: `pool.call.resize(image, 320)` is `pool.run('resize', [image, 320])`.
   * Without options of the call; errors as `run`.
   */
  readonly call = new Proxy(
    {},
    {
      get: (_target, name) =>
        // A promise is waited for by its `then`, which no function here may be mistaken for.
        typeof name === 'symbol' || name === 'then'
          ? undefined
          : (...args: unknown[]) => this.run(name as never, args as never),
    },
  ) as { readonly [K in TaskName<M>]: (...args: ArgumentsOf<M[K]>) => Promise<AnswerOf<M[K]>> };

  /**
   * A function of one argument that runs in a worker: for `Stream.stage`, `Array.map` and the like.
   * Its second argument may bring a `signal`, which aborts that one call. Errors as `run`.
   *
   * @example
   * await orders.stage(pool.task('enrich', { retries: 1 }), { workers: 4 }).to(output);
   */
  task<K extends TaskName<M>>(
    name: K,
    options?: RunOptions,
  ): (
    arg: FirstOf<ArgumentsOf<M[K]>>,
    wait?: { signal?: AbortSignal | undefined },
  ) => Promise<AnswerOf<M[K]>> {
    checkName(name);
    parseRunOptions(options, this.#settings.defaults, 1);
    return (arg, wait) => {
      const signals = [options?.signal, signalOf(wait)].filter((signal) => signal !== undefined);
      const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
      return this.run(name, [arg] as never, signal ? { ...options, signal } : options);
    };
  }

  /**
   * Runs a generator function in a worker and gives what it yields, as fast as the loop here takes
   * it: at most 32 items are under way. Leaving the loop cancels the generator. Once an item came,
   * it is never run again; when its worker dies, `next()` rejects with `WorkerDied`.
   *
   * @throws as `run`, from `next()`
   * @example
   * for await (const row of pool.stream('rows', [file])) console.log(row);
   */
  stream<K extends StreamName<M>>(
    name: K,
    args: ArgumentsOf<M[K]>,
    options?: RunOptions,
  ): StreamCall<StreamedBy<M[K]>> {
    return new StreamCall((call) => {
      const left = new AbortController();
      const signal = options?.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
      const given = options === undefined ? { signal } : { ...options, signal };
      this.#submit(ToWorker.stream, 'stream', name, args as unknown[], given, call);
      return () => left.abort();
    });
  }

  /**
   * Runs a function over many items. Items are pulled when there is room: at most `concurrency`
   * (twice the workers) are pulled and not handed over. The first failure ends it.
   *
   * Cancel safety: leaving the loop pulls no more, closes the source, and gives up what runs.
   *
   * @throws as `run`, from `next()` and `toArray()`; and what the source throws
   * @example
   * for await (const score of pool.map('score', texts, { concurrency: 16, ordered: false })) add(score);
   */
  map<K extends TaskName<M>>(
    name: K,
    items: Iterable<FirstOf<ArgumentsOf<M[K]>>> | AsyncIterable<FirstOf<ArgumentsOf<M[K]>>>,
    options?: MapOptions,
  ): MapCall<FirstOf<ArgumentsOf<M[K]>>, AnswerOf<M[K]>> {
    checkName(name);
    if (typeof items !== 'object' || items === null || !isIterable(items))
      throw invalidArgumentType('items', 'an iterable or an async iterable', items);
    const { max } = this.#dispatcher.lifecycle.limits;
    const { concurrency, ordered, chunk, run } = parseMapOptions(options, max);
    parseRunOptions(run, this.#settings.defaults, 1);
    const left = new AbortController();
    const signal = run.signal ? AbortSignal.any([run.signal, left.signal]) : left.signal;
    return new MapCall({
      items,
      concurrency,
      ordered,
      chunk,
      leave: () => left.abort(),
      run: (item) => {
        return new Promise<unknown>((resolve, reject) => {
          // Its own bound is what keeps it from flooding the queue.
          const caller: Caller = { resolve, reject, unbounded: true };
          this.#submit(ToWorker.task, 'map', name, [item], { ...run, signal }, caller);
        }) as Promise<AnswerOf<M[K]>>;
      },
    });
  }

  /**
   * Runs a function once in every worker, also in those born later, before they get any task.
   * Waits until the workers that live now have run it; cannot be cancelled. One that fails is
   * forgotten: workers that are born later do not run it.
   *
   * @throws as `run`, when it failed in one of them
   * @example
   * await pool.broadcast('useModel', [model]);
   */
  broadcast<K extends TaskName<M>>(name: K, args: ArgumentsOf<M[K]>): Promise<void> {
    return new Promise((resolve, reject) => {
      const caller: Caller = { resolve: () => resolve(), reject };
      this.#whenOpen('broadcast', caller, (codec) => {
        checkName(name);
        checkArguments(args);
        const cargo = pack(codec, ToWorker.broadcast, args, false);
        // Workers that are born later get them as they are now.
        const own = { ...cargo, parts: copyParts(cargo.parts) };
        resolve(this.#dispatcher.announce(name, own));
      });
    });
  }

  #submit(
    kind: number,
    operation: string,
    name: unknown,
    args: unknown,
    options: RunOptions | undefined,
    caller: Caller,
  ): void {
    if (this.#codec === undefined) {
      this.#whenOpen(operation, caller, () =>
        this.#submit(kind, operation, name, args, options, caller),
      );
      return;
    }
    try {
      if (this.#closing) throw poolClosed(operation, this.#reason);
      checkName(name);
      checkArguments(args);
      let demands = this.#defaults;
      if (options !== undefined) {
        const places = this.#dispatcher.lifecycle.limits.max;
        const given = parseRunOptions(options, this.#settings.defaults, places);
        demands = given.demands;
        const { onProgress } = given;
        // Not at once: answers may also be read while the program makes its next call.
        if (onProgress)
          caller.progress = (value) => queueMicrotask(() => callSafely(() => onProgress(value)));
      }
      const cargo = pack(this.#codec, kind, args, caller.progress !== undefined);
      this.#dispatcher.submit(name, cargo, demands, caller);
    } catch (error) {
      caller.reject(error);
    }
  }

  /** What a call does, if the pool takes calls, and as soon as it knows its codec. */
  #whenOpen(operation: string, caller: Caller, act: (codec: ValueCodec) => void): void {
    const attempt = (codec: ValueCodec): void => {
      try {
        if (this.#closing) throw poolClosed(operation, this.#reason);
        act(codec);
      } catch (error) {
        caller.reject(error);
      }
    };
    if (this.#codec) attempt(this.#codec);
    else this.#loading?.then(attempt, (error: unknown) => caller.reject(error));
  }

  // The pool as a whole

  /**
   * Waits until the workers that there always are (`min`), at least one, are ready; starts them if
   * need be. Cannot be cancelled, except by `close()` and `destroy()`.
   *
   * @throws ZooError `ERR_ZOO_POOL_BROKEN` with the load error as `cause`, `ERR_ZOO_CLOSED`
   */
  ready(): Promise<void> {
    if (this.#closing) return Promise.reject(poolClosed('ready', this.#reason));
    return this.#dispatcher.ready();
  }

  /**
   * Changes the number of workers. Those beyond it finish what they have, and end; what they had
   * not started runs elsewhere. Waits until the new number is there; cannot be cancelled.
   *
   * @throws ZooError as `ready`; `TypeError` or `RangeError` for a wrong number
   * @example
   * await pool.resize({ min: 1, max: 8 });
   */
  async resize(workers: Workers): Promise<void> {
    const limits = parseWorkers(workers);
    if (this.#closing) throw poolClosed('resize', this.#reason);
    await this.#dispatcher.resize(limits);
  }

  /**
   * Takes no more calls, finishes everything that was accepted, and ends the workers. With
   * `timeout` (milliseconds), what is not finished then rejects with `ERR_ZOO_CLOSED`, and the
   * workers are killed. A second time waits for the first.
   */
  close(options?: { timeout?: number }): Promise<void> {
    let timeout: number | undefined;
    try {
      const given = checkOptions<{ timeout: number }>('options', options, ['timeout']);
      timeout = parseTime('timeout', given.timeout);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    this.#closing ??= this.#finish();
    if (timeout === undefined || timeout === Infinity) return this.#closing;
    const timer = setTimeout(() => void this.destroy(), Math.min(timeout, 2 ** 31 - 1));
    return this.#closing.finally(() => clearTimeout(timer));
  }

  async #finish(): Promise<void> {
    await this.#loading?.catch(() => undefined);
    await this.#dispatcher.idle();
    await this.#dispatcher.end();
  }

  /** Ends everything now: pending calls reject with `ERR_ZOO_CLOSED` (`cause`: the reason), workers are killed. */
  destroy(reason?: Error): Promise<void> {
    this.#reason ??= reason;
    const destroyed = this.#dispatcher.destroy('destroy', reason);
    this.#closing ??= destroyed;
    return destroyed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What the pool has done so far, and has to do. */
  get stats(): PoolStats {
    const { queued, running, lifecycle } = this.#dispatcher;
    const { concurrency } = this.#settings;
    return this.#records.read(queued, running, concurrency, lifecycle.all());
  }

  /** Whether tasks wait for a worker; 'drain' is emitted when none does any more. */
  get needsDrain(): boolean {
    return this.#dispatcher.queued > 0;
  }

  /** The workers that live, those that start and those that end included. */
  get workers(): readonly WorkerInfo[] {
    return Array.from(this.#dispatcher.lifecycle.all(), ({ id, pid, state, host }) => ({
      id,
      pid,
      state,
      ...(host.stdout ? { stdout: host.stdout } : {}),
      ...(host.stderr ? { stderr: host.stderr } : {}),
    }));
  }

  [inspect.custom](): string {
    const { queued, running } = this.#dispatcher;
    const workers = this.workers.map(({ id, pid, state }) => ({ id, pid, state }));
    return `ZooPool ${inspect({ module: this.#settings.module, workers, queued, running })}`;
  }
}

/** The arguments of a call, ready to travel. */
function pack(
  codec: ValueCodec,
  kind: number,
  args: readonly unknown[],
  progress: boolean,
): TaskCargo {
  try {
    const { bytes, parts } = packArguments(codec, args);
    const { memory, start } = frameMemory(toWorkerHeader + bytes.length);
    memory.set(bytes, start + toWorkerHeader);
    const end = start + toWorkerHeader + bytes.length;
    return { kind, flags: progress ? Flag.progress : 0, memory, start, end, parts };
  } catch (error) {
    throw renameRoot(error, 'args');
  }
}

/** What a listener of the user throws is the program's failure, and not that of a worker. */
function callSafely(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

function checkArguments(args: unknown): asserts args is unknown[] {
  if (!Array.isArray(args)) throw invalidArgumentType('args', 'an array', args);
}

const hooks = new Set(['setup', 'teardown', 'then']);

function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw invalidArgumentType('name', 'a string', name);
  if (hooks.has(name))
    throw invalidArgumentValue('name', name, 'the pool calls it itself, it is no task');
}

/** `Stream.stage` and others give `{ signal }`; `Array.map` gives an index. */
function signalOf(wait: unknown): AbortSignal | undefined {
  return typeof wait === 'object' && wait !== null
    ? (wait as { signal?: AbortSignal }).signal
    : undefined;
}

function isIterable(items: object): boolean {
  return Symbol.iterator in items || Symbol.asyncIterator in items;
}

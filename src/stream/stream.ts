/** Streams: lazy sequences of items that come over time, with operators. */
import { invalidArgumentValue } from '../errors.js';
import { checkOptions, parseCount } from '../options.js';
import {
  checkCallback,
  parseAmount,
  parseMilliseconds,
  parseRange,
  parseSignalOption,
  parseWindow,
  type SignalOptions,
  type WindowOptions,
} from './arguments.js';
import { GroupPuller } from './batch.js';
import { FilterPuller, MapPuller } from './batch-operator.js';
import { BatchesPuller } from './batches.js';
import { callForEach, consume, foldInto } from './consume.js';
import { deliverTo, isDestination, type Destination } from './deliver.js';
import { ErrorSinkPuller, outletTo, parseErrorDestination } from './errors-to.js';
import type { ErrorDestination } from './errors-to.js';
import { FlatMapPuller } from './flat-map.js';
import { PullIterator } from './iterator.js';
import { RangePuller } from './iterable-source.js';
import { MergePuller, type MergePolicy } from './merge.js';
import { newRun, openPuller, RunScope, type Puller, type RunContext } from './pull.js';
import { changeError, changeValue, Err, Ok, type Result } from './result.js';
import { StreamRun, type Run } from './run.js';
import { SignalPuller } from './signal.js';
import { openerOf, type Source } from './source.js';
import { parseStage, StagePuller, type StageOptions, type Task } from './stage.js';
import { TakePuller } from './take.js';
import { checkFilter, filterPuller, type Filter } from './through.js';
import { CountWindowPuller, TimeWindowPuller } from './window.js';

/**
 * A lazy source of items with operators. Nothing runs and nothing is acquired before somebody asks
 * for the first item; from then on every way out lets go of the source: the end, a failure,
 * leaving the loop, an abort.
 *
 * - Operators make a new stream and leave this one as it is. Callbacks may answer promises; they
 *   are called one at a time, in order.
 * - A failure comes after all the items before it.
 * - Inside, items travel in batches; a source that has many gives 1, then 2, 4, up to 128 at a
 *   time, so callbacks may run for items that the consumer has not reached yet.
 *
 * **Cancel safety:** `return()` of an iterator, so also `break`, never waits for the next item: a
 * `next()` that waits is answered as done, at once. A foreign generator that is stuck in an
 * `await` gets `return()` requested and runs its `finally` when it wakes.
 *
 * @example
 * const lines = await Stream.range(1, 6)
 *   .map((n) => n * 2)
 *   .filter((n) => n > 5)
 *   .map((n) => `Result: ${n}`)
 *   .toArray(); // ['Result: 6', 'Result: 8', 'Result: 10']
 */
export class Stream<T> implements AsyncIterable<T> {
  readonly #open: (run: RunContext) => Puller<T>;

  /** The inner protocol, for channels and pipes; sources of your own go to `Stream.from`. */
  constructor(open: (run: RunContext) => Puller<T>) {
    checkCallback('open', open);
    this.#open = open;
  }

  /** How operators open this stream. */
  [openPuller](run: RunContext): Puller<T> {
    return this.#open(run);
  }

  /**
   * The items of an iterable, an async iterable, a Node Readable or a Web ReadableStream. Promises
   * in an iterable are awaited. Leaving the stream early closes the source: `return()` of an
   * iterator is called, a Readable is destroyed even when idle, a Web stream is cancelled.
   *
   * Throws `ERR_INVALID_ARG_TYPE` for anything else.
   *
   * @example
   * for await (const chunk of Stream.from(createReadStream(file))) use(chunk);
   */
  static from<T>(source: Source<T>): Stream<T> {
    return new Stream(openerOf(source));
  }

  /**
   * Numbers from `start` to `end`, which is not among them, in steps of `step`, default 1, which
   * may be negative. `end` may be infinite. `ERR_OUT_OF_RANGE` for a step of 0 and for NaN.
   *
   * @example
   * await Stream.range(3, 0, -1).toArray(); // [3, 2, 1]
   */
  static range(start: number, end: number, step = 1): Stream<number> {
    parseRange(start, end, step);
    return new Stream(() => new RangePuller(start, end, step));
  }

  /**
   * The items of all sources as they come, in turn where several have some. Ends when all have
   * ended; the first failure cancels the others.
   *
   * @example
   * for await (const event of Stream.merge(clicks, keys)) show(event);
   */
  static merge<T>(...sources: Source<T>[]): Stream<T> {
    return gather(sources, 'fair');
  }

  /**
   * Like `merge`, but gives from the first source that has something: as long as `urgent` has
   * items, nothing of `normal` comes. One item of each source may have been pulled and waits its
   * turn; when the loop is left, a Channel gets it back.
   *
   * @example
   * for await (const job of Stream.priority(urgent, normal)) await handle(job);
   */
  static priority<T>(...highestFirst: Source<T>[]): Stream<T> {
    return gather(highestFirst, 'priority');
  }

  /**
   * Each item becomes what `fn` answers. What `fn` throws fails the stream.
   *
   * @example
   * Stream.from(users).map((user) => user.name);
   */
  map<B>(fn: (item: T) => B | PromiseLike<B>): Stream<B> {
    checkCallback('fn', fn);
    return new Stream((run) => new MapPuller(this.#open(run), fn));
  }

  /**
   * Only the items for which `keep` answers something true.
   *
   * @example
   * Stream.from(users).filter((user) => user.active);
   */
  filter<S extends T>(keep: (item: T) => item is S): Stream<S>;
  filter(keep: (item: T) => unknown): Stream<T>;
  filter(keep: (item: T) => unknown): Stream<T> {
    checkCallback('keep', keep);
    return new Stream((run) => new FilterPuller(this.#open(run), keep));
  }

  /**
   * The first `n` items, 0 or more. The source is let go of as soon as the last of them is there.
   *
   * @example
   * await Stream.range(0, Infinity).take(3).toArray(); // [0, 1, 2]
   */
  take(n: number): Stream<T> {
    parseAmount('n', n, 0);
    return new Stream((run) => new TakePuller(this.#open(run), n));
  }

  /**
   * Each item becomes the source that `fn` answers: an array, a stream, a Readable … One after the
   * other, in order.
   *
   * @example
   * Stream.from(files).flatMap((file) => createReadStream(file));
   */
  flatMap<B>(fn: (item: T) => Source<B> | PromiseLike<Source<B>>): Stream<B> {
    checkCallback('fn', fn);
    return new Stream((run) => new FlatMapPuller(this.#open(run), fn, run));
  }

  /**
   * Arrays of `size` items. The last one may be shorter, also before a failure. With `ms`, a short
   * one leaves that many milliseconds after its first item came, if somebody waits for it.
   *
   * @example
   * for await (const rows of input.batch(1000, { ms: 50 })) await insert(rows);
   */
  batch(size: number, options?: { ms?: number | undefined }): Stream<T[]> {
    parseCount('size', size);
    const { ms } = checkOptions<{ ms: number }>('options', options, ['ms']);
    const milliseconds = ms === undefined ? Infinity : parseMilliseconds('ms', ms);
    return new Stream((run) => new GroupPuller(this.#open(run), size, milliseconds));
  }

  /**
   * Overlapping arrays, each a copy.
   * - `{ size, step }`: the last `size` items, every `step` items (default 1), full ones only.
   * - `{ ms, at }`: for each item, the items at most `ms` older than it by the time that `at`
   *   answers, in milliseconds; the item itself is the last.
   *
   * An array of 10,000 items for each item costs 10,000 copied references per item: choose a
   * larger step, or count as you go.
   *
   * @example
   * metrics.window({ ms: 2000, at: (m) => m.timestamp }).map(average).filter((a) => a > 75);
   */
  window(options: WindowOptions<T>): Stream<T[]> {
    const plan = parseWindow<T>(options);
    return new Stream((run) =>
      plan.kind === 'count'
        ? new CountWindowPuller(this.#open(run), plan.size, plan.step)
        : new TimeWindowPuller(this.#open(run), plan.ms, plan.at),
    );
  }

  /**
   * Puts a filter between: a function from a stream to an async iterable, a Node Duplex such as
   * `createGzip()`, or a Web TransformStream. A Duplex or TransformStream serves one run only.
   *
   * When this stream fails, what it gave before still comes out of a Duplex or TransformStream,
   * then the failure. Leaving early destroys them.
   *
   * @example
   * const everySecond = async function* (source) {
   *   let index = 0;
   *   for await (const item of source) if (index++ % 2 === 0) yield item;
   * };
   * await Stream.from(createReadStream(file)).through(createGzip()).to(createWriteStream(target));
   */
  through<B = T>(filter: Filter<T, B>): Stream<B> {
    checkFilter(filter);
    const wrap = (source: Puller<T>): Stream<T> => new Stream(() => source);
    return new Stream((run) => filterPuller(this.#open(run), filter, wrap, run));
  }

  /**
   * Runs a task for each item, up to `workers` (default 1) at a time: an async function here, or
   * `pool.task(name)` for processes. At most `workers` items are pulled and not yet delivered.
   * `ordered: false` delivers results as they are ready.
   *
   * A task that fails ends the stream, unless `errorsTo` follows: no new items, tasks in flight
   * finish, results before it are delivered, then the error.
   *
   * **Cancel safety:** leaving fires the signal that tasks get. A Run waits for tasks in flight.
   *
   * @example
   * await input.stage(pool.task('enrich'), { workers: 8, ordered: false }).to(output);
   */
  stage<B>(task: Task<T, B>, options?: StageOptions): Stream<B> {
    const plan = parseStage(task, options);
    return new Stream((run) => new StagePuller(this.#open(run), plan, run));
  }

  /**
   * Items that fail in a stage before this one leave here, as `{ stage, item, error }`, and the
   * stream goes on. A full sink, or a promise that the function answers, makes the stage wait, so
   * somebody has to read the sink. It is closed at the end of the run, also of a failed one.
   *
   * @example
   * await input.stage(parse).errorsTo((failure) => console.error(failure.stage, failure.error)).to(output);
   */
  errorsTo(destination: ErrorDestination): Stream<T> {
    const sink = parseErrorDestination(destination);
    const errors = outletTo(destination);
    return new Stream((run) => {
      const source = this.#open({ scope: run.scope, errors });
      return sink ? new ErrorSinkPuller(source, sink, run.scope) : source;
    });
  }

  /**
   * A stage whose task may fail: each item becomes `{ ok: true, value }` or `{ ok: false, error }`
   * and one bad item does not stop the rest.
   *
   * @example
   * const pages = Stream.from(urls).attempt(fetchPage, { workers: 4 });
   */
  attempt<B>(task: Task<T, B>, options?: StageOptions): Stream<Result<B, Error>> {
    const plan = parseStage(task, options);
    const attempted: Task<T, Result<B, Error>> = async (item, context) => {
      try {
        return Ok(await task(item, context));
      } catch (error) {
        return Err(error as Error);
      }
    };
    return new Stream((run) => new StagePuller(this.#open(run), { ...plan, task: attempted }, run));
  }

  /** Changes the values of results and leaves the errors alone. */
  mapOk<A, E, B>(
    this: Stream<Result<A, E>>,
    fn: (value: A) => B | PromiseLike<B>,
  ): Stream<Result<B, E>> {
    checkCallback('fn', fn);
    return this.map((result) => changeValue(result, fn));
  }

  /** Changes the errors of results and leaves the values alone. */
  mapError<A, E, F>(
    this: Stream<Result<A, E>>,
    fn: (error: E) => F | PromiseLike<F>,
  ): Stream<Result<A, F>> {
    checkCallback('fn', fn);
    return this.map((result) => changeError(result, fn));
  }

  /**
   * Puts what `fn` answers in the place of each error: results become values.
   *
   * @example
   * Stream.from(urls).attempt(fetchPage).recover(() => emptyPage);
   */
  recover<A, E, B>(
    this: Stream<Result<A, E>>,
    fn: (error: E) => B | PromiseLike<B>,
  ): Stream<A | B> {
    checkCallback('fn', fn);
    return this.map<A | B>((result) => (result.ok ? result.value : fn(result.error)));
  }

  /**
   * Ends every run of this stream when the signal fires: whatever waits rejects at once with an
   * `AbortError`, and everything up to the source is cancelled.
   *
   * @example
   * for await (const line of lines.with({ signal: AbortSignal.timeout(1000) })) show(line);
   */
  with(options: SignalOptions): Stream<T> {
    const signal = parseSignalOption(options);
    if (!signal) return this;
    return new Stream((run) => new SignalPuller(this.#open(run), signal, run.scope));
  }

  /** The items, one by one. Calls of `next()` may overlap. Each iterator is a run of its own. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    const scope = new RunScope();
    return new PullIterator(scope, () => this.#open({ scope, errors: undefined }));
  }

  /** The items as they travel inside, in arrays of at least one. */
  batches(): Stream<readonly T[]> {
    return new Stream((run) => new BatchesPuller(this.#open(run)));
  }

  /**
   * All items. Rejects with the failure of the stream, or at once with an `AbortError`.
   *
   * @example
   * const all = await stream.toArray({ signal: AbortSignal.timeout(1000) });
   */
  async toArray(options?: SignalOptions): Promise<T[]> {
    const signal = parseSignalOption(options);
    const items: T[] = [];
    await consume(this, newRun(), signal, (batch) => {
      for (const item of batch) items.push(item);
    });
    return items;
  }

  /**
   * What `fn` makes of all items, beginning with `seed`.
   *
   * @example
   * const total = await orders.reduce((sum, order) => sum + order.price, 0);
   */
  async reduce<R>(
    fn: (result: R, item: T) => R | PromiseLike<R>,
    seed: R,
    options?: SignalOptions,
  ): Promise<R> {
    checkCallback('fn', fn);
    if (arguments.length < 2)
      throw invalidArgumentValue(
        'seed',
        seed,
        'it is the result to begin with, and of an empty stream',
      );
    const signal = parseSignalOption(options);
    const fold = foldInto(fn, seed);
    await consume(this, newRun(), signal, fold.use);
    return fold.result();
  }

  /**
   * Calls `fn` for each item and waits for what it answers before the next one: callbacks with
   * backpressure. Two subscribers of a Channel share its items; of a `Broadcast`, each gets all.
   *
   * Runs by itself. What `fn` throws ends this run and cancels the source. An aborted run waits
   * for the call that is under way.
   *
   * @example
   * const run = metrics.subscribe(async (metric) => store(metric));
   * await run; // how many there were
   */
  subscribe(fn: (item: T) => unknown, options?: SignalOptions): Run {
    checkCallback('fn', fn);
    return new StreamRun(this, parseSignalOption(options), {
      use: callForEach(fn),
      awaitsUse: true,
    });
  }

  /**
   * Sends every item to every sink: Channels, ZooPipes, Node Writables, or objects with `send` and
   * `close`. Waits while one of them is full. Runs by itself.
   *
   * At the end the sinks are closed. When the stream fails, a sink refuses, or the signal fires,
   * they are closed with the error, a Writable is destroyed, so that who reads there sees a
   * failure and not an end. The run rejects then, when its tasks in flight are over.
   *
   * @example
   * const run = input.stage(parse, { workers: 4 }).to(output, { signal });
   */
  to(...sinks: Destination<T>[]): Run;
  to(...sinksAndOptions: [...Destination<T>[], SignalOptions]): Run;
  to(...all: (Destination<T> | SignalOptions)[]): Run {
    const last = all.at(-1);
    const hasOptions = all.length > 1 && !isDestination(last);
    const signal = hasOptions ? parseSignalOption(last) : undefined;
    return new StreamRun(this, signal, deliverTo<T>(hasOptions ? all.slice(0, -1) : all));
  }
}

function gather<T>(sources: readonly Source<T>[], policy: MergePolicy): Stream<T> {
  const openers = sources.map((source, i) => openerOf(source, `source ${i + 1}`));
  return new Stream(
    (run) =>
      new MergePuller(
        openers.map((open) => open(run)),
        policy,
      ),
  );
}

/** Filters: functions, Node's Duplex streams and Web TransformStreams between a stream and the next. */
import { Duplex } from 'node:stream';
import type { TransformStream, WritableStreamDefaultWriter } from 'node:stream/web';
import { AbortError, invalidArgumentType } from '../errors.js';
import { WritableOutlet } from './deliver.js';
import { ReadablePuller, WebStreamPuller } from './platform-source.js';
import { cancelQuietly, type Batch, type Puller, type Pulled, type RunContext } from './pull.js';
import { openerOf } from './source.js';

/**
 * Makes a source into another. As a function it gets a `Stream` and answers any async iterable,
 * usually as an `async function*`; its signal fires when nobody wants the answer any more.
 */
export type Filter<A, B = A> =
  | ((source: AsyncIterable<A>, options: { signal: AbortSignal }) => AsyncIterable<B>)
  | Duplex
  | TransformStream<A, B>;

/** Makes an iterable of a puller; comes from above, since streams stand on this file. */
type Wrap<A> = (source: Puller<A>) => AsyncIterable<A>;

export function filterPuller<A, B>(
  source: Puller<A>,
  filter: Filter<A, B>,
  wrap: Wrap<A>,
  run: RunContext,
): Puller<B> {
  if (typeof filter === 'function') return new FunctionFilterPuller(source, filter, wrap, run);
  if (filter instanceof Duplex) {
    return new PumpPuller(source, () => duplexConverter<A, B>(filter), run);
  }
  return new PumpPuller(source, () => webConverter(filter), run);
}

/** Refuses what is no filter. */
export function checkFilter(filter: unknown): void {
  if (typeof filter === 'function' || filter instanceof Duplex || isTransformStream(filter)) return;
  throw invalidArgumentType('filter', 'a function, a Duplex or a TransformStream', filter);
}

function isTransformStream(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { readable, writable } = value as Partial<TransformStream>;
  return typeof readable?.getReader === 'function' && typeof writable?.getWriter === 'function';
}

/** Gives what the function gives. However that ends, the source behind it is let go of as well. */
class FunctionFilterPuller<A, B> implements Puller<B> {
  readonly #source: Puller<A>;
  readonly #open: (signal: AbortSignal) => Puller<B>;
  readonly #abort = new AbortController();
  #output: Puller<B> | undefined;
  #finished = false;

  constructor(
    source: Puller<A>,
    filter: Extract<Filter<A, B>, (...args: never[]) => unknown>,
    wrap: Wrap<A>,
    run: RunContext,
  ) {
    this.#source = source;
    this.#open = (signal) => {
      const output = filter(wrap(source), { signal });
      return openerOf(output, 'what the filter answered')(run);
    };
  }

  pull(limit?: number): Pulled<B> {
    if (this.#finished) return null;
    try {
      this.#output ??= this.#open(this.#abort.signal);
      const pulled = this.#output.pull(limit);
      if (pulled instanceof Promise) return this.#after(pulled);
      return pulled ?? this.#end();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  cancel(reason?: unknown): void | Promise<void> {
    if (this.#finished) return undefined;
    this.#finished = true;
    this.#abort.abort(reason ?? new AbortError('nobody takes what this filter gives any more'));
    // The filter first: a source that ends before would look to it like the end of the data.
    const output = this.#output?.cancel(reason);
    const source = this.#source.cancel(reason);
    return output || source ? Promise.all([output, source]).then(() => {}) : undefined;
  }

  async #after(pulled: Promise<Batch<B>>): Promise<Batch<B>> {
    try {
      return (await pulled) ?? (await this.#end());
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** A filter may end before its source has. */
  #end(): null | Promise<null> {
    if (this.#finished) return null;
    this.#finished = true;
    return this.#source.cancel()?.then(() => null) ?? null;
  }

  #fail(error: unknown): void {
    if (this.#finished) return;
    this.#finished = true;
    cancelQuietly(this.#source, error);
  }
}

/** Two ends of something that changes what goes through it. Cancelling the output ends it all. */
interface Converter<A, B> {
  readonly output: Puller<B>;
  write(batch: readonly A[]): Promise<void>;
  end(): Promise<void>;
}

/**
 * Writes the source into a converter, as fast as that takes it, and gives what comes out. When the
 * source fails, what it gave before still comes out, and then the failure.
 */
class PumpPuller<A, B> implements Puller<B> {
  readonly #source: Puller<A>;
  readonly #convert: () => Converter<A, B>;
  readonly #run: RunContext;
  #converter: Converter<A, B> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #finished = false;

  constructor(source: Puller<A>, convert: () => Converter<A, B>, run: RunContext) {
    this.#source = source;
    this.#convert = convert;
    this.#run = run;
  }

  async pull(limit?: number): Promise<Batch<B>> {
    if (this.#finished) return null;
    if (!this.#converter) {
      this.#converter = this.#convert();
      this.#run.scope.track(this.#pump(this.#converter));
    }
    try {
      const batch = await this.#converter.output.pull(limit);
      if (batch === null) this.#stop(undefined);
      if (batch !== null || !this.#failure) return batch;
    } catch (error) {
      this.#stop(error);
      throw error;
    }
    throw this.#failure.error;
  }

  cancel(reason?: unknown): void | Promise<void> {
    if (this.#finished) return undefined;
    this.#finished = true;
    const output = this.#converter?.output.cancel(reason);
    const source = this.#source.cancel(reason);
    return output || source ? Promise.all([output, source]).then(() => {}) : undefined;
  }

  /** Nothing more comes out, so nothing more needs to go in. */
  #stop(reason: unknown): void {
    if (this.#finished) return;
    this.#finished = true;
    cancelQuietly(this.#source, reason);
  }

  async #pump(converter: Converter<A, B>): Promise<void> {
    for (;;) {
      let batch: Batch<A> = null;
      try {
        batch = await this.#source.pull();
      } catch (error) {
        this.#failure = { error };
      }
      if (this.#finished) return;
      if (batch === null) break;
      // What fails here is also what the output reports.
      await converter.write(batch);
    }
    await converter.end();
  }
}

function duplexConverter<A, B>(duplex: Duplex): Converter<A, B> {
  const input = new WritableOutlet<A>(duplex);
  return {
    output: new ReadablePuller<B>(duplex),
    write: (batch) => input.send(batch, {}),
    end: () => input.close(undefined),
  };
}

function webConverter<A, B>(transform: TransformStream<A, B>): Converter<A, B> {
  let writer: WritableStreamDefaultWriter<A> | undefined;
  const writerOf = (): WritableStreamDefaultWriter<A> =>
    (writer ??= transform.writable.getWriter());
  return {
    output: new WebStreamPuller<B>(transform.readable),
    async write(batch) {
      for (const item of batch) {
        await writerOf().ready;
        writerOf()
          .write(item)
          .catch(() => {});
      }
    },
    end: () => writerOf().close(),
  };
}

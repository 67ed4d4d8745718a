/** Anything that can be iterated, as a puller. */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { invalidArgumentType } from '../errors.js';
import { AsyncIterablePuller } from './async-source.js';
import { ArrayPuller, IterablePuller } from './iterable-source.js';
import { openPuller, type Openable, type Puller, type RunContext } from './pull.js';
import { ReadablePuller, WebStreamPuller } from './platform-source.js';

/** What a stream can be made from. */
export type Source<T> = AsyncIterable<T> | Iterable<T> | Readable | ReadableStream<T>;

type Opener<T> = (run: RunContext) => Puller<T>;

/**
 * How to open a source, or a `TypeError` with `ERR_INVALID_ARG_TYPE` when it is none. Nothing of
 * the source is touched before the first pull.
 */
export function openerOf<T>(source: Source<T>, argument = 'source'): Opener<T> {
  if (typeof source === 'string') return () => new IterablePuller<T>(source as Iterable<T>);
  if (typeof source === 'object' || typeof source === 'function') {
    const opener = source === null ? undefined : openerOfObject(source);
    if (opener) return opener;
  }
  throw invalidArgumentType(
    argument,
    'an iterable, an async iterable, a Readable or a ReadableStream',
    source,
  );
}

function openerOfObject<T>(source: Source<T>): Opener<T> | undefined {
  if (openPuller in source) return (run) => (source as Openable<T>)[openPuller](run);
  if (Array.isArray(source)) return () => new ArrayPuller<T>(source as readonly T[]);
  if (source instanceof Readable) return () => new ReadablePuller<T>(source);
  if ('getReader' in source && typeof source.getReader === 'function') {
    return () => new WebStreamPuller<T>(source as ReadableStream<T>);
  }
  if (Symbol.asyncIterator in source) return () => new AsyncIterablePuller<T>(source);
  if (Symbol.iterator in source) return () => new IterablePuller<T>(source as Iterable<T>);
  return undefined;
}

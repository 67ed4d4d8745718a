/** A filter that lets bytes through and hashes them on the way. */
import { createHash, type BinaryToTextEncoding, type Hash } from 'node:crypto';
import { invalidArgumentType, invalidArgumentValue } from '../errors.js';
import { Stream } from './stream.js';

/** A filter for `through()`, with what it has seen so far. */
export interface HashFilter {
  (source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Of all bytes that went through so far, as Node's `hash.digest()`; it may be asked again. */
  digest(): Buffer;
  digest(encoding: BinaryToTextEncoding): string;
  /** How many bytes went through so far. */
  readonly bytes: number;
}

/**
 * Makes a filter that passes bytes on unchanged and hashes them. `algorithm` is one of
 * `crypto.getHashes()`; another one throws `ERR_INVALID_ARG_VALUE`. One filter counts one stream.
 *
 * @example
 * const sha = hash('sha256');
 * await Stream.from(createReadStream(file)).through(sha).to(pipe);
 * console.log(sha.digest('hex'), sha.bytes);
 */
export function hash(algorithm: string): HashFilter {
  const running = createRunningHash(algorithm);
  let bytes = 0;
  const filter = (source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> =>
    Stream.from(source).map((chunk) => {
      running.update(chunk);
      bytes += chunk.byteLength;
      return chunk;
    });
  function digest(): Buffer;
  function digest(encoding: BinaryToTextEncoding): string;
  function digest(encoding?: BinaryToTextEncoding): Buffer | string {
    const copy = running.copy();
    return encoding === undefined ? copy.digest() : copy.digest(encoding);
  }
  return Object.defineProperty(Object.assign(filter, { digest }), 'bytes', {
    get: () => bytes,
    enumerable: true,
  }) as HashFilter;
}

function createRunningHash(algorithm: string): Hash {
  if (typeof algorithm !== 'string') throw invalidArgumentType('algorithm', 'a string', algorithm);
  try {
    return createHash(algorithm);
  } catch {
    throw invalidArgumentValue('algorithm', algorithm, 'crypto.getHashes() lists what there is');
  }
}

/** The writing end of a pipe. */
import { Buffer } from 'node:buffer';
import { ChannelClosed, ZooError } from '../errors.js';
import type { Wait } from '../options.js';
import type { QueueEndpoint } from '../queue/endpoint.js';
import { closedError } from '../status.js';
import { notYet, type Request } from '../wait.js';
import { encodeFailure } from './failure.js';

const written: Promise<void> = Promise.resolve();
const forever: Wait = { timeout: Infinity, signal: undefined };

export class PipeWriter {
  /** Bytes that were written by this handle. */
  bytes = 0;
  ended = false;
  readonly #endpoint: QueueEndpoint;
  readonly #chunkSize: number;

  constructor(endpoint: QueueEndpoint, chunkSize: number) {
    this.#endpoint = endpoint;
    this.#chunkSize = Math.min(chunkSize, endpoint.limit);
  }

  write(chunk: Uint8Array, operation: string, wait: Wait | undefined): Promise<void> {
    const endpoint = this.#endpoint;
    if (wait === undefined && chunk.length <= this.#chunkSize && endpoint.writing.idle) {
      if (this.#put(chunk, operation)) return written;
    }
    return this.writeMany([chunk], operation, wait);
  }

  /** A chunk that is longer than a piece crosses in several, as there is room. */
  async writeMany(
    chunks: readonly Uint8Array[],
    operation: string,
    wait: Wait | undefined,
  ): Promise<void> {
    const before = this.bytes;
    try {
      await this.#endpoint.writing.wait(this.#pieces(chunks, operation), wait ?? forever);
    } catch (error) {
      if (error instanceof Error) Object.assign(error, { sent: this.bytes - before });
      throw error;
    }
  }

  #pieces(chunks: readonly Uint8Array[], operation: string): Request<void> {
    let index = 0;
    let position = 0;
    const next = (): Uint8Array => {
      const chunk = chunks[index] as Uint8Array;
      return chunk.length - position <= this.#chunkSize
        ? chunk.subarray(position)
        : chunk.subarray(position, position + this.#chunkSize);
    };
    const attempt = (): void | typeof notYet => {
      // Also for nothing at all: a write to a pipe that nobody reads fails.
      this.#check(operation);
      while (index < chunks.length) {
        const piece = next();
        if (!this.#put(piece, operation)) return notYet;
        position += piece.length;
        if (position < (chunks[index] as Uint8Array).length) continue;
        index += 1;
        position = 0;
      }
      return undefined;
    };
    return {
      attempt,
      operation,
      get needed() {
        return index < chunks.length ? next().length : 0;
      },
    };
  }

  /** All of it now, or nothing of it. What can never be there at once is left to `write`. */
  tryWrite(chunks: readonly Uint8Array[], operation: string): boolean {
    this.#check(operation);
    const [first] = chunks;
    if (first === undefined) return true;
    const chunk = chunks.length === 1 ? first : Buffer.concat(chunks);
    return chunk.length <= this.#endpoint.limit && this.#put(chunk, operation);
  }

  #put(chunk: Uint8Array, operation: string): boolean {
    if (chunk.length === 0) {
      this.#check(operation);
      return true;
    }
    if (!this.#endpoint.put(chunk, operation)) return false;
    this.bytes += chunk.length;
    return true;
  }

  #check(operation: string): void {
    const endpoint = this.#endpoint;
    if (endpoint.closed) throw closedError(endpoint, operation);
    if (this.ended) {
      throw new ChannelClosed(`${operation}: pipe '${endpoint.name}' was closed by this handle`, {
        segment: endpoint.name,
      });
    }
    endpoint.checkReader(operation);
  }

  /** How many bytes a write may have to be done at once; null when nobody will read them. */
  get room(): number | null {
    const endpoint = this.#endpoint;
    if (endpoint.closed || this.ended) return null;
    try {
      endpoint.checkReader('desiredSize');
      return endpoint.room();
    } catch (error) {
      if (error instanceof ZooError) return null;
      throw error;
    }
  }

  end(failure: { readonly error: unknown } | undefined): void {
    const endpoint = this.#endpoint;
    if (this.ended || endpoint.closed) return;
    this.ended = true;
    endpoint.end(failure && encodeFailure(failure.error));
    const cause = failure ? { cause: failure.error } : {};
    endpoint.writing.rejectAll(
      (operation) =>
        new ChannelClosed(
          `${operation}: pipe '${endpoint.name}' was closed by this handle while it waited for room`,
          { segment: endpoint.name, ...cause },
        ),
    );
  }
}

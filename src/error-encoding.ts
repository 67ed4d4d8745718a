/** What a task or a stream throws, on its way to another process. */
import { Buffer } from 'node:buffer';
import { decodeMessagePack, encodeLeniently } from './msgpack.js';

/**
 * What was thrown, as bytes: an error with name, message, stack, code, cause, errors and its own
 * properties, or any other value as it is. Never throws: what cannot be sent is described instead.
 *
 * @example
 * const bytes = encodeThrown(new TypeError('no', { cause: 1 }));
 * throw decodeThrown(bytes); // in another process
 */
export function encodeThrown(thrown: unknown): Uint8Array {
  try {
    return Uint8Array.from(encodeLeniently(thrown));
  } catch (error) {
    // A getter of the error itself threw.
    return Uint8Array.from(
      encodeLeniently(new Error('what was thrown could not be read', { cause: String(error) })),
    );
  }
}

/** The value that `encodeThrown` was given, or an equal one; built-in error classes are restored. */
export function decodeThrown(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decodeMessagePack(buffer, 0, buffer.length);
}

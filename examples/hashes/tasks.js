/** What the workers do, the same under both pools. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * @typedef {{ hash: string, bytes: number } | { problem: string }} Answer of one file
 */

/** Each worker has one, and reads files of any size through it. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * A file that cannot be read is an answer like any other: the next ones are hashed all the same.
 * @param {string} file
 * @returns {Answer}
 */
export function sha256(file) {
  try {
    return hashFile(file);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** @param {string} file */
function hashFile(file) {
  const descriptor = openSync(file, 'r');
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for (let read = readInto(descriptor); read > 0; read = readInto(descriptor)) {
      hash.update(buffer.subarray(0, read));
      bytes += read;
    }
    return { hash: hash.digest('hex'), bytes };
  } finally {
    closeSync(descriptor);
  }
}

/** @param {number} descriptor */
const readInto = (descriptor) => readSync(descriptor, buffer, 0, buffer.length, null);

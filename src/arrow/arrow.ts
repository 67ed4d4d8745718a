/** Apache Arrow tables through a queue. Needs the package `apache-arrow` beside this one. */
import { RecordBatchStreamWriter, tableFromIPC, type Table, type TypeMap } from 'apache-arrow';
import { ZooError } from '../errors.js';
import type { WaitOptions } from '../options.js';
import type { ZooQueue } from '../queue/queue.js';

/**
 * Puts a table in Arrow's stream format; waits for room. The columns are copied once, from where
 * they are into shared memory.
 *
 * Cancel safety: a put that is given up is not in the queue.
 *
 * @throws ZooError `ERR_ZOO_TOO_LARGE`, `ERR_ZOO_ENDED` and what else `reserve` throws
 * @example
 * await putTable(queue, tableFromArrays({ id: Int32Array.from([1, 2, 3]) }));
 */
export async function putTable<T extends TypeMap>(
  queue: ZooQueue,
  table: Table<T>,
  wait?: WaitOptions,
): Promise<void> {
  const pieces: Uint8Array[] = [];
  for await (const piece of RecordBatchStreamWriter.writeAll<T>(table)) pieces.push(piece);
  const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const slot = await queue.reserve(size, wait);
  let offset = 0;
  for (const piece of pieces) {
    slot.view.set(piece, offset);
    offset += piece.byteLength;
  }
  queue.commitWrite(slot.cursor);
}

/**
 * Reads a table in place: its columns are views of the message. They live until the view is
 * committed; copy what you want to keep. Never waits.
 *
 * @param view the `view` of a `ReadView`
 * @throws ZooError `ERR_ZOO_CORRUPT` when the bytes are no table
 * @example
 * for await (const { view } of queue.views()) console.log(readTable(view).numRows);
 */
export function readTable<T extends TypeMap = TypeMap>(view: Uint8Array): Table<T> {
  // Arrow itself takes no bytes for a table without columns.
  if (view.byteLength === 0) throw corrupt('it is empty');
  try {
    return tableFromIPC<T>(view);
  } catch (cause) {
    throw corrupt(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function corrupt(reason: string, cause?: unknown): ZooError {
  const message = `this message is no Arrow table that can be read: ${reason}`;
  return new ZooError('ERR_ZOO_CORRUPT', message, { cause });
}

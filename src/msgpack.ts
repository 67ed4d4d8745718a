/**
 * The default encoding: MessagePack by msgpackr for plain trees, a table of nodes (see
 * `value-graph.ts`) behind the byte 0xc1, which MessagePack never uses, for everything else.
 *
 * Records are off: for single small objects, encoding and decoding take half the time. What
 * msgpackr loses then (Map, cycles) never reaches it.
 */
import { Buffer } from 'node:buffer';
import { Packr, RESET_BUFFER_MODE } from 'msgpackr/pack';
import { isPlainTree } from './sendable.js';
import { flatten, rebuild } from './value-graph.js';

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  moreTypes: true,
  useToJSON: false,
  // Nothing that was decoded may point into memory that the next message overwrites.
  copyBuffers: true,
} as ConstructorParameters<typeof Packr>[0]);

const tableMark = 0xc1;
/** msgpackr keeps its buffer; after a large value it gets a small one again. */
const largestBufferKept = 1 << 20;

/**
 * The bytes of a value. They are overwritten by the next call; copy what has to stay.
 *
 * @throws ZooError `ERR_ZOO_UNSENDABLE`, with the path of the culprit
 */
export function encodeMessagePack(value: unknown): Uint8Array {
  const bytes = isPlainTree(value) ? pack(value) : encodeTable(flatten(value));
  if (bytes.buffer.byteLength > largestBufferKept) packr.useBuffer(Buffer.allocUnsafeSlow(8192));
  return bytes;
}

/** The bytes of any value: what cannot be sent is replaced by its description. */
export function encodeLeniently(value: unknown): Uint8Array {
  return encodeTable(flatten(value, true));
}

function encodeTable(table: unknown): Uint8Array {
  const packed = pack(table);
  const bytes = Buffer.allocUnsafe(packed.length + 1);
  bytes[0] = tableMark;
  bytes.set(packed, 1);
  return bytes;
}

function pack(value: unknown): Uint8Array {
  return packr.pack(value, RESET_BUFFER_MODE);
}

const range = { start: 0, end: 0 };

/** The value in bytes `start` to `end` of `source`; nothing in it points into `source`. */
export function decodeMessagePack(source: Buffer, start: number, end: number): unknown {
  if (start === end) throw new RangeError('an empty message is no value; it was put as bytes');
  if (source[start] === tableMark) {
    range.start = start + 1;
    range.end = end;
    return rebuild(packr.unpack(source, range));
  }
  range.start = start;
  range.end = end;
  return packr.unpack(source, range);
}

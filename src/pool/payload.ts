/** Values as payloads: the codec's bytes, and the large parts that stay out of them. */
import { Buffer } from 'node:buffer';
import { isMessagePack, type ValueCodec } from '../codec.js';
import { takePartsOut, type Part } from './large-values.js';
import { largeFrom } from './protocol.js';
import { decodeInteger, encodeInteger, encodeIntegers } from './small-integers.js';

export interface Payload {
  /** Overwritten by the next value. */
  readonly bytes: Uint8Array;
  readonly parts: readonly Part[];
}

const noParts: readonly Part[] = [];
const noBytes = new Uint8Array(0);

/**
 * A value on its way to another process.
 *
 * @throws ZooError `ERR_ZOO_UNSENDABLE`
 */
export function packValue(codec: ValueCodec, value: unknown): Payload {
  const integer = isMessagePack(codec) ? encodeInteger(value) : undefined;
  if (integer) return { bytes: integer, parts: noParts };
  // Most values are small, and are not looked through for large parts before that is known.
  const early = isLarge(value) ? takePartsOut(value) : undefined;
  if (early) return packWithout(codec, early);
  const bytes = codec.encode(value);
  const late = bytes.length >= largeFrom ? takePartsOut(value) : undefined;
  return late ? packWithout(codec, late) : { bytes, parts: noParts };
}

/** The same for the arguments of a call; with the codec 'bytes', the one argument is the value. */
export function packArguments(codec: ValueCodec, args: readonly unknown[]): Payload {
  if (codec.name === 'bytes') {
    const { bytes, parts } = packValue(codec, args[0]);
    return { bytes, parts: parts.map(({ path, view }) => ({ path: [0, ...path], view })) };
  }
  const integers = isMessagePack(codec) ? encodeIntegers(args) : undefined;
  if (integers) return { bytes: integers, parts: noParts };
  const early = args.some(isLarge) ? takePartsOut(args) : undefined;
  return early ? packWithout(codec, early) : packValue(codec, args);
}

function packWithout(
  codec: ValueCodec,
  { value, parts }: { value: unknown; parts: readonly Part[] },
): Payload {
  // What is left of bytes that were taken out is nothing, which this codec cannot say.
  return { bytes: codec.name === 'bytes' ? noBytes : codec.encode(value), parts };
}

function isLarge(value: unknown): boolean {
  return ArrayBuffer.isView(value) && value.byteLength >= largeFrom;
}

/** The arguments in bytes `start` to `end` of `source`; nothing in them points there. */
export function unpackArguments(
  codec: ValueCodec,
  source: Buffer,
  start: number,
  end: number,
): unknown[] {
  if (codec.name === 'bytes' && start === end) return [null];
  const value = unpackValue(codec, source, start, end);
  return codec.name === 'bytes' ? [value] : (value as unknown[]);
}

/** The value in bytes `start` to `end` of `source`; nothing in it points there. */
export function unpackValue(
  codec: ValueCodec,
  source: Buffer,
  start: number,
  end: number,
): unknown {
  if (isMessagePack(codec)) {
    const integer = decodeInteger(source, start, end);
    if (integer !== undefined) return integer;
  }
  if (!codec.keepsSource) return codec.decode(source, start, end);
  if (codec.name === 'bytes' && start === end) return noBytes;
  const copy = Buffer.from(source.subarray(start, end));
  return codec.decode(copy, 0, copy.length);
}

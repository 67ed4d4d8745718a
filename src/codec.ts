/** How values become bytes: the named codecs, and those that a user brings. */
import { Buffer } from 'node:buffer';
import { deserialize, serialize } from 'node:v8';
import { ZooError, describeValue, invalidArgumentType, invalidArgumentValue } from './errors.js';
import { decodeMessagePack, encodeMessagePack } from './msgpack.js';
import { kindOf, pathTo, unsendable } from './sendable.js';

/**
 * A codec of the user. `encode` gives the bytes of a value; they are copied at once. `decode`
 * gets a copy of its own. Both ends of a queue need the same codec.
 */
export interface CustomCodec {
  readonly name: string;
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/**
 * How values become bytes.
 *
 * - `'msgpack'` (default): what comes out equals what went in, or `put` refuses it by path.
 *   Plain objects, arrays, primitives, bigint, Date, RegExp, Map, Set, ArrayBuffer and views of
 *   it, errors; cycles and identity are kept. Class instances are refused, and so are functions,
 *   symbols, promises, proxies and SharedArrayBuffers. Getters are read; properties that are
 *   symbols or not enumerable are left out.
 * - `'json'`: what JSON keeps; refuses the rest by path. A property that is `undefined` is left out.
 * - `'v8'`: what `structuredClone` keeps (of an error: name, message, stack and cause).
 * - `'bytes'`: `Uint8Array` only, as with `putBytes`.
 */
export type Codec = 'msgpack' | 'json' | 'v8' | 'bytes' | CustomCodec;

/** A codec as the queue uses it. */
export interface ValueCodec {
  readonly name: string;
  /** The bytes of a value. */
  encode(value: unknown): Uint8Array;
  /** The next `encode` overwrites what this one gave. */
  readonly reusesBytes: boolean;
  /** The value in bytes `start` to `end` of `source`. */
  decode(source: Buffer, start: number, end: number): unknown;
  /** What `decode` gives may point into `source`, which then has to be a copy of its own. */
  readonly keepsSource: boolean;
}

const messagePack: ValueCodec = {
  name: 'msgpack',
  encode: encodeMessagePack,
  reusesBytes: true,
  decode: decodeMessagePack,
  keepsSource: false,
};

/** Whether it is the one of this package; a codec of the user may have the same name. */
export function isMessagePack(codec: ValueCodec): boolean {
  return codec === messagePack;
}

const json: ValueCodec = {
  name: 'json',
  encode(value) {
    refuseNonJson(value, 'value', []);
    return Buffer.from(JSON.stringify(value));
  },
  reusesBytes: false,
  decode: (source, start, end): unknown => JSON.parse(source.toString('utf8', start, end)),
  keepsSource: false,
};

const v8: ValueCodec = {
  name: 'v8',
  encode(value) {
    refuseNonCloneable(value);
    return serialize(value);
  },
  reusesBytes: false,
  decode: (source, start, end): unknown => deserialize(source.subarray(start, end)),
  keepsSource: true,
};

const bytes: ValueCodec = {
  name: 'bytes',
  encode(value) {
    if (value instanceof Uint8Array) return value;
    throw new ZooError(
      'ERR_ZOO_UNSENDABLE',
      `value cannot be sent: it is ${describeValue(value)}, and the codec 'bytes' takes a Uint8Array only`,
      { path: 'value' },
    );
  },
  reusesBytes: false,
  decode: (source, start, end) => source.subarray(start, end),
  keepsSource: true,
};

/** Checks the option `codec`. */
export function parseCodec(codec: unknown): ValueCodec {
  switch (codec) {
    case undefined:
    case 'msgpack':
      return messagePack;
    case 'json':
      return json;
    case 'v8':
      return v8;
    case 'bytes':
      return bytes;
    default:
      return adoptCodec(codec);
  }
}

function adoptCodec(codec: unknown): ValueCodec {
  if (typeof codec === 'string') {
    throw invalidArgumentValue(
      'codec',
      codec,
      "it must be 'msgpack', 'json', 'v8', 'bytes' or an object { name, encode, decode }",
    );
  }
  if (!isCustomCodec(codec)) {
    throw invalidArgumentType(
      'codec',
      "'msgpack', 'json', 'v8', 'bytes' or an object { name: string, encode(value), decode(bytes) }",
      codec,
    );
  }
  return {
    name: codec.name,
    encode(value) {
      const encoded: unknown = codec.encode(value);
      if (encoded instanceof Uint8Array) return encoded;
      throw invalidArgumentType(
        `the result of encode() of codec '${codec.name}'`,
        'a Uint8Array',
        encoded,
      );
    },
    reusesBytes: true,
    decode: (source, start, end) => codec.decode(source.subarray(start, end)),
    keepsSource: true,
  };
}

function isCustomCodec(codec: unknown): codec is CustomCodec {
  if (typeof codec !== 'object' || codec === null) return false;
  const { name, encode, decode } = codec as Partial<CustomCodec>;
  return typeof name === 'string' && typeof encode === 'function' && typeof decode === 'function';
}

/** JSON changes more than it refuses; what it would change is refused here. */
function refuseNonJson(value: unknown, path: string, above: object[]): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return;
      break;
    case 'object':
      if (value === null) return;
      refuseNonJsonObject(value, path, above);
      return;
    default:
      break;
  }
  throw unsendable(path, value);
}

function refuseNonJsonObject(value: object, path: string, above: object[]): void {
  const kind = kindOf(value);
  if (above.includes(value) || (kind !== 'object' && kind !== 'array')) throw notJson(value, path);
  above.push(value);
  if (kind === 'array') {
    (value as unknown[]).forEach((item, i) => refuseNonJson(item, pathTo(path, i), above));
    const found = Object.keys(value).length;
    if (found !== (value as unknown[]).length) throw notJson(value, path);
  } else {
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) refuseNonJson(item, pathTo(path, key), above);
    }
  }
  above.pop();
}

function notJson(value: object, path: string): ZooError {
  return new ZooError(
    'ERR_ZOO_UNSENDABLE',
    `${path} cannot be sent: JSON does not keep ${describeValue(value)}; use the codec 'msgpack'`,
    { path },
  );
}

/** Class instances would arrive as plain objects. Everything else V8 refuses itself, without a path. */
function refuseNonCloneable(value: unknown): void {
  const seen = new Set<object>();
  const work: { value: unknown; path: string }[] = [{ value, path: 'value' }];
  for (let item = work.pop(); item; item = work.pop()) {
    const { value: found, path } = item;
    if (typeof found === 'function' || typeof found === 'symbol') throw unsendable(path, found);
    if (typeof found !== 'object' || found === null || seen.has(found)) continue;
    seen.add(found);
    const kind = kindOf(found);
    if (kind === undefined) throw unsendable(path, found);
    if (kind === 'view' || kind === 'arraybuffer') continue;
    if (kind === 'map') {
      for (const [key, entry] of found as Map<unknown, unknown>) {
        work.push({ value: key, path: `[...${path}.keys()]` });
        work.push({ value: entry, path: `${path}.get(${describeValue(key)})` });
      }
    } else if (kind === 'set') {
      for (const entry of found as Set<unknown>) work.push({ value: entry, path: `[...${path}]` });
    } else if (kind !== 'error') {
      for (const [key, entry] of Object.entries(found))
        work.push({ value: entry, path: pathTo(path, key) });
    }
  }
}

/**
 * Which values can be sent at all, and which of them msgpackr sends without changing them.
 *
 * msgpackr is fast, but it turns -0 into 0, Maps into objects, errors into other errors, and drops
 * functions without a word. The promise here is that what comes out equals what went in. So each
 * value is looked through first: most are plain trees, and go to msgpackr as they are. All others
 * take the longer way of `value-graph.ts`, which keeps them exactly or refuses them by path.
 */
import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { ZooError, describeValue } from './errors.js';

/** What `SendableKind` an object is; everything else cannot be sent. */
export type SendableKind =
  | 'object'
  | 'array'
  | 'map'
  | 'set'
  | 'date'
  | 'regexp'
  | 'error'
  | 'arraybuffer'
  | 'view';

/** The kind of an object, or undefined when it would not arrive as what it is. */
export function kindOf(value: object): SendableKind | undefined {
  if (types.isProxy(value)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) return isNamed(prototype, 'Array') ? 'array' : undefined;
  if (types.isNativeError(value) || value instanceof Error) return 'error';
  if (isPlainPrototype(prototype)) return 'object';
  if (types.isMap(value)) return isNamed(prototype, 'Map') ? 'map' : undefined;
  if (types.isSet(value)) return isNamed(prototype, 'Set') ? 'set' : undefined;
  if (types.isDate(value)) return isNamed(prototype, 'Date') ? 'date' : undefined;
  if (types.isRegExp(value)) return isNamed(prototype, 'RegExp') ? 'regexp' : undefined;
  if (types.isArrayBuffer(value)) return 'arraybuffer';
  if (ArrayBuffer.isView(value)) return isNamed(prototype, viewName(value)) ? 'view' : undefined;
  return undefined;
}

/** The class of a typed array, as a name that can be looked up in `globalThis`. */
export function viewName(view: ArrayBufferView): string {
  if (Buffer.isBuffer(view)) return 'Buffer';
  return types.isDataView(view) ? 'DataView' : (view as Uint8Array)[Symbol.toStringTag];
}

/** By name, since objects made in another realm (`node:vm`, some test runners) have other classes. */
function isNamed(prototype: unknown, name: string): boolean {
  return (prototype as { constructor?: { name?: unknown } } | null)?.constructor?.name === name;
}

function isPlainPrototype(prototype: unknown): boolean {
  return (
    prototype === Object.prototype ||
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null &&
      Object.hasOwn(prototype as object, 'isPrototypeOf'))
  );
}

/** Strings with half a surrogate pair change in UTF-8. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

const deepest = 100;
/** Up to so many objects, a search from end to end beats a Set. */
const mostInList = 64;

const plainPrototypes = new Set<unknown>([
  Date.prototype,
  ArrayBuffer.prototype,
  DataView.prototype,
  Buffer.prototype,
  ...[
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
  ].map((type) => type.prototype),
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array].map((type) => type.prototype),
]);

const list: object[] = [];
let listed = 0;
let set: Set<object> | undefined;

/** Whether msgpackr sends this value as it is: a tree of plain objects, arrays and simple built-ins. */
export function isPlainTree(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isPlainPrimitive(value);
  try {
    return isPlainObject(value, 0);
  } catch {
    // A getter that throws, or a revoked proxy: the longer way refuses it by path.
    return false;
  } finally {
    // Nothing that was sent may be kept alive from here.
    for (let i = 0; i < listed; i++) list[i] = Object.prototype;
    listed = 0;
    set = undefined;
  }
}

function isPlainPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return isWellFormed(value);
    case 'number':
      return value !== 0 || 1 / value > 0;
    case 'bigint':
    case 'boolean':
    case 'undefined':
      return true;
    default:
      return false;
  }
}

function isPlainValue(value: unknown, depth: number): boolean {
  return typeof value === 'object' && value !== null
    ? isPlainObject(value, depth)
    : value === null || isPlainPrimitive(value);
}

function isPlainObject(value: object, depth: number): boolean {
  if (depth > deepest || isSeen(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) {
    const record = value as Record<string, unknown>;
    for (const key in record) {
      if (key === '__proto__' || !isWellFormed(key) || !isPlainValue(record[key], depth + 1))
        return false;
    }
    return !types.isProxy(value);
  }
  if (prototype === Array.prototype) {
    const array = value as unknown[];
    for (let i = 0; i < array.length; i++) {
      const item = array[i];
      if (item === undefined ? !(i in array) : !isPlainValue(item, depth + 1)) return false;
    }
    return !types.isProxy(value);
  }
  return plainPrototypes.has(prototype) && (types.isDate(value) || isBinary(value));
}

function isBinary(value: object): boolean {
  return ArrayBuffer.isView(value) || types.isArrayBuffer(value);
}

/** The same object twice, or inside itself, has to come out as one object. */
function isSeen(value: object): boolean {
  if (set) {
    if (set.has(value)) return true;
    set.add(value);
    return false;
  }
  for (let i = 0; i < listed; i++) {
    if (list[i] === value) return true;
  }
  if (listed === mostInList) (set = new Set(list)).add(value);
  else list[listed++] = value;
  return false;
}

/** The refusal of a value, naming where in it the culprit is. */
export function unsendable(path: string, culprit: unknown, cause?: unknown): ZooError {
  const details = cause === undefined ? { path } : { path, cause };
  return new ZooError(
    'ERR_ZOO_UNSENDABLE',
    `${path} cannot be sent: ${reasonAgainst(culprit)}`,
    details,
  );
}

function reasonAgainst(culprit: unknown): string {
  if (typeof culprit === 'function') {
    return `it is a function (${culprit.name || 'anonymous'}), and functions live in one process`;
  }
  if (typeof culprit === 'symbol')
    return `it is a symbol (${String(culprit)}), and symbols live in one process`;
  if (typeof culprit !== 'object' || culprit === null) return `it is ${describeValue(culprit)}`;
  if (types.isSharedArrayBuffer(culprit)) {
    return 'it is a SharedArrayBuffer, which only threads share; send a view of it to copy, or use ZooMemory';
  }
  if (types.isProxy(culprit)) return 'it is a Proxy; send what it stands for';
  const name: unknown = (culprit as { constructor?: { name?: unknown } }).constructor?.name;
  return (
    `it is an instance of ${typeof name === 'string' && name !== '' ? name : 'a class'}, which would arrive ` +
    'as something else; send a plain object with what the other side needs'
  );
}

/** `path.key`, or `path["any key"]`, or `path[3]`. */
export function pathTo(path: string, key: string | number): string {
  if (typeof key === 'number' || /^(0|[1-9]\d*)$/.test(key)) return `${path}[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

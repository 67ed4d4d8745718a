/**
 * Values that are no plain trees, as a table of nodes which is a plain tree: every object is one
 * node, and whatever points to it holds the node's number. This keeps identity and cycles, Map,
 * Set, RegExp, errors with all they carry, holes in arrays, -0, objects without a prototype, and
 * strings that are no valid Unicode.
 *
 * A slot is a primitive as it is, or `[n]`: node n. `[-1]` is -0.
 */
import { Buffer } from 'node:buffer';
import { emptyError, setErrorProperty, takeErrorApart } from './error-parts.js';
import { describeValue } from './errors.js';
import { isWellFormed, kindOf, pathTo, unsendable, viewName } from './sendable.js';

const NodeKind = {
  object: 0,
  bareObject: 1,
  array: 2,
  sparseArray: 3,
  map: 4,
  set: 5,
  date: 6,
  regexp: 7,
  error: 8,
  arrayBuffer: 9,
  view: 10,
  text: 11,
} as const;

type Slot = unknown;
type Node = readonly [kind: number, ...fields: unknown[]];

const minusZero = [-1];

/** Where an object was first met, for the path in a refusal. */
interface Origin {
  readonly parent: Origin | undefined;
  readonly step: (path: string) => string;
}

interface Work {
  readonly index: number;
  readonly value: object;
  readonly origin: Origin;
}

const root: Origin = { parent: undefined, step: () => 'value' };

/**
 * The table of a value. With `lenient`, what cannot be sent is replaced by its description: for
 * errors on their way to a log, which must not fail because of a callback inside them.
 *
 * @throws ZooError `ERR_ZOO_UNSENDABLE`, with the path of the culprit
 */
export function flatten(value: unknown, lenient = false): unknown[] {
  const flattener = new Flattener(lenient);
  const top = flattener.slot(value, root);
  return [top, flattener.run()];
}

class Flattener {
  readonly #lenient: boolean;
  readonly #indexes = new Map<object, number>();
  readonly #nodes: Node[] = [];
  readonly #work: Work[] = [];

  constructor(lenient: boolean) {
    this.#lenient = lenient;
  }

  /** A list of work instead of recursion: nesting may be deeper than the stack. */
  run(): Node[] {
    for (let item = this.#work.pop(); item; item = this.#work.pop()) {
      this.#nodes[item.index] = this.#describe(item);
    }
    return this.#nodes;
  }

  slot(value: unknown, origin: Origin): Slot {
    switch (typeof value) {
      case 'number':
        return Object.is(value, -0) ? minusZero : value;
      case 'string':
        return isWellFormed(value) ? value : [this.#addText(value)];
      case 'object':
        return value === null ? null : this.#objectSlot(value, origin);
      case 'function':
      case 'symbol':
        return this.#refuse(value, origin);
      default:
        return value;
    }
  }

  #objectSlot(value: object, origin: Origin): Slot {
    const known = this.#indexes.get(value);
    if (known !== undefined) return [known];
    if (kindOf(value) === undefined) return this.#refuse(value, origin);
    const index = this.#nodes.push([NodeKind.object]) - 1;
    this.#indexes.set(value, index);
    this.#work.push({ index, value, origin });
    return [index];
  }

  #addText(text: string): number {
    return this.#nodes.push([NodeKind.text, Buffer.from(text, 'utf16le')]) - 1;
  }

  #refuse(culprit: unknown, origin: Origin, cause?: unknown): string {
    if (this.#lenient) return describeValue(culprit);
    throw unsendable(pathOf(origin), culprit, cause);
  }

  #describe({ value, origin }: Work): Node {
    switch (kindOf(value)) {
      case 'array':
        return this.#describeArray(value as unknown[], origin);
      case 'map':
        return this.#describeMap(value as Map<unknown, unknown>, origin);
      case 'set':
        return [
          NodeKind.set,
          Array.from(value as Set<unknown>, (item, i) =>
            this.slot(item, { parent: origin, step: (path) => `[...${path}][${i}]` }),
          ),
        ];
      case 'date':
        return [NodeKind.date, (value as Date).getTime()];
      case 'regexp': {
        const { source, flags, lastIndex } = value as RegExp;
        return [NodeKind.regexp, this.slot(source, origin), flags, lastIndex];
      }
      case 'error': {
        const { className, names, values, hidden } = takeErrorApart(value as Error);
        return [NodeKind.error, className, hidden, ...this.#properties(names, values, origin)];
      }
      case 'arraybuffer':
        return [NodeKind.arrayBuffer, Buffer.from(value as ArrayBuffer)];
      case 'view': {
        const view = value as ArrayBufferView;
        const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
        return [NodeKind.view, viewName(view), bytes];
      }
      default: {
        const names = Object.keys(value);
        const values = names.map((name) => this.#read(value, name, origin));
        const kind = Object.getPrototypeOf(value) === null ? NodeKind.bareObject : NodeKind.object;
        return [kind, ...this.#properties(names, values, origin)];
      }
    }
  }

  /** A getter of the user may throw. */
  #read(value: object, name: string, origin: Origin): unknown {
    try {
      return (value as Record<string, unknown>)[name];
    } catch (error) {
      const property = { parent: origin, step: (path: string) => pathTo(path, name) };
      return this.#refuse('a getter that throws', property, error);
    }
  }

  #properties(
    names: readonly string[],
    values: readonly unknown[],
    origin: Origin,
  ): [Slot[], Slot[]] {
    const slots = values.map((value, i) =>
      this.slot(value, { parent: origin, step: (path) => pathTo(path, names[i] ?? '') }),
    );
    return [names.map((name) => this.slot(name, origin)), slots];
  }

  #describeArray(array: unknown[], origin: Origin): Node {
    const names = Object.keys(array);
    if (names.length !== array.length || names.at(-1) !== String(array.length - 1)) {
      const values = names.map((name) => this.#read(array, name, origin));
      return [NodeKind.sparseArray, array.length, ...this.#properties(names, values, origin)];
    }
    const slots = array.map((item, i) =>
      this.slot(item, { parent: origin, step: (path) => pathTo(path, i) }),
    );
    return [NodeKind.array, slots];
  }

  #describeMap(map: Map<unknown, unknown>, origin: Origin): Node {
    const keys: Slot[] = [];
    const values: Slot[] = [];
    for (const [key, value] of map) {
      const position = keys.length;
      keys.push(
        this.slot(key, { parent: origin, step: (path) => `[...${path}.keys()][${position}]` }),
      );
      values.push(
        this.slot(value, { parent: origin, step: (path) => `${path}.get(${describeValue(key)})` }),
      );
    }
    return [NodeKind.map, keys, values];
  }
}

function pathOf(origin: Origin): string {
  const steps: Origin['step'][] = [];
  for (let at: Origin | undefined = origin; at; at = at.parent) steps.push(at.step);
  return steps.reduceRight((path, step) => step(path), '');
}

/** The value of a table: first every object without its contents, then the contents. */
export function rebuild(table: unknown): unknown {
  const [top, nodes] = table as [Slot, Node[]];
  const objects = nodes.map(emptyObject);
  const resolve = (slot: Slot): unknown => {
    if (!Array.isArray(slot)) return slot;
    const index = slot[0] as number;
    return index === -1 ? -0 : objects[index];
  };
  nodes.forEach((node, i) => fill(objects[i], node, resolve));
  return resolve(top);
}

function emptyObject(node: Node): unknown {
  const [kind, first, second, third] = node;
  switch (kind) {
    case NodeKind.object:
      return {};
    case NodeKind.bareObject:
      return Object.create(null);
    case NodeKind.array:
      return [];
    case NodeKind.sparseArray:
      return new Array(first as number);
    case NodeKind.map:
      return new Map();
    case NodeKind.set:
      return new Set();
    case NodeKind.date:
      return new Date(first as number);
    case NodeKind.regexp: {
      const regexp = new RegExp(first as string, second as string);
      regexp.lastIndex = third as number;
      return regexp;
    }
    case NodeKind.error:
      return emptyError(first as string);
    case NodeKind.arrayBuffer:
      return ownBuffer(first as Uint8Array);
    case NodeKind.view:
      return viewOn(ownBuffer(second as Uint8Array), first as string);
    case NodeKind.text:
      return Buffer.from(first as Uint8Array).toString('utf16le');
    default:
      throw new TypeError(`unknown kind of node: ${String(kind)}`);
  }
}

function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

function viewOn(buffer: ArrayBuffer, name: string): unknown {
  if (name === 'Buffer') return Buffer.from(buffer);
  const type = (globalThis as Record<string, unknown>)[name];
  if (typeof type !== 'function' || !/Array$|^DataView$/.test(name)) {
    throw new TypeError(`this version of Node has no ${name}`);
  }
  return Reflect.construct(type, [buffer]);
}

function fill(object: unknown, node: Node, resolve: (slot: Slot) => unknown): void {
  const [kind, first, second, third, fourth] = node;
  switch (kind) {
    case NodeKind.object:
    case NodeKind.bareObject:
      fillProperties(object as object, first as Slot[], second as Slot[], resolve);
      break;
    case NodeKind.array:
      for (const slot of first as Slot[]) (object as unknown[]).push(resolve(slot));
      break;
    case NodeKind.sparseArray:
      fillProperties(object as object, second as Slot[], third as Slot[], resolve);
      break;
    case NodeKind.map:
      (first as Slot[]).forEach((key, i) => {
        (object as Map<unknown, unknown>).set(resolve(key), resolve((second as Slot[])[i]));
      });
      break;
    case NodeKind.set:
      for (const slot of first as Slot[]) (object as Set<unknown>).add(resolve(slot));
      break;
    case NodeKind.error:
      (third as Slot[]).forEach((name, i) => {
        const value = resolve((fourth as Slot[])[i]);
        setErrorProperty(object as Error, String(resolve(name)), value, i < (second as number));
      });
      break;
  }
}

function fillProperties(
  object: object,
  names: readonly Slot[],
  slots: readonly Slot[],
  resolve: (slot: Slot) => unknown,
): void {
  names.forEach((name, i) => {
    // Defined, not assigned: assigning to '__proto__' would change the prototype.
    Object.defineProperty(object, String(resolve(name)), {
      value: resolve(slots[i]),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  });
}

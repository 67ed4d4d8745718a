/** Options of a queue: what a user writes, checked and in plain numbers. */
import { parseCodec, type Codec, type ValueCodec } from '../codec.js';
import { invalidArgumentType, invalidArgumentValue } from '../errors.js';
import type { NativeQueueOptions, OpenMode } from '../native.js';
import {
  checkMappable,
  checkOptions,
  parseBoolean,
  parseBytes,
  parseInteger,
  parseLabel,
  parseMode,
} from '../options.js';

/** What one handle chooses for itself. */
export interface OpenOptions {
  /** The consumer group that this handle reads for. Default: the first group of the queue. */
  group?: string | undefined;
  /** How values become bytes; both ends need the same. Default `'msgpack'`. */
  codec?: Codec | undefined;
  /** Counts as a writer from the start, and not only from its first put. Default false. */
  writer?: boolean | undefined;
  /** Up to 31 bytes that `stats()` and tools show beside the process id. */
  label?: string | undefined;
}

/** What happens when a group does not keep up. */
export interface GroupOptions {
  /**
   * - `'block'` (default): writers wait for the group.
   * - `'dropOldest'`: its oldest messages give way when room is needed.
   * - `'latest'`: the same, and a consumer gets the newest message, the older ones are dropped.
   *
   * A message that a consumer holds never gives way.
   */
  overflow?: 'block' | 'dropOldest' | 'latest' | undefined;
}

/** What the creator of a queue chooses. An option left out agrees with whatever is there. */
export interface QueueOptions extends OpenOptions {
  /** Bytes of the ring, or a string like `'64KiB'`; rounded up to pages. Default `'10MiB'`. */
  size?: number | string | undefined;
  /** Frames store instead of a ring: number of equal slots. Needs `slotSize`. */
  slots?: number | undefined;
  /** Bytes of the largest message of a frames store. Needs `slots`. */
  slotSize?: number | string | undefined;
  /** 1 to 4 consumer groups, each of which gets every message. Default: one group that blocks. */
  groups?: Record<string, GroupOptions> | undefined;
  /** How often a message is handed out before it goes to the dead letters: 1 to 65535, default 5. */
  maxDeliveries?: number | undefined;
  /**
   * Permissions of the file under `/dev/shm`. Default `0o600`. When said, what is there may not be
   * wider (`ERR_ZOO_INCOMPATIBLE`). The constructor refuses what another user, other than root, has
   * made (`ERR_ZOO_ACCESS`), unless the mode that is said lets others in.
   */
  mode?: number | undefined;
  /** Sets the memory aside at once, so that a full `/dev/shm` is an error now. Default true. */
  reserve?: boolean | undefined;
  /** Touches every page at once. Default false for a ring, true for frames. */
  prefault?: boolean | undefined;
  /** Keeps the name when this process ends. Default false. */
  persist?: boolean | undefined;
}

const openNames = ['group', 'codec', 'writer', 'label'] as const;
const queueNames = [
  'size',
  'slots',
  'slotSize',
  'groups',
  'maxDeliveries',
  'mode',
  'reserve',
  'prefault',
  'persist',
  ...openNames,
] as const;

const overflows = ['block', 'dropOldest', 'latest'] as const;
const mostGroups = 4;
const validGroup = /^[A-Za-z0-9._-]{1,31}$/;
const mostSlots = 1 << 16;

export interface ParsedQueueOptions {
  readonly native: NativeQueueOptions;
  readonly codec: ValueCodec;
}

export function parseQueueOptions(options: unknown, openMode: OpenMode): ParsedQueueOptions {
  const given = checkOptions<QueueOptions>('options', options, queueNames);
  const native: NativeQueueOptions = {
    openMode,
    ...defined({
      ...parseStore(given),
      groups: parseGroups(given.groups),
      maxDeliveries: parseInteger('maxDeliveries', given.maxDeliveries, 1, 65535),
      mode: parseMode(given.mode),
      reserve: parseBoolean('reserve', given.reserve),
      prefault: parseBoolean('prefault', given.prefault),
      persist: parseBoolean('persist', given.persist),
      group: parseGroupName(given.group),
      writer: parseBoolean('writer', given.writer),
      label: parseLabel(given.label),
    }),
  };
  return { native, codec: parseCodec(given.codec) };
}

/** Without the properties that are undefined, which the addon would have to tell apart. */
function defined<O extends object>(options: O): { [K in keyof O]?: Exclude<O[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof O]?: Exclude<O[K], undefined> };
}

interface Store {
  bytes?: number;
  slots?: number;
  slotBytes?: number;
}

function parseStore({ size, slots, slotSize }: QueueOptions): Store {
  if (slots === undefined && slotSize === undefined)
    return size === undefined ? {} : { bytes: parseRing(size) };
  if (slots === undefined || slotSize === undefined) {
    const [present, absent] = slots === undefined ? ['slotSize', 'slots'] : ['slots', 'slotSize'];
    throw invalidArgumentValue(
      present,
      slots ?? slotSize,
      `a frames store needs '${absent}' as well`,
    );
  }
  if (size !== undefined) {
    throw invalidArgumentValue(
      'size',
      size,
      "a frames store has 'slots' and 'slotSize' instead of 'size'",
    );
  }
  const count = parseInteger('slots', slots, 1, mostSlots) ?? 1;
  const slotBytes = parseBytes('slotSize', slotSize);
  checkMappable('slots times slotSize', count * slotBytes);
  return { slots: count, slotBytes };
}

function parseRing(size: number | string): number {
  // The ring is mapped twice, so that every message is in one piece.
  return parseBytes('size', size, 2);
}

function parseGroups(groups: unknown): { name: string; overflow: number }[] | undefined {
  if (groups === undefined) return undefined;
  if (typeof groups !== 'object' || groups === null || Array.isArray(groups)) {
    throw invalidArgumentType('groups', 'an object with a name and options for each group', groups);
  }
  const entries = Object.entries(groups);
  if (entries.length < 1 || entries.length > mostGroups) {
    throw invalidArgumentValue(
      'groups',
      groups,
      `there must be 1 to ${mostGroups}, not ${entries.length}`,
    );
  }
  return entries.map(([name, options]) => {
    checkGroupName(`group name '${name}'`, name);
    const { overflow = 'block' } = checkOptions<GroupOptions>(`group '${name}'`, options, [
      'overflow',
    ]);
    const index = overflows.indexOf(overflow);
    if (index < 0) {
      throw invalidArgumentValue(
        `overflow of group '${name}'`,
        overflow,
        `it must be ${overflows.join(', ')}`,
      );
    }
    return { name, overflow: index };
  });
}

function parseGroupName(group: unknown): string | undefined {
  if (group === undefined) return undefined;
  if (typeof group !== 'string') throw invalidArgumentType('group', 'a string', group);
  checkGroupName('group', group);
  return group;
}

function checkGroupName(argument: string, name: string): void {
  if (validGroup.test(name)) return;
  throw invalidArgumentValue(
    argument,
    name,
    'it must be 1 to 31 of the characters A-Z a-z 0-9 . _ -',
  );
}

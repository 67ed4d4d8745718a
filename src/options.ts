/** Checks of arguments and options that queues, locks and memory share. */
import { constants } from 'node:buffer';
import { invalidArgumentType, invalidArgumentValue, outOfRange } from './errors.js';

/** How long a call waits, and what ends the wait early. */
export interface WaitOptions {
  /** Milliseconds, 0 or more; `Infinity`, the default, waits for ever. 0 tries once. */
  timeout?: number | undefined;
  /** Ends the wait with an `AbortError`. */
  signal?: AbortSignal | undefined;
}

/** How long a blocking call waits. */
export interface SyncWaitOptions {
  /** Milliseconds, 0 or more; `Infinity`, the default, waits for ever. 0 tries once. */
  timeout?: number | undefined;
}

/** A wait after checking. */
export interface Wait {
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

const forever: Wait = { timeout: Infinity, signal: undefined };

/** Checks `{ timeout, signal }`. */
export function parseWait(options: unknown): Wait {
  if (options === undefined) return forever;
  const { timeout, signal } = checkOptions<WaitOptions>('wait', options, ['timeout', 'signal']);
  return { timeout: parseTimeout(timeout), signal: parseSignal(signal) };
}

/** Checks the `{ timeout }` of a blocking call, which no signal can interrupt. */
export function parseSyncWait(options: unknown): number {
  if (options === undefined) return Infinity;
  return parseTimeout(checkOptions<SyncWaitOptions>('wait', options, ['timeout']).timeout);
}

function parseTimeout(timeout: unknown): number {
  if (timeout === undefined) return Infinity;
  if (typeof timeout !== 'number')
    throw invalidArgumentType('timeout', 'a number of milliseconds', timeout);
  if (!(timeout >= 0))
    throw outOfRange('timeout', 'a number of milliseconds from 0 to Infinity', timeout);
  return timeout;
}

export function parseSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  if (typeof signal !== 'object' || signal === null || !('aborted' in signal)) {
    throw invalidArgumentType('signal', 'an AbortSignal', signal);
  }
  return signal as AbortSignal;
}

/** Refuses what is no object, and names that no option has. */
export function checkOptions<O extends object>(
  argument: string,
  options: unknown,
  known: readonly string[],
): Partial<O> {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidArgumentType(argument, 'an object', options);
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw invalidArgumentValue(
        `option '${key}'`,
        (options as Record<string, unknown>)[key],
        `there is no such option here; known are ${known.join(', ')}`,
      );
    }
  }
  return options as Partial<O>;
}

const validName = /^[A-Za-z0-9._-]{1,200}$/;

/** The name of a segment without its optional leading slash: the file's name under `/dev/shm`. */
export function parseName(name: unknown): string {
  if (typeof name !== 'string') throw invalidArgumentType('name', 'a string', name);
  const bare = name.startsWith('/') ? name.slice(1) : name;
  if (!validName.test(bare) || bare === '.' || bare === '..') {
    throw invalidArgumentValue(
      'name',
      name,
      "it must be 1 to 200 of the characters A-Z a-z 0-9 . _ -, not '.' or '..', and may begin with one '/'",
    );
  }
  return bare;
}

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** A size as bytes, that can be mapped `times` times: a whole number, or a string like '64KiB', '1.5GiB'. */
export function parseBytes(option: string, size: unknown, times = 1): number {
  if (typeof size !== 'number' && typeof size !== 'string') {
    throw invalidArgumentType(option, "a number of bytes or a string like '64KiB'", size);
  }
  const bytes = typeof size === 'number' ? size : parseBytesText(option, size);
  if (!Number.isInteger(bytes) || bytes < 1) {
    throw outOfRange(option, 'a whole number of bytes, 1 or more', size);
  }
  checkMappable(option, bytes, times);
  return bytes;
}

function parseBytesText(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB|TiB)?$/.exec(text);
  if (!match) {
    throw invalidArgumentValue(
      option,
      text,
      "write it as a number of bytes or with one of B, KiB, MiB, GiB, TiB, like '64KiB'",
    );
  }
  return Number(match[1]) * (unitBytes[match[2] ?? 'B'] ?? 1);
}

/**
 * Refuses sizes that this Node cannot have in one ArrayBuffer (4 GiB on Node 20), where they are
 * mapped `times` times.
 */
export function checkMappable(option: string, bytes: number, times = 1): void {
  const limit = Math.floor(constants.MAX_LENGTH / times);
  if (bytes > limit) {
    throw outOfRange(
      option,
      `at most ${limit} bytes, which is what Node ${process.versions.node} can map`,
      bytes,
    );
  }
}

export function parseInteger(
  option: string,
  value: unknown,
  least: number,
  most: number,
): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw invalidArgumentType(option, 'a number', value);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw outOfRange(option, `a whole number from ${least} to ${most}`, value);
  }
  return value;
}

export function parseBoolean(option: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalidArgumentType(option, 'true or false', value);
}

/** File permissions, as in `fs.open`. */
export function parseMode(mode: unknown): number | undefined {
  if (mode !== undefined && typeof mode === 'number' && !(mode >= 0 && mode <= 0o777)) {
    throw outOfRange('mode', 'file permissions from 0 to 0o777', mode);
  }
  return parseInteger('mode', mode, 0, 0o777);
}

const mostLabelBytes = 31;

/** A text that tools show beside the process id. */
export function parseLabel(label: unknown): string | undefined {
  if (label === undefined) return undefined;
  if (typeof label !== 'string') throw invalidArgumentType('label', 'a string', label);
  if (Buffer.byteLength(label) > mostLabelBytes || label.includes('\0')) {
    throw invalidArgumentValue(
      'label',
      label,
      `it must be at most ${mostLabelBytes} bytes of UTF-8 without NUL`,
    );
  }
  return label;
}

/** How many messages a batch call may handle. */
export function parseCount(argument: string, count: unknown): number {
  if (typeof count !== 'number') throw invalidArgumentType(argument, 'a number', count);
  if (!Number.isInteger(count) || count < 1)
    throw outOfRange(argument, 'a whole number, 1 or more', count);
  return count;
}

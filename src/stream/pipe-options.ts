/** What a user chooses for a pipe, checked. */
import { invalidArgumentValue } from '../errors.js';
import {
  checkOptions,
  parseBoolean,
  parseBytes,
  parseLabel,
  parseMode,
  type WaitOptions,
} from '../options.js';
import type { RingOptions } from '../queue/open-ring.js';

/** What the creator of a pipe chooses. */
export interface PipeOptions {
  /** Which end the creator takes; who opens the pipe gets the other. Default `'writer'`. */
  as?: 'writer' | 'reader' | undefined;
  /** Bytes that may be under way, or a string like `'64KiB'`, in whole pages. Default `'10MiB'`. */
  memoryLimit?: number | string | undefined;
  /**
   * Largest piece that crosses at once: what is written in longer chunks is divided. Default
   * `'1MiB'`, or a quarter of the memory if that is less. It counts for the creator as a writer.
   */
  chunkSize?: number | string | undefined;
  /** Permissions of the file under `/dev/shm`. Default `0o600`. */
  mode?: number | undefined;
  /** Sets the memory aside at once, so that a full `/dev/shm` is an error now. Default true. */
  reserve?: boolean | undefined;
  /** Keeps the name when this process ends. Default false. */
  persist?: boolean | undefined;
  /** Up to 31 bytes that tools show beside the process id. */
  label?: string | undefined;
}

/** How long to wait for the creator of a pipe. */
export interface PipeOpenOptions extends WaitOptions {
  label?: string | undefined;
}

const pipeNames = [
  'as',
  'memoryLimit',
  'chunkSize',
  'mode',
  'reserve',
  'persist',
  'label',
] as const;
const defaultMemory = 10 * 1024 * 1024;
const defaultChunk = 1024 * 1024;
const pageBytes = 4096;

/** What `create` was given. */
export function parsePipeOptions(options: unknown): {
  ring: RingOptions;
  chunkSize: number | undefined;
} {
  const given = checkOptions<PipeOptions>('options', options, pipeNames);
  const { as = 'writer', memoryLimit = defaultMemory } = given;
  if (as !== 'writer' && as !== 'reader') {
    throw invalidArgumentValue('as', as, "it must be 'writer' or 'reader'");
  }
  const bytes = parseBytes('memoryLimit', memoryLimit, 2);
  const chunkSize =
    given.chunkSize === undefined ? undefined : parseBytes('chunkSize', given.chunkSize);
  const ring = {
    // A limit is not rounded up.
    bytes: Math.max(pageBytes, bytes - (bytes % pageBytes)),
    end: as,
    mode: parseMode(given.mode),
    reserve: parseBoolean('reserve', given.reserve),
    persist: parseBoolean('persist', given.persist),
    label: parseLabel(given.label),
  };
  return { ring, chunkSize };
}

/** The size of a piece where the user has not chosen one. */
export function defaultChunkIn(memory: number): number {
  return Math.min(defaultChunk, Math.max(pageBytes / 2, Math.floor(memory / 4)));
}

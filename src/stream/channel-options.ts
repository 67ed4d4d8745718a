/** What a user chooses for a channel. */
import type { Codec } from '../codec.js';
import type { WaitOptions } from '../options.js';
import type { WhenFull } from './local-store.js';

interface HandleOptions {
  /**
   * How many messages one pull may take. 1, the default, is fair to slow workers; 64 is fast.
   * Messages that were taken ahead wait in the handle, and go back to the others when it dies.
   */
  prefetch?: number | undefined;
  /** How values become bytes. Default `'msgpack'`, and for those who open it the creator's. */
  codec?: Codec | undefined;
  /** Up to 31 bytes that tools show beside the process id. */
  label?: string | undefined;
}

export interface LocalChannelOptions {
  /**
   * - `'wait'` (default): senders wait for room.
   * - `'drop-oldest'`: the oldest message gives way.
   * - `'drop-newest'`: what is sent is dropped.
   */
  whenFull?: WhenFull | undefined;
}

export interface ChannelOptions extends HandleOptions {
  /** Bytes of the ring, or a string like `'64KiB'`; rounded up to pages. Default `'10MiB'`. */
  bytes?: number | string | undefined;
  /** How many messages may wait at the same time. Default: as many as the ring has room for. */
  capacity?: number | undefined;
  /** `'wait'` (default): senders wait for room. `'drop-oldest'`: the oldest messages give way. */
  whenFull?: 'wait' | 'drop-oldest' | undefined;
  /** Permissions of the file under `/dev/shm`. Default `0o600`. */
  mode?: number | undefined;
  /** Sets the memory aside at once, so that a full `/dev/shm` is an error now. Default true. */
  reserve?: boolean | undefined;
  /** Keeps the name when this process ends. Default false. */
  persist?: boolean | undefined;
}

export interface ChannelOpenOptions extends HandleOptions, WaitOptions {}

export const openNames = ['prefetch', 'codec', 'label', 'timeout', 'signal'] as const;

export const channelNames = [
  'prefetch',
  'codec',
  'label',
  'bytes',
  'capacity',
  'whenFull',
  'mode',
  'reserve',
  'persist',
] as const;

/**
 * The typed mirror of the addon: what `native/addon` offers to JavaScript, and nothing more.
 *
 * Calls that a message passes through ("hot" calls) are plain functions which take and return
 * numbers. A negative number is a `Status`; more than one result comes back in `scratch`. Calls
 * which happen once (opening, closing, statistics) take and return objects and throw a
 * `NativeFailure`.
 */
import { loadAddon } from './addon-loader.js';

/** What a hot call answers when it has no result. */
export const Status = {
  ok: 0,
  /** Nothing to read, no room to write, lock held by somebody: try again after a wait. */
  wouldBlock: -1,
  /** The queue is at its end (reading: and drained). */
  ended: -2,
  /** Drained, and the last writer died. `scratch[0]` is its process id. */
  peerDied: -3,
  /** The name was made anew; this handle is on the old segment. Only waits and `arm…` say so. */
  gone: -4,
  /** The handle is closed. */
  closed: -5,
  /** The segment is damaged. `corruption()` says where. */
  corrupt: -6,
  /** The message can never fit. */
  tooLarge: -7,
  /** No such view: it was committed before, or never was. */
  cursor: -8,
  /** The message does not fit into the slab. `scratch[0]` is its size; it was not taken. */
  slabTooSmall: -9,
  /** The lock is held by this handle already. */
  deadlock: -10,
  /** The lock is not held by this handle. */
  notOwner: -11,
  /** Drained, and a writer has closed the channel with an error. `scratch[0]` is its process id. */
  failed: -12,
  /** The reader of the pipe has left. `scratch[0]` is its process id when it died, else 0. */
  noReader: -13,
  /** Sizes that do not add up to the bytes they were given with. */
  misfit: -14,
} as const;

/** Numbers of one message in `scratch`: message i begins at `i * fieldsPerView`. */
export const ViewField = {
  offset: 0,
  bytes: 1,
  seq: 2,
  deliveries: 3,
  timestamp: 4,
  cursor: 5,
} as const;
export const fieldsPerView = 6;
/** Most messages one batch call handles. */
export const maxBatch = 1024;

/** What cold calls throw: an `Error` whose message is complete, with these properties. */
export interface NativeFailure extends Error {
  code: string;
  errno?: number;
  syscall?: string;
  pid?: number;
  needed?: number;
  free?: number;
  size?: number;
  limit?: number;
}

/** What every handle has, whatever it is a handle on. */
export interface NativeHandle {
  /** Number of this handle in this environment; `onWake` names handles by it. */
  readonly id: number;
  /** Whether this handle made the segment. */
  readonly created: boolean;
  /** Lets go: detaches the memory, frees the participant slot. Idempotent. `proper` false leaves the slot as a death would. */
  close(): void;
  /** Removes the name if it still leads to this segment. Works after `close()`. False when there was none. */
  unlink(): boolean;
  /** What is damaged, after `Status.corrupt`. */
  corruption(): string;
}

export interface NativeQueue extends NativeHandle {
  /** The store's bytes; a ring is mapped twice, so every record is contiguous. Offsets count from here. */
  readonly memory: ArrayBuffer;
  /** Bytes of the store (ring bytes, or slots times slot size). */
  readonly capacity: number;
  /** Bytes of the largest message. */
  readonly limit: number;
  /** Slots of the frames store, 0 for a ring. */
  readonly slots: number;
  /** Name of the group this handle reads for, and all groups. */
  readonly group: string;
  readonly groups: readonly string[];

  /** Channel: name of the creator's codec. Pipe: which end this handle has. */
  readonly codec: string;
  readonly pipeEnd: 'writer' | 'reader';

  /** Puts a copy. ok, wouldBlock, ended, noReader, tooLarge, corrupt, closed. */
  put(bytes: Uint8Array): number;
  /**
   * Puts copies of messages that lie side by side in `bytes`. Answers how many there was room for
   * (> 0), or as `put` for the first, or misfit.
   */
  putPacked(bytes: Uint8Array, sizes: Uint32Array): number;
  /** Sets a message of `size` bytes aside. Answers its cursor (>= 0); `scratch[0]` is its offset. */
  reserve(size: number): number;
  /** Makes a reserved message visible with its first `bytes` bytes. ok, cursor, corrupt. */
  commit(cursor: number, bytes: number): number;
  abort(cursor: number): number;
  /**
   * Takes one message: copies it into the slab at byte `at` and acknowledges it.
   * Answers its size (>= 0), wouldBlock, ended, peerDied, slabTooSmall, corrupt, closed.
   */
  take(at: number): number;
  /**
   * Takes up to `max` (<= maxBatch) messages that fit into the slab from `at`, each behind the one
   * before at a multiple of 8. Answers how many (> 0) or as `take`; their sizes are in `scratch` as
   * numbers of 32 bits.
   */
  takeMany(max: number, at: number): number;
  /** The same without gaps between the messages. */
  takePacked(max: number, at: number): number;
  /** Claims up to `max` (<= maxBatch) messages in place. Answers how many (> 0) or as `take`; the fields are in `scratch`. */
  claim(max: number): number;
  /** Claims the oldest dead letter: 1 with its fields in `scratch`, or wouldBlock. Released like a claim. */
  claimDead(): number;
  /** Done with a claimed message. ok or cursor. */
  release(cursor: number): number;
  /** The same for the `count` cursors in `scratch[0..count)`. Answers ok, or cursor when one was unknown (the others are released; the index of the first bad one is in `scratch[0]`). */
  releaseBatch(count: number): number;
  /** Gives a claimed message back: offered again with one delivery more. ok or cursor. */
  reject(cursor: number): number;

  /** Blocks up to `milliseconds` (at most 100 at a time) until a message may be there. ok: try again. Or ended, peerDied, gone, corrupt. */
  waitReadable(milliseconds: number): number;
  /** The same until room for `bytes` may be there; at most 20 ms at a time, so that a dead viewer is found soon. */
  waitWritable(bytes: number, milliseconds: number): number;
  /** Asks to be woken through `onWake` when a message may be there. Try once more after arming, then sleep. ok, ended, peerDied, gone, corrupt. */
  armRead(): number;
  armWrite(bytes: number): number;
  disarmRead(): void;
  disarmWrite(): void;
  /** Looks for dead participants and repairs what they left. To be called about every 100 ms while waiting, every 20 ms while waiting for room. Answers how many were found. */
  lookAround(): number;

  /** This handle puts no more. ok, or closed. */
  end(): number;
  /** 1: from now on nobody is woken by what is put, though it can be read; 0: who was not woken is woken now. */
  holdWakes(on: 0 | 1): number;
  /** Counts as a writer from now on. ok or ended. */
  becomeWriter(): number;
  /** Channel, pipe: ends it for all writers with these bytes (at most 16 KiB), which say what went wrong. */
  fail(bytes: Uint8Array): number;
  /** The bytes of `fail`, empty when there are none; undefined when they are damaged. */
  failure(): Buffer | undefined;
  /** Channel: shows as a reader in `stats()` from now on. */
  becomeReader(): number;
  /** Pipe: 1 when its reader has left, `scratch[0]` is its process id when it died, else 0. */
  readerLeft(): number;
  /** Bytes of the largest message that fits into a ring now. */
  room(): number;
  /** Messages waiting for this handle's group. */
  length(): number;
  /** Undefined after `close()`, and after the end of the process has closed it. */
  stats(): NativeQueueStats | undefined;
}

export interface NativeQueueStats {
  messages: number;
  bytes: number;
  puts: number;
  gets: number;
  redelivered: number;
  dead: number;
  deadGivenUp: number;
  reaped: number;
  recoveries: number;
  blockedBytes: number;
  /** -1: there is none. */
  oldestReservationMs: number;
  groups: {
    name: string;
    overflow: number;
    backlog: number;
    claimed: number;
    dropped: number;
    /** slot -1: nobody holds anything. */
    oldestClaim: { slot: number; pid: number; label: string; ageMs: number };
  }[];
  participants: {
    slot: number;
    pid: number;
    label: string;
    group: string;
    writer: boolean;
    ended: boolean;
    /** Of a channel or pipe. */
    reader: boolean;
    waiting: boolean;
    /** Milliseconds since 1970. */
    since: number;
  }[];
}

export interface NativeLock extends NativeHandle {
  /** ok, wouldBlock, deadlock, closed, corrupt, or 1: taken, but the previous owner died with it. `scratch[0]` is the generation, `scratch[1]` the dead owner's process id. */
  tryAcquire(): number;
  /** The same, blocking up to `milliseconds` (at most 100 at a time); wouldBlock when they passed. Also gone. */
  acquire(milliseconds: number): number;
  /** ok or notOwner. `recovered` false: the next owner is told again. */
  release(recovered: boolean): number;
  /** Asks to be woken through `onWake` when the lock may be free. ok or gone. Try once more after arming, then sleep; try again every 10 ms at the latest, since a dead owner rings nobody. */
  arm(): number;
  disarm(): void;
  owner(): { pid: number; label: string; since: number } | undefined;
}

export interface NativeMemory extends NativeHandle {
  readonly memory: ArrayBuffer;
  readonly byteLength: number;
  /** A new buffer on the same bytes; the one before, and all views of it, are empty. Undefined after `close()`. */
  renew(): ArrayBuffer | undefined;
}

/** What to do about an existing segment: fail, need it, or either. */
export type OpenMode = 'create' | 'open' | 'either';

/** Everything is checked and in plain numbers; an option the user left out is undefined. */
export interface NativeQueueOptions {
  openMode: OpenMode;
  bytes?: number;
  slots?: number;
  slotBytes?: number;
  /** overflow: 0 block, 1 dropOldest, 2 latest */
  groups?: { name: string; overflow: number }[];
  maxDeliveries?: number;
  mode?: number;
  reserve?: boolean;
  prefault?: boolean;
  persist?: boolean;
  group?: string;
  writer?: boolean;
  label?: string;
  /** Default `'queue'`. */
  kind?: 'queue' | 'channel' | 'pipe';
  /** Channel: the creator's, and how many messages may wait at the same time. */
  codec?: string;
  mostMessages?: number;
  /** Pipe: the end that its creator takes; who opens it gets the other. */
  end?: 'writer' | 'reader';
}
export interface NativeLockOptions {
  mode?: number;
  label?: string;
}
export interface NativeMemoryOptions {
  openMode: 'create' | 'open';
  bytes?: number;
  mode?: number;
  reserve?: boolean;
  persist?: boolean;
}

export interface Addon {
  /** Results of hot calls: `maxBatch * fieldsPerView` numbers, one array per environment. */
  readonly scratch: Float64Array;
  openQueue(name: string, options: NativeQueueOptions): NativeQueue;
  openLock(name: string, options: NativeLockOptions): NativeLock;
  openMemory(name: string, options: NativeMemoryOptions): NativeMemory;
  /** Removes a name of this kind. False: there was none. Throws ERR_ZOO_KIND, ERR_ZOO_CORRUPT, ERR_ZOO_ACCESS. */
  unlinkQueue(name: string): boolean;
  unlinkChannel(name: string): boolean;
  unlinkPipe(name: string): boolean;
  unlinkLock(name: string): boolean;
  unlinkMemory(name: string): boolean;
  /** The buffer that `take`, `takeMany` and `takePacked` copy into, from now on. */
  setSlab(slab: ArrayBuffer): void;
  /** `callback(count)` runs on the event loop when handles were woken: their ids are in `scratch[0..count)`. Set once. */
  onWake(callback: (count: number) => void): void;
  /** Whether waits keep the process alive right now. */
  keepAlive(on: boolean): void;
  /** The program no longer handles SIGINT or SIGTERM: from now on they remove the names made here again. */
  watchSignals(): void;
  /** Memory for a large copy, with whatever was in it before in this process; it is used again once the buffer was collected. */
  warmBuffer(bytes: number): ArrayBuffer;
  /** When the process `parent` has ended, this one clears up and ends, whatever it does then. Ends at once when it has ended already. With `thread` 1, also when only the thread has ended that started it. False: this system cannot do it. */
  endWithParent(parent: number, thread: 0 | 1): boolean;
  /** At the end of the process or worker: `proper` closes every handle (exit code 0), and names made here are removed. */
  leave(proper: boolean): void;
}

let addon: Addon | undefined;

/** The addon, loaded at first use: importing works on every platform, using does not. */
export function native(): Addon {
  addon ??= loadAddon();
  return addon;
}

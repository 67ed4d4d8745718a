/** What `stats()` gives: plain numbers, and who takes part. */
import type { NativeQueueStats } from '../native.js';

/** One consumer group of a queue. */
export interface GroupStats {
  /** Messages that nobody of the group has taken yet. */
  backlog: number;
  /** Messages that consumers of the group hold in views. */
  claimed: number;
  /** Messages that the group never saw, as its `overflow` allows. */
  dropped: number;
  /** The view that is out longest, and who holds it: what may hold a writer up. */
  oldestClaim?: { slot: number; pid: number; label: string; ageMs: number };
}

/** One open handle on a queue, in this or another process. */
export interface Participant {
  slot: number;
  pid: number;
  label: string;
  group: string;
  writer: boolean;
  /** It has called `end()`. */
  ended: boolean;
  /** It waits right now. */
  waiting: boolean;
  /** When it was opened, in milliseconds since 1970. */
  since: number;
}

/** Numbers since the queue was made, unless said otherwise. */
export interface QueueStats {
  /** Messages in the queue now. */
  messages: number;
  /** Bytes in use now. */
  bytes: number;
  /** Bytes of the store. */
  capacity: number;
  puts: number;
  gets: number;
  /** Messages that were offered again. */
  redelivered: number;
  /** Messages that went to the dead letters so far, for want of a reader that finished them. */
  dead: number;
  /** Dead letters that gave way to newer ones. */
  deadGivenUp: number;
  /** Participants that died and were cleaned up after. */
  reaped: number;
  /** How often a participant died inside a critical section, and the queue was repaired. */
  recoveries: number;
  /** Bytes that are done but cannot be used again, because an older message is still held. */
  blockedBytes: number;
  /** Age of the oldest reservation that is not committed, if there is one. */
  oldestReservationMs: number | undefined;
  groups: Record<string, GroupStats>;
  participants: Participant[];
}

export function readStats(native: NativeQueueStats, capacity: number): QueueStats {
  const { groups, oldestReservationMs, participants, ...numbers } = native;
  return {
    ...numbers,
    capacity,
    oldestReservationMs: oldestReservationMs < 0 ? undefined : oldestReservationMs,
    groups: Object.fromEntries(
      groups.map(({ name, backlog, claimed, dropped, oldestClaim }) => [
        name,
        { backlog, claimed, dropped, ...(oldestClaim.slot < 0 ? {} : { oldestClaim }) },
      ]),
    ),
    participants: participants.map(({ reader: _reader, ...participant }) => participant),
  };
}

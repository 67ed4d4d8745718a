/** What a channel stands on: shared memory, or an array of this process. */
import type { ReadView } from '../queue/views.js';
import type { Wait } from '../options.js';
import type { PendingWait, notYet } from '../wait.js';

/** Numbers of a channel or pipe, as `stats()` gives them. */
export interface ChannelStats {
  /** Messages that nobody has taken yet. */
  depth: number;
  /** Bytes in use now, 0 for a local channel. */
  bytes: number;
  /** Messages sent so far, by everybody. */
  sent: number;
  /** Messages that were taken and finished so far. */
  received: number;
  /** Messages that gave way, as `whenFull` allows. */
  dropped: number;
  /** Handles that may send: those that have sent, and the creator's, until they close. */
  writers: number;
  /** Handles that have received. */
  readers: number;
  /** Processes that died with the channel open. */
  died: number;
}

/** Of many messages that were taken at once, one that is no value. */
export class Undecodable {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** A message in place that is either done with or given back. */
export interface HeldView extends ReadView {
  giveBack(): void;
}

/** One handle. `take…` throw at the end; `notYet` means that waiting makes sense. */
export interface ChannelStore<T> {
  readonly name: string;
  /** Let go of. */
  readonly closed: boolean;
  /** How many messages one pull may take. */
  readonly prefetch: number;

  send(value: T, operation: string, wait: Wait | undefined): Promise<void>;
  sendMany(values: readonly T[], operation: string, wait: Wait | undefined): Promise<void>;
  /** False: no room now. */
  trySend(value: T, operation: string): boolean;
  /** No more is sent by this handle; pending sends reject. */
  end(failure: { readonly error: unknown } | undefined): void;

  /** Takes and acknowledges one message. With `tries`, the end is `notYet` as well. */
  take(operation: string, tries: boolean): T | typeof notYet;
  /** Takes and acknowledges up to `max`, at least one. */
  takeMany(max: number, operation: string): readonly (T | Undecodable)[] | typeof notYet;
  takeView(operation: string): HeldView | typeof notYet;
  /** Nobody is in line for a message. */
  readonly idle: boolean;
  /** Joins the line for messages. */
  enter<R>(attempt: () => R | typeof notYet, operation: string, wait: Wait): PendingWait<R>;
  /** There is something for those in line that did not come by a send. */
  serve(): void;

  stats(): ChannelStats;
  readonly referenced: boolean;
  setReferenced(referenced: boolean): void;
  /** Lets go of everything; pending waits reject. */
  close(): void;
  /** Removes the name. */
  unlink(): boolean;
  readonly unlinkWhenDisposed: boolean;
}

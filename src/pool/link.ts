/** One end of a ring between a pool and a worker: frames go in, and are handed to a function as they come. */
import { Buffer } from 'node:buffer';
import { ZooError } from '../errors.js';
import { Status } from '../native.js';
import type { QueueEndpoint } from '../queue/endpoint.js';
import { openEndpoint } from '../queue/open.js';
import { selectValueSlab } from '../queue/slab.js';
import type { ClaimedView } from '../queue/views.js';
import { notYet, type PendingWait } from '../wait.js';
import { bytesOfFrame, type Frame } from './protocol.js';

/** The pool makes the rings while the worker starts. Milliseconds, and for how many of them. */
const attemptEvery = 2;
const mostAttempts = 5000;

/** What a frame is given to: it lies in bytes `start` to `end` of `source`, until the function returns. */
export type FrameReader = (source: Buffer, start: number, end: number) => void;

export class Link {
  readonly endpoint: QueueEndpoint;
  /** The ring's memory; claimed frames lie in it. */
  readonly memory: Buffer;
  #listening: PendingWait<void> | undefined;

  private constructor(endpoint: QueueEndpoint) {
    this.endpoint = endpoint;
    this.memory = Buffer.from(endpoint.memory);
  }

  /** Makes the ring; this end counts as a writer when it is `sending`. */
  static make(name: string, bytes: number, sending: boolean): Link {
    // A frame that was claimed twice belongs to a dead worker, and is never offered to another.
    const options = { size: bytes, writer: sending, maxDeliveries: 65535 };
    return new Link(openEndpoint(name, options, 'create'));
  }

  /**
   * Opens the ring, and takes its name away: nobody else is meant to find it. Blocks for a moment
   * when it has not been made yet.
   */
  static adopt(name: string, sending: boolean): Link {
    for (let attempt = 0; ; attempt++) {
      try {
        const link = new Link(openEndpoint(name, { writer: sending }, 'open'));
        link.endpoint.native.unlink();
        return link;
      } catch (error) {
        const isMissing = error instanceof ZooError && error.code === 'ERR_ZOO_NOT_FOUND';
        if (!isMissing || attempt === mostAttempts) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, attemptEvery);
      }
    }
  }

  /** Bytes of the largest frame. */
  get limit(): number {
    return this.endpoint.limit;
  }

  /** False: there is no room now. */
  tryPost(frame: Uint8Array): boolean {
    return this.endpoint.put(frame, 'send');
  }

  /** Puts as many as there is room for, from the first on. */
  tryPostMany(frames: readonly Frame[]): number {
    let sent = 0;
    while (sent < frames.length) {
      const put =
        frames.length - sent === 1
          ? Number(this.tryPost(bytesOfFrame(frames[sent] as Frame)))
          : this.endpoint.putSpans(frames, sent, 'send');
      if (put === 0) break;
      sent += put;
    }
    return sent;
  }

  /** Waits until a frame of so many bytes fits. */
  waitForRoom(bytes: number): Promise<void> {
    const { endpoint } = this;
    const attempt = (): void | typeof notYet => {
      const view = endpoint.reserve(bytes, 'send');
      if (view === notYet) return notYet;
      endpoint.abort(view);
      return undefined;
    };
    return endpoint.writing.wait(
      { attempt, operation: 'send', needed: bytes },
      { timeout: Infinity, signal: undefined },
    );
  }

  /** Waits for room, behind those that wait already. */
  post(frame: Uint8Array): Promise<void> {
    const { endpoint } = this;
    const attempt = (): void | typeof notYet => (endpoint.put(frame, 'send') ? undefined : notYet);
    return endpoint.writing.wait(
      { attempt, operation: 'send', needed: frame.length },
      { timeout: Infinity, signal: undefined },
    );
  }

  /** Whether somebody waits for room: who sends now would overtake. */
  get congested(): boolean {
    return !this.endpoint.writing.idle;
  }

  /** Takes all frames that are there. */
  takeAll(read: FrameReader): void {
    const { native } = this.endpoint;
    for (;;) {
      const slab = selectValueSlab();
      const size = native.take(0);
      if (size >= 0) {
        read(slab.bytes, 0, size);
        continue;
      }
      if (size !== Status.slabTooSmall) {
        this.endpoint.lastStatus = size;
        return;
      }
      const view = this.claim();
      if (view === undefined) return;
      try {
        read(this.memory, view.offset, view.offset + view.size);
      } finally {
        this.release(view);
      }
    }
  }

  /** Claims the next frame, which lies in `memory` until it is released. */
  claim(): ClaimedView | undefined {
    const view = this.endpoint.claim();
    return view === notYet ? undefined : view;
  }

  release(view: ClaimedView): void {
    this.endpoint.release(view, 'receive');
  }

  /**
   * Calls `onReadable` whenever frames may be there, until it answers false. `onEnd` learns that
   * nothing will come any more: the other end is gone, or the memory is damaged.
   */
  listen(onReadable: () => boolean, onEnd: (error: Error) => void): void {
    if (this.#listening !== undefined || this.endpoint.closed) return;
    const attempt = (): void | typeof notYet => {
      if (!onReadable()) {
        this.#listening = undefined;
        return undefined;
      }
      return this.endpoint.mayCome('receive');
    };
    const waiting = this.endpoint.reading.enter(
      { attempt, operation: 'receive' },
      { timeout: Infinity, signal: undefined },
    );
    // The first attempt was made already, and may have been the last.
    this.#listening = waiting.settled ? undefined : waiting;
    waiting.promise.catch((error: Error) => {
      this.#listening = undefined;
      if (!this.endpoint.closed) onEnd(error);
    });
  }

  /** Whether waiting for frames keeps the process alive. */
  setReferenced(referenced: boolean): void {
    this.endpoint.waits.setReferenced(referenced);
  }

  /** Looks for a dead other end, and takes back what it held. */
  lookAround(): void {
    this.endpoint.native.lookAround();
  }

  close(): void {
    this.endpoint.close();
  }

  /** Removes the name, if it is still there. */
  unlink(): void {
    this.endpoint.native.unlink();
  }
}

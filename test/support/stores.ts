/** One suite for both stores: the ring and the frames. */
import { ZooQueue, type QueueOptions } from 'zoosync';
import { describe } from 'vitest';
import { track, uniqueName } from './names.js';

/** What a queue made for a test has room for; everything else is a `QueueOptions`. */
export interface Room extends Omit<QueueOptions, 'size' | 'slots' | 'slotSize'> {
  /** Messages that have to fit at the same time (8). The ring may hold more. */
  messages?: number;
  /** Bytes of the largest message (1024). */
  bytes?: number;
}

export interface Store {
  readonly kind: 'ring' | 'frames';
  /** The options that give a queue room for `messages` messages of up to `bytes` bytes. */
  room(messages: number, bytes: number): QueueOptions;
  /** A new queue under a new name; closed and unlinked after the test. */
  create<T = unknown>(room?: Room): ZooQueue<T>;
  /** One more handle on the queue; closed after the test. */
  open<T = unknown>(queue: ZooQueue<T>, options?: QueueOptions): ZooQueue<T>;
}

const recordHeaderBytes = 64;
const pageBytes = 4096;

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function roomInRing(messages: number, bytes: number): QueueOptions {
  // One record more than asked for: a ring may need to keep a gap between its ends.
  const record = recordHeaderBytes + roundUp(Math.max(bytes, 1), 64);
  return { size: roundUp((messages + 1) * record, pageBytes) };
}

function roomInFrames(messages: number, bytes: number): QueueOptions {
  return { slots: messages, slotSize: Math.max(bytes, 1) };
}

function storeOf(kind: Store['kind'], room: Store['room']): Store {
  return {
    kind,
    room,
    create<T>({ messages = 8, bytes = 1024, ...options }: Room = {}): ZooQueue<T> {
      return track(ZooQueue.create<T>(uniqueName(kind), { ...options, ...room(messages, bytes) }));
    },
    open<T>(queue: ZooQueue<T>, options: QueueOptions = {}): ZooQueue<T> {
      return track(ZooQueue.open<T>(queue.name, options));
    },
  };
}

export const ring = storeOf('ring', roomInRing);
export const frames = storeOf('frames', roomInFrames);

/** Runs a suite twice: once over the ring, once over the frames. */
export function describeEachStore(name: string, suite: (store: Store) => void): void {
  for (const store of [ring, frames]) {
    describe(`${name} (${store.kind})`, () => suite(store));
  }
}

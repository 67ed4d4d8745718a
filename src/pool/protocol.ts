/**
 * What goes through the rings between a pool and one of its workers. Each message is one frame; all
 * numbers are little-endian.
 *
 * Three rings per worker, so that nothing that is urgent waits behind tasks:
 *
 *      pool                                                        worker
 *        | --- inbox:   start, tasks, broadcasts -------------------> |   claimed right before it runs
 *        | --- control: abort, credit, drop, end -------------------> |   read whenever there is any
 *        | <-- outbox:  ready, answers, items, progress, ... -------- |
 *
 * Frame to the worker (inbox and control):
 *
 *      0      1       2          4         8              16
 *      | kind | flags | function | attempt | task id, f64 | payload ...
 *
 * Frame from the worker (outbox):
 *
 *      0      1       2        4         8              16              24
 *      | kind | flags | unused | segment | task id, f64 | run ms, f64   | payload ...
 *
 * A payload is what the codec made, or with `Flag.beside` a note that says where in a segment of
 * its own it lies; with `Flag.parts` it begins with a note of the large parts that were taken out
 * of the value (see `large-values.ts`).
 */
import { Buffer } from 'node:buffer';
import type { Span } from '../queue/endpoint.js';

/** Kinds of frames to the worker. */
export const ToWorker = {
  start: 1,
  task: 2,
  stream: 3,
  broadcast: 4,
  abort: 5,
  credit: 6,
  drop: 7,
  end: 8,
  /** Whether its event loop turns. */
  ping: 9,
} as const;

/** Kinds of frames from the worker. */
export const FromWorker = {
  ready: 1,
  result: 2,
  thrown: 3,
  item: 4,
  itemsEnd: 5,
  progress: 6,
  /** The worker learnt that a running task was aborted: its event loop lives. */
  heard: 7,
  /** Its memory exceeds the limit. */
  full: 8,
  /** What ended the worker, right before it ends. */
  fatal: 9,
  drop: 10,
  pong: 11,
} as const;

export const Flag = {
  /** The payload lies in a segment of its own. */
  beside: 1,
  /** Large parts of the value lie in a segment of their own. */
  parts: 2,
  /** The caller listens to progress. */
  progress: 4,
  /** The value is undefined, which not every codec can say. */
  nothing: 8,
} as const;

export const toWorkerHeader = 16;
export const fromWorkerHeader = 24;

/** Typed arrays from this size on travel beside the codec. */
export const largeFrom = 64 * 1024;
/** Encoded values from this size on travel in a segment of their own, and leave the ring to others. */
export const besideFrom = 256 * 1024;
/** Items of a stream that a worker may send before the pool asks for more. */
export const streamCredit = 32;

/** How the rings and segments of one worker are named. */
export interface WorkerNames {
  readonly inbox: string;
  readonly control: string;
  readonly outbox: string;
  /** Segments with large values: the pool's begin with this, the worker's with the other. */
  readonly large: string;
  readonly largeBack: string;
}

export function namesOf(prefix: string): WorkerNames {
  return {
    inbox: `${prefix}-in`,
    control: `${prefix}-control`,
    outbox: `${prefix}-out`,
    large: `${prefix}-large`,
    largeBack: `${prefix}-back`,
  };
}

/** What a worker needs to find its pool. */
export interface WorkerAddress {
  readonly prefix: string;
  /** Process of the pool; 0 for a thread. */
  readonly parent: number;
  /** The pool is in a thread that may end before its process. */
  readonly inThread: boolean;
  /** Pools that lie around this one. */
  readonly depth: number;
}

/** The environment variable, and the field of `workerData`, that carry a `WorkerAddress`. */
export const addressKey = 'ZOOSYNC_POOL_WORKER';

/** What a worker is told first, in msgpack whatever the codec of the pool. */
export interface StartOrder {
  readonly module: string;
  readonly workerId: number;
  readonly concurrency: number;
  readonly codec: string;
  readonly codecModule: string | undefined;
  readonly nice: number | undefined;
  readonly maxMemory: number | undefined;
}

/** A frame to the worker as it lies in memory: its header is filled in when it is sent. */
export type Frame = Span;

const blockBytes = 64 * 1024;
/** Larger frames get memory of their own. */
const largestInBlock = 4 * 1024;
let block = Buffer.allocUnsafeSlow(blockBytes);
let blockUsed = 0;

/** Sets `bytes` bytes aside, side by side with other frames: a Buffer for each would cost more than it holds. */
export function frameMemory(bytes: number): { memory: Buffer; start: number } {
  if (bytes > largestInBlock) return { memory: Buffer.allocUnsafeSlow(bytes), start: 0 };
  if (blockUsed + bytes > blockBytes) {
    block = Buffer.allocUnsafeSlow(blockBytes);
    blockUsed = 0;
  }
  const start = blockUsed;
  blockUsed += bytes;
  return { memory: block, start };
}

/** Writes the header of a frame to the worker. */
export function writeToWorker(
  { memory, start }: Frame,
  kind: number,
  flags: number,
  index: number,
  attempt: number,
  id: number,
): void {
  memory[start] = kind;
  memory[start + 1] = flags;
  memory.writeUInt16LE(index, start + 2);
  memory.writeUInt32LE(attempt, start + 4);
  memory.writeDoubleLE(id, start + 8);
}

/** A frame with a copy of the payload. */
export function frameAround(payload: Uint8Array): Frame {
  const { memory, start } = frameMemory(toWorkerHeader + payload.length);
  memory.set(payload, start + toWorkerHeader);
  return { memory, start, end: start + toWorkerHeader + payload.length };
}

/** A frame without a payload. */
export function shortFrame(kind: number, index: number, id: number): Frame {
  const frame = frameAround(noBytes);
  writeToWorker(frame, kind, 0, index, 0, id);
  return frame;
}

export function bytesOfFrame({ memory, start, end }: Frame): Buffer {
  return memory.subarray(start, end);
}

const noBytes = new Uint8Array(0);

/** Queues, locks and memory between threads and processes on Linux, safe when any of them is killed. */
export { ZooQueue } from './queue/queue.js';
export type { GroupOptions, OpenOptions, QueueOptions } from './queue/options.js';
export type { GroupStats, Participant, QueueStats } from './queue/stats.js';
export type { Cursor, ReadView, WriteView } from './queue/views.js';

export { ZooLock } from './lock/lock.js';
export type { LockOptions, LockOwner } from './lock/lock.js';
export type { LockGuard, ReleaseOptions } from './lock/guard.js';

export { ZooMemory } from './memory/memory.js';
export type { MemoryOptions } from './memory/memory.js';

export { frameBytes, frameHeaderBytes, readFrame, writeFrame } from './frame/frame.js';
export type { FrameDescription, FrameFormat, FramePlane, VideoFrame } from './frame/frame.js';

export { AbortError, LockRecovered, PeerDied, ZooError } from './errors.js';
export type { ZooErrorCode, ZooErrorDetails } from './errors.js';
export type { Codec, CustomCodec } from './codec.js';
export type { SyncWaitOptions, WaitOptions } from './options.js';

/** Queues, locks and memory between threads and processes on Linux, safe when any of them is killed. */
export { ZooQueue } from './queue/queue.js';
export type { PackedMessages } from './queue/packed.js';
export type { GroupOptions, OpenOptions, QueueOptions } from './queue/options.js';
export type { GroupStats, Participant, QueueStats } from './queue/stats.js';
export type { Cursor, ReadView, WriteView } from './queue/views.js';

export { ZooLock } from './lock/lock.js';
export type { LockOptions, LockOwner } from './lock/lock.js';
export type { LockGuard, ReleaseOptions } from './lock/guard.js';

export { ZooMemory } from './memory/memory.js';
export type { MemoryOptions } from './memory/memory.js';

export { ZooPool } from './pool/pool.js';
export { WorkerDied } from './pool/errors.js';
export type {
  MapOptions,
  PoolCodec,
  PoolEvents,
  PoolOptions,
  PoolStats,
  RunOptions,
  WorkerInfo,
  WorkerState,
  Workers,
} from './pool/types.js';

export { frameBytes, frameHeaderBytes, readFrame, writeFrame } from './frame/frame.js';
export type { FrameDescription, FrameFormat, FramePlane, VideoFrame } from './frame/frame.js';

export { Stream } from './stream/stream.js';
export type { SignalOptions, WindowOptions } from './stream/arguments.js';
export type { Destination } from './stream/deliver.js';
export type { ErrorDestination } from './stream/errors-to.js';
export type { StageError } from './stream/pull.js';
export { Err, Ok } from './stream/result.js';
export type { Result } from './stream/result.js';
export type { Run } from './stream/run.js';
export type { SendOptions, Sink } from './stream/sink.js';
export type { Source } from './stream/source.js';
export type { StageOptions, Task } from './stream/stage.js';
export type { StageStats } from './stream/stage-counter.js';
export type { Filter } from './stream/through.js';
export { Broadcast } from './stream/broadcast.js';
export type { BroadcastStats, BroadcastStreamOptions } from './stream/broadcast.js';
export { hash } from './stream/hash.js';
export type { HashFilter } from './stream/hash.js';
export { assemble, segments } from './stream/segments.js';
export type { AssembleOptions, NamedBytes, Segment } from './stream/segments.js';
export { Channel } from './stream/channel.js';
export type {
  ChannelOpenOptions,
  ChannelOptions,
  LocalChannelOptions,
} from './stream/channel-options.js';
export type { ChannelStats } from './stream/channel-store.js';
export type { WhenFull } from './stream/local-store.js';
export { ZooPipe } from './stream/pipe.js';
export type { PipeOpenOptions, PipeOptions, PipeView } from './stream/pipe.js';

export { AbortError, ChannelClosed, LockRecovered, PeerDied, ZooError } from './errors.js';
export type { ZooErrorCode, ZooErrorDetails } from './errors.js';
export type { Codec, CustomCodec } from './codec.js';
export type { SyncWaitOptions, WaitOptions } from './options.js';

/**
 * One worker as its pool sees it: its rings, the tasks it has, and its end. It settles nothing and
 * decides nothing; what it learns goes to its owner.
 */
import { performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import type { ValueCodec } from '../codec.js';
import { decodeThrown, encodeThrown } from '../error-encoding.js';
import { ZooError } from '../errors.js';
import { AnswerReader, type Answer } from './answer-reader.js';
import type { WorkerEnding } from './errors.js';
import { startHost, type Host, type HostExit, type HostOptions } from './host.js';
import {
  LargeReceiver,
  LargeSender,
  type Part,
  copyPart,
  joinNote,
  readNote,
} from './large-values.js';
import { Link } from './link.js';
import {
  Flag,
  FromWorker,
  ToWorker,
  besideFrom,
  bytesOfFrame,
  frameAround,
  fromWorkerHeader,
  namesOf,
  shortFrame,
  toWorkerHeader,
  writeToWorker,
  type Frame,
  type WorkerAddress,
} from './protocol.js';
import { estimateOf, type Load } from './scheduler.js';
import type { Task } from './task.js';
import type { WorkerState } from './types.js';

const noBytes = new Uint8Array(0);
/** Bytes of the ring for what overtakes tasks. */
const controlBytes = 64 * 1024;
/** Milliseconds that a worker which has let go of its rings may take to end. */
const longestExit = 2000;

/** What every worker of a pool has in common. */
export interface WorkerPlan {
  readonly host: HostOptions;
  readonly ringBytes: number;
  /** Known before the first task is. */
  codec(): ValueCodec;
  /** Pools that lie around this one. */
  readonly depth: number;
  /** What the worker is told first. */
  startFrame(worker: WorkerHandle): Frame;
}

/** Who is told what a worker says. */
export interface WorkerOwner {
  /** It has loaded the module, and `functions` are known. */
  workerIsReady(worker: WorkerHandle): void;
  taskAnswered(worker: WorkerHandle, task: Task, run: number, answer: Answer): void;
  itemCame(worker: WorkerHandle, task: Task, item: Answer): void;
  progressCame(task: Task, value: unknown): void;
  /** Its memory exceeds the limit. */
  workerIsFull(worker: WorkerHandle): void;
  /** All that had come was read, so that more may be sent. */
  workerWasRead(worker: WorkerHandle): void;
  /** It has ended: these had not started, and these had. */
  workerEnded(worker: WorkerHandle, ending: WorkerEnding, unstarted: Task[], started: Task[]): void;
}

export class WorkerHandle implements Load {
  readonly id: number;
  /** Which of the pool's places it fills; keys stand for places. */
  readonly place: number;
  readonly startedAt = performance.now();
  state: WorkerState = 'starting';
  /** Index of each function, once it is ready. */
  functions: ReadonlyMap<string, number> = new Map();
  /** Tasks it was sent, broadcasts left out. */
  taken = 0;
  /** Milliseconds that tasks ran. */
  ran = 0;
  estimated = 0;
  stalled = false;
  /** A task that was given up does not end: it is killed as soon as the others are done. */
  doomed = false;
  /** Answers seen when the pool last looked whether it is stalled. */
  answersSeen = -1;
  answers = 0;
  /** Since when it has nothing to do. */
  idleSince = performance.now();
  bytesShared = 0;
  readonly #owner: WorkerOwner;
  readonly #reader: AnswerReader;
  readonly #inbox: Link;
  readonly #control: Link;
  readonly #outbox: Link;
  readonly #large: LargeSender;
  readonly #back: LargeReceiver;
  readonly #tasks = new Map<number, Task>();
  /** Tasks that were given up and still run: number to segment. */
  readonly #condemned = new Map<number, number>();
  /** Condemned tasks that the worker knows to be: its event loop lives. */
  readonly #heard = new Set<number>();
  /** Tasks and their frames that are still to be put into the inbox. */
  #unsent: Task[] = [];
  #unsentFrames: Frame[] = [];
  #waitsForRoom = false;
  /** It has loaded the module. */
  #isLoaded = false;
  #framesRead = 0;
  readonly #host: Host;
  #fatal: unknown;
  #onPong: ((answers: boolean) => void) | undefined;
  #ended = false;
  #goneNow: () => void = () => undefined;
  /** Settles when it has ended. */
  readonly gone = new Promise<void>((resolve) => (this.#goneNow = resolve));
  #referenced = true;

  constructor(id: number, place: number, prefix: string, plan: WorkerPlan, owner: WorkerOwner) {
    this.id = id;
    this.place = place;
    this.#owner = owner;
    const names = namesOf(prefix);
    const address: WorkerAddress = {
      prefix,
      parent: plan.host.kind === 'process' ? process.pid : 0,
      inThread: !isMainThread,
      depth: plan.depth + 1,
    };
    // It takes a while to start, and the rings are made meanwhile; the outbox, which it looks for
    // first, last.
    this.#host = startHost(plan.host, address, (exit) => this.#end(exit));
    this.#large = new LargeSender('pool', names.large, (segment) =>
      this.#say(shortFrame(ToWorker.drop, 0, segment)),
    );
    this.#back = new LargeReceiver(names.largeBack);
    this.#reader = new AnswerReader(() => plan.codec(), this.#large, this.#back);
    try {
      this.#inbox = Link.make(names.inbox, plan.ringBytes, true);
      this.#inbox.tryPostMany([plan.startFrame(this)]);
      this.#control = Link.make(names.control, controlBytes, true);
      this.#outbox = Link.make(names.outbox, plan.ringBytes, false);
    } catch (error) {
      this.#ended = true;
      this.#host.kill();
      this.#removeRings();
      throw error;
    }
    this.#listen();
  }

  get pid(): number {
    return this.#host.pid;
  }

  get host(): Host {
    return this.#host;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether it may be sent tasks. */
  get serves(): boolean {
    return this.state === 'idle' || this.state === 'busy';
  }

  get inFlight(): number {
    return this.#tasks.size + this.#condemned.size;
  }

  get bytesCopied(): number {
    return this.#reader.bytesCopied;
  }

  tasks(): IterableIterator<Task> {
    return this.#tasks.values();
  }

  /** Tasks wait for room in the inbox: nothing more is sent. */
  get congested(): boolean {
    return this.#waitsForRoom;
  }

  has(task: Task): boolean {
    return this.#tasks.has(task.id);
  }

  /**
   * Sends a task with the next `flush`. `index` is that of its function in this worker.
   *
   * @throws ZooError `ERR_ZOO_NO_SPACE` for its large arguments; the task was not sent then
   */
  send(task: Task, index: number): void {
    let frame: Frame = task;
    let { flags } = task;
    const payloadBytes = task.end - task.start - toWorkerHeader;
    const beside = payloadBytes >= besideFrom || payloadBytes > this.#inbox.limit / 2;
    if (beside || task.parts.length > 0) {
      frame = this.#load(task, beside);
      flags |= beside ? Flag.beside | Flag.parts : Flag.parts;
    }
    writeToWorker(frame, task.kind, flags, index, task.attempts, task.id);
    task.phase = 'dispatched';
    task.estimate = estimateOf(task);
    this.#tasks.set(task.id, task);
    this.estimated += task.estimate;
    this.#reader.bytesCopied += payloadBytes;
    if (task.kind !== ToWorker.broadcast) this.taken += 1;
    if (this.state === 'idle') this.state = 'busy';
    this.#unsent.push(task);
    this.#unsentFrames.push(frame);
  }

  /** Puts what was sent into the inbox, with one call and one wake. */
  flush(): void {
    if (this.#unsent.length === 0 || this.#waitsForRoom) return;
    let sent = 0;
    try {
      sent = this.#inbox.tryPostMany(this.#unsentFrames);
    } catch (error) {
      // Its memory is damaged: what it has goes elsewhere when it has ended.
      this.fail(error);
      return;
    }
    this.#unsent.splice(0, sent);
    this.#unsentFrames.splice(0, sent);
    const [next] = this.#unsentFrames;
    if (!next) return;
    this.#waitsForRoom = true;
    const goOn = (): void => {
      this.#waitsForRoom = false;
      this.flush();
      this.#owner.workerWasRead(this);
    };
    this.#inbox.waitForRoom(next.end - next.start).then(goOn, () => undefined);
  }

  /** The frame of a task whose arguments lie, wholly or in part, in a segment. */
  #load(task: Task, beside: boolean): Frame {
    const { parts } = task;
    const payload = bytesOfFrame(task).subarray(toWorkerHeader);
    const { note, segment } = this.#large.place(parts, beside ? payload : undefined, (view) =>
      this.#back.locate(view),
    );
    const joined = joinNote(note, beside ? noBytes : payload);
    const { limit } = this.#inbox;
    if (joined.length + toWorkerHeader > limit) {
      this.#large.release(segment);
      throw new ZooError(
        'ERR_ZOO_TOO_LARGE',
        `the places of the ${parts.length} large arguments of '${task.name}' take ${joined.length} ` +
          `bytes, and the inbox of a worker takes ${limit} at a time: make the pool with a larger size`,
        { size: joined.length, limit },
      );
    }
    task.segment = segment;
    for (const part of parts) this.bytesShared += part.view.byteLength;
    return frameAround(joined);
  }

  /** The first frame; what is large lies in a segment that stays as long as the worker. */
  startFrame(bytes: Uint8Array, parts: readonly Part[]): Frame {
    const isLarge = parts.length > 0 || bytes.length >= besideFrom;
    const payload = isLarge
      ? joinNote(this.#large.place(parts, bytes, () => undefined).note, noBytes)
      : bytes;
    const frame = frameAround(payload);
    writeToWorker(frame, ToWorker.start, isLarge ? Flag.beside | Flag.parts : 0, 0, 1, 0);
    return frame;
  }

  /** Takes back what the worker has not started, in order. Whatever is not among it has started. */
  takeBack(): Task[] {
    const taken: Task[] = [];
    // What it is told at its start stays where it is.
    if (!this.#isLoaded) return taken;
    const { memory } = this.#inbox;
    for (let view = this.#inbox.claim(); view; view = this.#inbox.claim()) {
      const id = memory.readDoubleLE(view.offset + 8);
      const kind = memory[view.offset] as number;
      const wasStarted = view.deliveries > 1;
      this.#inbox.release(view);
      const task = this.#tasks.get(id);
      if (!task || wasStarted) continue;
      if (task.borrows) this.#keepParts(task, memory, view.offset + toWorkerHeader);
      this.#forget(task);
      if (task.phase === 'dispatched') task.phase = 'queued';
      if (kind !== ToWorker.broadcast) this.taken -= 1;
      taken.push(task);
    }
    for (const [i, task] of this.#unsent.entries()) {
      if (!this.#tasks.has(task.id)) continue;
      const frame = this.#unsentFrames[i] as Frame;
      if (task.borrows) this.#keepParts(task, frame.memory, frame.start + toWorkerHeader);
      if (task.kind !== ToWorker.broadcast) this.taken -= 1;
      this.#forget(task);
      if (task.phase === 'dispatched') task.phase = 'queued';
      taken.push(task);
    }
    this.#unsent.length = 0;
    this.#unsentFrames.length = 0;
    return taken;
  }

  /** The arguments of a task that comes back are those in its segment. */
  #keepParts(task: Task, memory: Buffer, payload: number): void {
    const { note } = readNote(memory, payload);
    task.parts = note.parts.map((part) => ({
      path: part.path,
      view: copyPart(part, this.#large.bytes(part.segment) ?? noBytes) as ArrayBufferView,
    }));
    task.borrows = false;
  }

  /** Nobody waits for this running task any more: its worker is told, and its answer will be dropped. */
  condemn(task: Task, reason: unknown): void {
    this.#tasks.delete(task.id);
    this.#condemned.set(task.id, task.segment);
    this.estimated = Infinity;
    const thrown = encodeThrown(reason);
    const frame = frameAround(thrown.length < controlBytes / 8 ? thrown : encodeThrown(undefined));
    writeToWorker(frame, ToWorker.abort, 0, 0, 0, task.id);
    this.#say(frame);
  }

  /** Whether a condemned task still runs. */
  runsCondemned(id: number): boolean {
    return this.#condemned.has(id);
  }

  /** Other tasks run beside condemned ones, and the worker gets along with them. */
  get sparesOthers(): boolean {
    if (this.#heard.size === 0) return false;
    // What it has not started was taken back from it, except what every worker has to hear.
    return [...this.#tasks.values()].some(({ kind }) => kind !== ToWorker.broadcast);
  }

  /** The worker may send so many more items of a stream. */
  grant(task: Task, items: number): void {
    this.#say(shortFrame(ToWorker.credit, items, task.id));
  }

  /** It has nothing to do any more: it tears down and ends. */
  end(): void {
    if (this.state === 'ending' || this.#ended) return;
    // One that is starting has nothing to finish, and may never be ready.
    if (this.state === 'starting') this.kill();
    else this.#say(shortFrame(ToWorker.end, 0, 0));
    this.state = 'ending';
  }

  /** Nothing will come from it any more: it is about to end, or its memory is damaged. */
  #lostTouch(error: Error): void {
    if (error instanceof ZooError && error.code === 'ERR_ZOO_CORRUPT') this.fail(error);
    else setTimeout(() => this.kill(), longestExit).unref();
  }

  /** Somebody needs the memory that is kept for its next large arguments. */
  giveMemoryBack(): void {
    this.#large.giveBackAll();
  }

  /** Asks whether its event loop turns; it has so many milliseconds to say so. */
  probe(milliseconds: number): Promise<boolean> {
    return new Promise<boolean>((resolve) => {
      this.#onPong = resolve;
      setTimeout(() => resolve(false), milliseconds).unref();
      this.#say(shortFrame(ToWorker.ping, 0, 0));
    });
  }

  /** It cannot become ready, and ends; `error` is why. */
  fail(error: unknown): void {
    this.#fatal = error;
    this.kill();
  }

  kill(): void {
    if (!this.#ended) this.#host.kill();
  }

  /** Whether it keeps this process alive. */
  setReferenced(on: boolean): void {
    if (this.#referenced === on || this.#ended) return;
    this.#referenced = on;
    this.#host.setReferenced(on);
    for (const link of [this.#inbox, this.#control, this.#outbox]) link.setReferenced(on);
  }

  #say(frame: Frame): void {
    if (this.#ended || this.#control.endpoint.closed) return;
    const bytes = bytesOfFrame(frame);
    try {
      if (!this.#control.congested && this.#control.tryPost(bytes)) return;
    } catch (error) {
      // Its memory is damaged: nothing reaches it any more.
      this.fail(error);
      return;
    }
    this.#control.post(bytes).catch(() => undefined);
  }

  #forget(task: Task): void {
    this.#tasks.delete(task.id);
    if (task.segment > 0) this.#large.release(task.segment);
    task.segment = 0;
    // Infinity minus Infinity is no number: what is left is added up again.
    if (task.estimate === Infinity || this.estimated === Infinity) this.#addUp();
    else this.estimated -= task.estimate;
  }

  #addUp(): void {
    this.estimated = this.#condemned.size > 0 ? Infinity : 0;
    for (const task of this.#tasks.values()) this.estimated += task.estimate;
  }

  readonly #listen = (): void =>
    this.#outbox.listen(
      () => this.#read(),
      (error) => this.#lostTouch(error),
    );

  /**
   * Who is answered often has the next task ready at once. So the outbox is listened to again only
   * after those had their turn: the short watch before a sleep then sees the next answer come.
   */
  #read(): boolean {
    const before = this.#framesRead;
    this.#outbox.takeAll(this.#take);
    this.#owner.workerWasRead(this);
    if (this.#framesRead === before) return true;
    setImmediate(this.#listen);
    return false;
  }

  /** Reads what it has said by now, without waiting for a turn of the event loop. */
  hear(): void {
    try {
      this.#outbox.takeAll(this.#take);
    } catch (error) {
      this.fail(error);
    }
  }

  readonly #take = (source: Buffer, start: number, end: number): void => {
    this.#framesRead += 1;
    const kind = source[start] as number;
    const flags = source[start + 1] as number;
    const id = source.readDoubleLE(start + 8);
    const payload = start + fromWorkerHeader;
    switch (kind) {
      case FromWorker.result:
      case FromWorker.thrown:
      case FromWorker.itemsEnd: {
        const run = source.readDoubleLE(start + 16);
        this.answers += 1;
        this.stalled = false;
        this.ran += run;
        const task = this.#tasks.get(id);
        if (!task) {
          this.#dropAnswer(id, flags, source, payload);
          return;
        }
        const answer = this.#reader.read(kind, flags, source, payload, end);
        this.#forget(task);
        if (this.inFlight === 0 && this.state === 'busy') this.rest();
        this.#owner.taskAnswered(this, task, run, answer);
        return;
      }
      case FromWorker.item: {
        this.answers += 1;
        const task = this.#tasks.get(id);
        if (!task) {
          this.#dropAnswer(id, flags, source, payload);
          return;
        }
        const item = this.#reader.read(kind, flags, source, payload, end);
        this.#owner.itemCame(this, task, item);
        return;
      }
      case FromWorker.progress: {
        const task = this.#tasks.get(id);
        const progress = this.#reader.read(kind, flags, source, payload, end);
        if (task && progress.ok) this.#owner.progressCame(task, progress.value);
        return;
      }
      case FromWorker.ready: {
        const functions = JSON.parse(source.toString('utf8', payload, end)) as string[];
        this.#isLoaded = true;
        this.functions = new Map(functions.map((name, index) => [name, index]));
        this.#owner.workerIsReady(this);
        return;
      }
      case FromWorker.heard:
        if (this.#condemned.has(id)) this.#heard.add(id);
        return;
      case FromWorker.full:
        this.#owner.workerIsFull(this);
        return;
      case FromWorker.fatal:
        this.#fatal = decodeThrown(Uint8Array.from(source.subarray(payload, end)));
        return;
      case FromWorker.drop:
        this.#back.drop(id);
        return;
      case FromWorker.pong:
        this.#onPong?.(true);
        return;
      default:
    }
  };

  /** It has nothing to do. */
  rest(): void {
    if (this.state === 'ending') return;
    this.state = 'idle';
    this.idleSince = performance.now();
  }

  /** Nobody waits for it: only the memory that it lies in is given back. */
  #dropAnswer(id: number, flags: number, source: Buffer, start: number): void {
    this.#reader.discard(flags, source, start);
    if (source[start - fromWorkerHeader] === FromWorker.item) return;
    const segment = this.#condemned.get(id);
    if (segment === undefined) return;
    this.#condemned.delete(id);
    this.#heard.delete(id);
    if (segment > 0) this.#large.release(segment);
    this.#addUp();
    if (this.inFlight === 0 && this.state === 'busy') this.rest();
  }

  /** Delivers what it had committed; answers what it had not started. */
  #readLastWords(): Task[] {
    try {
      this.#outbox.lookAround();
      this.#outbox.takeAll(this.#take);
      this.#inbox.lookAround();
      return this.takeBack();
    } catch (error) {
      // With damaged rings nobody can tell: whatever was sent counts as started.
      this.#fatal ??= error;
      return [];
    }
  }

  /** Rings and segments, as far as they were made. */
  #removeRings(): void {
    const links: (Link | undefined)[] = [this.#inbox, this.#control, this.#outbox];
    for (const link of links) {
      link?.close();
      link?.unlink();
    }
    this.#large.close();
    this.#back.close();
  }

  /**
   * After its death, in this order: what it had committed is delivered; what it had not started is
   * told from what it had; then everything that was its own is removed.
   */
  #end({ exitCode, signal, error }: HostExit): void {
    if (this.#ended) return;
    const unstarted = this.#readLastWords();
    this.#ended = true;
    this.state = 'ending';
    const started = [...this.#tasks.values()];
    this.#tasks.clear();
    this.#condemned.clear();
    this.#removeRings();
    const ending: WorkerEnding = {
      pid: this.pid,
      workerId: this.id,
      exitCode,
      signal,
      cause: this.#fatal ?? error,
    };
    this.#owner.workerEnded(this, ending, unstarted, started);
    this.#goneNow();
  }
}

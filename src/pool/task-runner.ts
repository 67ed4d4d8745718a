/**
 * The loop of a worker: claims a task right before it runs it, sends the answer, and only then
 * gives the task's place in the inbox free. So the pool can tell at any moment, also from the rings
 * of a dead worker, which tasks had not started, which had, and which were done.
 */
import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import type { ValueCodec } from '../codec.js';
import { decodeThrown } from '../error-encoding.js';
import { ZooError } from '../errors.js';
import type { ClaimedView } from '../queue/views.js';
import type { Answers } from './answers.js';
import { putPartsBack, readNote, viewPart, type LargeReceiver } from './large-values.js';
import type { Link } from './link.js';
import { unpackArguments } from './payload.js';
import { Flag, FromWorker, ToWorker, streamCredit, toWorkerHeader } from './protocol.js';
import { RunningTask, leaveTask, runAs } from './task-context.js';
import type { TaskFunction } from './types.js';

/** Tasks in a row before the event loop gets a turn, in milliseconds. */
const slice = 1;
/** Milliseconds that answers of short tasks may lie before the pool is woken. */
const wakeInterval = 0.15;
/** How often memory is looked at, in milliseconds. */
const memoryCheck = 100;

export interface RunnerParts {
  readonly inbox: Link;
  readonly control: Link;
  readonly answers: Answers;
  readonly codec: ValueCodec;
  readonly received: LargeReceiver;
  readonly functions: readonly TaskFunction[];
  readonly names: readonly string[];
  readonly concurrency: number;
  readonly workerId: number;
  /** Bytes in use, and how many are too many. */
  readonly memory: { readonly limit: number; used(): number } | undefined;
}

export class TaskRunner {
  readonly #parts: RunnerParts;
  readonly #running = new Map<number, RunningTask>();
  readonly #onEnd: (reason: 'told' | 'alone') => void;
  #busy = 0;
  #ending = false;
  /** When the last task ended; the next one in a row begins then. */
  #clock = 0;
  #wokenAt = 0;
  /** How long each function ran the last time. */
  readonly #lastRuns: number[] = [];
  #memoryCheckedAt = 0;
  #isFull = false;

  /** `onEnd` runs once nothing runs here any more: the pool told so, or it is gone. */
  constructor(parts: RunnerParts, onEnd: (reason: 'told' | 'alone') => void) {
    this.#parts = parts;
    this.#onEnd = onEnd;
  }

  start(): void {
    const { control } = this.#parts;
    control.listen(
      () => {
        control.takeAll(this.#obey);
        return true;
      },
      () => this.#onEnd('alone'),
    );
    this.#resume();
  }

  /** Runs tasks as they come, until one has to be waited for. */
  readonly #resume = (): void => {
    if (this.#ending) {
      if (this.#busy === 0) this.#onEnd('told');
      return;
    }
    this.#parts.inbox.listen(this.#runAhead, () => this.#onEnd('alone'));
  };

  readonly #runAhead = (): boolean => {
    const { inbox, concurrency } = this.#parts;
    this.#clock = performance.now();
    const turnEnds = this.#clock + slice;
    this.#holdWakes();
    try {
      while (!this.#ending && this.#busy < concurrency) {
        const view = inbox.claim();
        if (view === undefined) return true;
        this.#begin(view);
        if (this.#clock > turnEnds) {
          setImmediate(this.#resume);
          return false;
        }
      }
      return false;
    } finally {
      this.#parts.answers.releaseWakes();
    }
  };

  #holdWakes(): void {
    this.#wokenAt = this.#clock;
    this.#parts.answers.holdWakes();
  }

  /** Short tasks in a row wake the pool now and then; before one that may take long, it has to know. */
  #wakeBefore(index: number): void {
    const isShort = (this.#lastRuns[index] ?? Infinity) < wakeInterval;
    if (isShort && this.#clock - this.#wokenAt < wakeInterval) return;
    this.#parts.answers.releaseWakes();
    this.#holdWakes();
  }

  #begin(view: ClaimedView): void {
    const { memory } = this.#parts.inbox;
    const at = view.offset;
    const kind = memory[at] as number;
    const flags = memory[at + 1] as number;
    const index = memory.readUInt16LE(at + 2);
    const attempt = memory.readUInt32LE(at + 4);
    const id = memory.readDoubleLE(at + 8);
    const progress = (flags & Flag.progress) === 0 ? undefined : this.#report;
    const running = new RunningTask(id, attempt, this.#parts.workerId, progress);
    this.#wakeBefore(index);
    const begun = this.#clock;
    running.index = index;
    this.#busy += 1;
    let result: unknown;
    let pending: PromiseLike<unknown> | undefined;
    try {
      const args = this.#arguments(running, flags, at + toWorkerHeader, at + view.size);
      const run = this.#parts.functions[index] as TaskFunction;
      result =
        kind === ToWorker.stream
          ? this.#stream(running, index, args)
          : runAs(running, () => run(...args));
      // Of other thenables, nobody knows how often they call back, and with what.
      if (isThenable(result))
        pending = result instanceof Promise ? result : Promise.resolve(result);
    } catch (error) {
      this.#finish(view, running, begun, undefined, { error });
      return;
    }
    if (pending === undefined) {
      this.#finish(view, running, begun, result, undefined);
      return;
    }
    this.#running.set(id, running);
    pending.then(
      (value) => this.#finishLater(view, running, begun, value, undefined),
      (error: unknown) => this.#finishLater(view, running, begun, undefined, { error }),
    );
  }

  #arguments(running: RunningTask, flags: number, start: number, end: number): unknown[] {
    const { codec, received } = this.#parts;
    const { memory } = this.#parts.inbox;
    if ((flags & Flag.parts) === 0) return unpackArguments(codec, memory, start, end);
    const { note, rest } = readNote(memory, start);
    running.segment = note.parts[0]?.segment ?? 0;
    const { payload } = note;
    const args = payload
      ? unpackArguments(
          codec,
          Buffer.from(received.bytes(payload.segment).buffer),
          payload.offset,
          payload.offset + payload.bytes,
        )
      : unpackArguments(codec, memory, rest, end);
    return putPartsBack(args, note, (part) =>
      viewPart(part, received.bytes(part.segment)),
    ) as unknown[];
  }

  readonly #report = (running: RunningTask, value: unknown): void => {
    this.#parts.answers.progress(running.id, value);
  };

  /** After a task that was waited for, the loop goes on from here. */
  #finishLater(
    view: ClaimedView,
    running: RunningTask,
    begun: number,
    value: unknown,
    thrown: { error: unknown } | undefined,
  ): void {
    this.#running.delete(running.id);
    const wasFull = this.#busy === this.#parts.concurrency;
    this.#finish(view, running, begun, value, thrown);
    if (!wasFull && !this.#ending) return;
    // Functions that wait for nothing that takes time would keep the event loop from its turn.
    if (this.#clock - this.#lastTurn > slice) setImmediate(this.#nextTurn);
    else this.#resume();
  }

  #lastTurn = 0;
  readonly #nextTurn = (): void => {
    this.#lastTurn = performance.now();
    this.#resume();
  };

  #finish(
    view: ClaimedView,
    running: RunningTask,
    begun: number,
    value: unknown,
    thrown: { error: unknown } | undefined,
  ): void {
    const { answers, inbox } = this.#parts;
    this.#clock = performance.now();
    const run = this.#clock - begun;
    const { id } = running;
    this.#lastRuns[running.index] = run;
    const sending = thrown
      ? answers.thrown(id, run, thrown.error)
      : value === streamEnd
        ? answers.short(FromWorker.itemsEnd, id, run)
        : isGenerator(value)
          ? answers.thrown(id, run, generatorResult())
          : answers.result(id, run, value, running.segment);
    leaveTask();
    if (running.segment > 0) this.#parts.received.takeViewsBack(running.segment);
    if (sending === undefined) {
      inbox.release(view);
      this.#busy -= 1;
    } else {
      void sending.then(
        () => {
          inbox.release(view);
          this.#busy -= 1;
          this.#resume();
        },
        () => this.#onEnd('alone'),
      );
    }
    if (this.#parts.memory) this.#checkMemory(this.#parts.memory);
  }

  /** Sends what an iterable gives, as fast as the pool asks for it. */
  async #stream(running: RunningTask, index: number, args: unknown[]): Promise<unknown> {
    running.grant(streamCredit);
    const run = this.#parts.functions[index] as TaskFunction;
    const result = await runAs(running, () => run(...args));
    const iterator = iteratorOf(result, this.#parts.names[index] ?? '');
    let turn = performance.now();
    try {
      for (;;) {
        await running.useCredit();
        if (running.aborted) break;
        const next = await runAs(running, () => iterator.next());
        if (next.done === true) return streamEnd;
        if (running.aborted) break;
        await this.#parts.answers.item(running.id, next.value);
        if (performance.now() - turn > slice) {
          await new Promise<void>((resolve) => setImmediate(resolve));
          turn = performance.now();
        }
      }
    } catch (error) {
      // It was the iterator that failed, and is finished; or one of its items cannot be sent.
      running.abort(error);
      void closeQuietly(iterator);
      throw error;
    }
    await runAs(running, () => iterator.return?.(undefined));
    return streamEnd;
  }

  readonly #obey = (source: Buffer, start: number, end: number): void => {
    const id = source.readDoubleLE(start + 8);
    const running = this.#running.get(id);
    switch (source[start]) {
      case ToWorker.abort:
        if (!running) return;
        void this.#parts.answers.short(FromWorker.heard, id);
        running.abort(decodeThrown(Uint8Array.from(source.subarray(start + toWorkerHeader, end))));
        return;
      case ToWorker.credit:
        running?.grant(source.readUInt16LE(start + 2));
        return;
      case ToWorker.drop:
        this.#parts.received.drop(id);
        return;
      case ToWorker.ping:
        void this.#parts.answers.short(FromWorker.pong, 0);
        return;
      case ToWorker.end:
        this.#ending = true;
        if (this.#busy === 0) this.#onEnd('told');
        return;
      default:
    }
  };

  #checkMemory(memory: NonNullable<RunnerParts['memory']>): void {
    if (this.#isFull || this.#clock - this.#memoryCheckedAt < memoryCheck) return;
    this.#memoryCheckedAt = this.#clock;
    if (memory.used() <= memory.limit) return;
    this.#isFull = true;
    void this.#parts.answers.short(FromWorker.full, 0);
  }
}

const streamEnd = Symbol('the end of a stream');

/** A generator that is waiting closes when it wakes: nobody waits for that. */
async function closeQuietly(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  try {
    await iterator.return?.(undefined);
  } catch {
    // The task has failed already, and says why.
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

function isGenerator(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { next } = value as { next?: unknown };
  return typeof next === 'function' && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

function generatorResult(): ZooError {
  return new ZooError(
    'ERR_ZOO_UNSENDABLE',
    'result cannot be sent: the function answers with a generator; call it with pool.stream()',
    { path: 'result' },
  );
}

function iteratorOf(value: unknown, name: string): AsyncIterator<unknown> | Iterator<unknown> {
  const source = Object(value) as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
  const iterator = source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]?.();
  if (iterator && typeof value !== 'string') return iterator;
  throw Object.assign(
    new TypeError(`'${name}' gives no sequence of values; call it with pool.run()`),
    { code: 'ERR_INVALID_ARG_VALUE' },
  );
}

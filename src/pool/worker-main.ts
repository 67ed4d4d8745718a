/** The program of a worker: finds its pool, loads the module, and runs tasks until it is told to end. */
import { Buffer } from 'node:buffer';
import { setPriority } from 'node:os';
import { isMainThread, workerData } from 'node:worker_threads';
import { encodeThrown } from '../error-encoding.js';
import { environment } from '../lifecycle.js';
import { decodeMessagePack } from '../msgpack.js';
import { Answers } from './answers.js';
import { setDepth } from './depth.js';
import { LargeReceiver, LargeSender, putPartsBack, readNote, viewPart } from './large-values.js';
import { Link } from './link.js';
import { loadCodec } from './options.js';
import {
  Flag,
  FromWorker,
  addressKey,
  namesOf,
  toWorkerHeader,
  type StartOrder,
  type WorkerAddress,
} from './protocol.js';
import { expectSeveral } from './task-context.js';
import { TaskRunner } from './task-runner.js';
import type { TaskFunction } from './types.js';

/** What a worker is told at its start. */
interface Start {
  readonly order: StartOrder;
  /** What the codec made of it. */
  readonly data: Uint8Array;
}

type TaskModule = Record<string, unknown>;

const hooks = new Set(['setup', 'teardown', 'then']);

async function main(): Promise<void> {
  const { prefix, parent, inThread, depth } = readAddress();
  if (parent > 0) environment().endWithParent(parent, inThread ? 1 : 0);
  setDepth(depth);
  const names = namesOf(prefix);
  // The pool makes it last: then everything else is there too.
  const outbox = Link.adopt(names.outbox, true);
  const inbox = Link.adopt(names.inbox, false);
  const control = Link.adopt(names.control, false);
  const received = new LargeReceiver(names.large);
  const fail = (error: unknown): void => {
    const thrown = encodeThrown(error);
    const frame = Buffer.alloc(24 + thrown.length);
    frame[0] = FromWorker.fatal;
    frame.set(thrown, 24);
    if (frame.length <= outbox.limit) outbox.tryPost(frame);
  };
  // Ctrl-C reaches the whole group of processes: whether these end is for the pool's program to say.
  if (isMainThread) process.on('SIGINT', () => undefined);
  // Also for what is thrown outside of any task: the pool names it as the cause of the death.
  process.on('uncaughtExceptionMonitor', fail);
  const { order, data } = readStart(inbox, received);
  try {
    await serve(order, data, { inbox, control, outbox, received, largeBack: names.largeBack });
  } catch (error) {
    fail(error);
    process.exit(1);
  }
}

/** Where the pool is; nobody else in this process needs to know. */
function readAddress(): WorkerAddress {
  if (!isMainThread)
    return (workerData as Record<string, WorkerAddress>)[addressKey] as WorkerAddress;
  const text = process.env[addressKey];
  Reflect.deleteProperty(process.env, addressKey);
  if (text === undefined)
    throw new Error('this program is started by a ZooPool, and by nobody else');
  return JSON.parse(text) as WorkerAddress;
}

function readStart(inbox: Link, received: LargeReceiver): { order: StartOrder; data: unknown } {
  const view = inbox.claim();
  if (view === undefined) throw new Error('the pool has sent no start order');
  const { memory } = inbox;
  const flags = memory[view.offset + 1] as number;
  const start = view.offset + toWorkerHeader;
  const end = view.offset + view.size;
  const note = (flags & Flag.parts) === 0 ? undefined : readNote(memory, start).note;
  const payload = note?.payload;
  const begin = (
    payload
      ? decodeMessagePack(
          Buffer.from(received.bytes(payload.segment).buffer),
          payload.offset,
          payload.offset + payload.bytes,
        )
      : decodeMessagePack(memory, start, end)
  ) as Start;
  const bytes = Buffer.from(begin.data);
  const small = decodeMessagePack(bytes, 0, bytes.length);
  // These views are the worker's for as long as it lives.
  const data = note
    ? putPartsBack(small, note, (part) => viewPart(part, received.bytes(part.segment)))
    : small;
  inbox.release(view);
  return { order: begin.order, data };
}

interface Surroundings {
  readonly inbox: Link;
  readonly control: Link;
  readonly outbox: Link;
  readonly received: LargeReceiver;
  readonly largeBack: string;
}

async function serve(order: StartOrder, data: unknown, around: Surroundings): Promise<void> {
  const { inbox, control, outbox, received } = around;
  if (order.nice !== undefined) setPriority(order.nice);
  if (order.concurrency > 1) expectSeveral();
  const codec = await loadCodec(order.codec, order.codecModule);
  const module = await loadModule(order.module);
  if (typeof module['setup'] === 'function') await (module['setup'] as TaskFunction)(data);
  const tasks = Object.entries(module).filter(
    ([name, value]) => typeof value === 'function' && !isClass(value) && !hooks.has(name),
  );
  const dropped = (segment: number): void => void answers.short(FromWorker.drop, segment);
  const large = new LargeSender('worker', around.largeBack, dropped);
  const answers = new Answers(outbox, codec, large, received);
  const runner = new TaskRunner(
    {
      inbox,
      control,
      answers,
      codec,
      received,
      functions: tasks.map(([, run]) => run as TaskFunction),
      names: tasks.map(([name]) => name),
      concurrency: order.concurrency,
      workerId: order.workerId,
      memory:
        order.maxMemory === undefined ? undefined : { limit: order.maxMemory, used: memoryInUse },
    },
    (reason) => void end(module, reason),
  );
  await answers.bytes(FromWorker.ready, Buffer.from(JSON.stringify(tasks.map(([name]) => name))));
  runner.start();
}

/** Classes cannot be called, and are no tasks. */
function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

/** The exports of the module; of a CommonJS module also those that import() does not see. */
async function loadModule(url: string): Promise<TaskModule> {
  const module = (await import(url)) as TaskModule;
  const common = module['default'];
  const isCommon = typeof common === 'object' && common !== null;
  return isCommon ? { ...(common as TaskModule), ...module } : module;
}

/** Resident memory of a process, heap of a thread. */
function memoryInUse(): number {
  return isMainThread ? process.memoryUsage.rss() : process.memoryUsage().heapUsed;
}

let isEnding = false;

/** The pool told this worker to end, or is gone. Timers and sockets of the module do not hold it up. */
async function end(module: TaskModule, reason: 'told' | 'alone'): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  if (reason === 'alone') process.exit(1);
  const { teardown } = module;
  if (typeof teardown === 'function') await (teardown as TaskFunction)();
  process.exit(0);
}

await main();

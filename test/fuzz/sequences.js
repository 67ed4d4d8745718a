/**
 * Random sequences of calls on queues, locks, memory and channels, in any order: also twice, after
 * the end, after `close()`, with cursors of other handles. Each call answers, or throws an error
 * with a documented code; the process goes on.
 *
 *   node sequences.js PREFIX SEED SEQUENCES
 */
import { Channel, ZooLock, ZooMemory, ZooQueue } from '../../dist/index.js';

const [prefix = '', seed = '1', sequences = '50'] = process.argv.slice(2);

let state = Number(seed) >>> 0 || 1;
/** @param {number} limit @returns {number} */
function random(limit) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}
/** @template T @param {readonly T[]} list @returns {T} */
function pick(list) {
  return /** @type {T} */ (list[random(list.length)]);
}

const documented =
  /^(ERR_ZOO_[A-Z_]+|ABORT_ERR|ERR_INVALID_ARG_TYPE|ERR_INVALID_ARG_VALUE|ERR_OUT_OF_RANGE)$/;
let calls = 0;
/** @type {string[]} */
const trace = [];
/** @type {Set<string>} */
const codes = new Set();

/** @param {unknown} error */
function judge(error) {
  const { code, message } = /** @type {{ code?: string, message?: string }} */ (error);
  // A view after its handle has let go: the engine's own words.
  if (error instanceof TypeError && message?.includes('detached ArrayBuffer')) return;
  if (!(error instanceof Error) || code === undefined || !documented.test(code)) {
    const shown = error instanceof Error ? error.stack : String(error);
    process.stderr.write(`after ${trace.join(', ')}:\n${shown}\n`);
    process.exit(1);
  }
  codes.add(code);
}

/** @type {Promise<unknown>[]} */
let pending = [];
/** @type {any[]} */
let views = [];

/** @param {string} what @param {() => unknown} action */
function attempt(what, action) {
  calls += 1;
  trace.push(what);
  try {
    const answer = action();
    if (answer instanceof Promise) pending.push(answer.then((value) => keep(value), judge));
    else keep(answer);
  } catch (error) {
    judge(error);
  }
}

/** @param {any} value */
function keep(value) {
  const found = Array.isArray(value) ? value : [value];
  for (const one of found) if (one?.cursor !== undefined) views.push(one);
  if (views.length > 12) views.splice(0, 4);
}

const wait = { timeout: 3 };
/** @param {ZooQueue<any>} queue @returns {(() => void)[]} */
function queueCalls(queue) {
  const cursor = () => pick([pick(views)?.cursor, 0, -1, 5, 2 ** 40, Number.NaN]);
  return [
    () => attempt('putSync', () => queue.putSync(random(9), wait)),
    () => attempt('put', () => queue.put({ n: 1 }, wait)),
    () => attempt('tryPut', () => queue.tryPut('text')),
    () =>
      attempt('tryPutBytesMany', () => queue.tryPutBytesMany([Buffer.alloc(9), Buffer.alloc(99)])),
    () => attempt('getSync', () => queue.getSync(wait)),
    () => attempt('get', () => queue.get(wait)),
    () => attempt('tryGetMany', () => queue.tryGetMany(3)),
    () => attempt('recvView', () => queue.recvView(wait)),
    () => attempt('tryRecvViews', () => queue.tryRecvViews(3)),
    () => attempt('tryReserve', () => queue.tryReserve(random(2000))),
    () => attempt('reserve', () => queue.reserve(random(5000), wait)),
    () => attempt('commitRead', () => queue.commitRead(cursor())),
    () => attempt('rejectRead', () => queue.rejectRead(cursor())),
    () => attempt('commitWrite', () => queue.commitWrite(cursor(), pick([undefined, 0, 10, 9999]))),
    () => attempt('abortWrite', () => queue.abortWrite(cursor())),
    () => attempt('dispose a view', () => pick(views)?.[Symbol.dispose]()),
    () => attempt('read a view', () => pick(views)?.view.at(-1)),
    () => attempt('write a view', () => pick(views)?.view.fill(1)),
    () => attempt('tryGetDead', () => queue.tryGetDead()),
    () => attempt('stats', () => void queue.stats()),
    () => attempt('length', () => queue.length),
    () => attempt('ref', () => queue.ref().unref()),
    () => attempt('iterate', () => queue[Symbol.asyncIterator]().return?.()),
    () => random(12) === 0 && attempt('end', () => queue.end()),
    () => random(6) === 0 && attempt('close', () => queue.close()),
    () => random(6) === 0 && attempt('unlink', () => queue.unlink()),
  ];
}

/** @param {ZooLock} lock @returns {(() => void)[]} */
function lockCalls(lock) {
  return [
    () => attempt('tryAcquire', () => lock.tryAcquire()),
    () => attempt('acquireSync', () => lock.acquireSync(wait)),
    () => attempt('acquire', () => lock.acquire(wait)),
    () => attempt('withLock', () => lock.withLock(() => 1, wait)),
    () => attempt('release', () => lock.release({ recovered: random(2) === 0 })),
    () => attempt('owner', () => [lock.owner, lock.held, lock.generation]),
    () => random(4) === 0 && attempt('close a lock', () => lock.close()),
  ];
}

/** @param {ZooMemory} memory @returns {(() => void)[]} */
function memoryCalls(memory) {
  let bytes = new Uint8Array(memory.buffer);
  return [
    () => attempt('fill', () => void bytes.fill(random(256))),
    () => attempt('renew', () => memory.renew()),
    () =>
      memory.closed || attempt('look again', () => void (bytes = new Uint8Array(memory.buffer))),
    () => attempt('byteLength', () => memory.byteLength),
    () => random(4) === 0 && attempt('close a memory', () => memory.close()),
    () => attempt('unlink a memory', () => memory.unlink()),
  ];
}

/** @param {Channel<any>} channel @returns {(() => void)[]} */
function channelCalls(channel) {
  return [
    () => attempt('send', () => channel.send(random(100), wait)),
    () => attempt('trySend', () => channel.trySend({ n: 1 })),
    () => attempt('receive', () => channel.receive(wait)),
    () => random(8) === 0 && attempt('close a channel', () => channel.close()),
    () => random(8) === 0 && attempt('dispose a channel', () => channel[Symbol.asyncDispose]()),
  ];
}

// `unref()` is one of the calls: then a wait does not keep the process alive.
const alive = setInterval(() => undefined, 1000);
for (let sequence = 0; sequence < Number(sequences); sequence += 1) {
  trace.length = 0;
  views = [];
  const name = `${prefix}${sequence}`;
  const store = random(2) === 0 ? { size: 8192 } : { slots: 4, slotSize: 2048 };
  const queues = [ZooQueue.create(`${name}.q`, store), ZooQueue.open(`${name}.q`)];
  const locks = [new ZooLock(`${name}.l`), new ZooLock(`${name}.l`)];
  const memory = ZooMemory.create(`${name}.m`, 1000);
  const channel = Channel.create(`${name}.c`, { bytes: '8KiB', capacity: 3 });
  const all = [
    ...queues.map(queueCalls),
    ...locks.map(lockCalls),
    memoryCalls(memory),
    channelCalls(channel),
  ];
  for (let call = 0; call < 60; call += 1) {
    pick(pick(random(3) === 0 ? all : all.slice(0, 2)))();
    if (pending.length > 5 || random(6) === 0) {
      await Promise.all(pending);
      pending = [];
    }
  }
  await Promise.all(pending);
  pending = [];
  for (const lock of locks) {
    if (lock.held) lock.release();
    lock.close();
  }
  for (const queue of queues) queue.close();
  memory.close();
  await channel[Symbol.asyncDispose]();
  ZooQueue.unlink(`${name}.q`);
  ZooLock.unlink(`${name}.l`);
  ZooMemory.unlink(`${name}.m`);
}
clearInterval(alive);
process.stdout.write(`${calls} calls, ${[...codes].sort().join(' ')}\n`);

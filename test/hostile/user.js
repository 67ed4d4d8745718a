/**
 * A program that uses queues, locks, memory, channels and pipes in every way, while somebody damages
 * their segments. It ends with code 0 when every call settled in time with an answer, or with an
 * error that has a documented code.
 *
 *   node user.js PREFIX SEED MILLISECONDS
 */
import { Channel, ZooLock, ZooMemory, ZooPipe, ZooQueue } from '../../dist/index.js';

const [prefix = '', seed = '1', milliseconds = '1000'] = process.argv.slice(2);

let state = Number(seed) >>> 0 || 1;
/** @param {number} limit @returns {number} */
function random(limit) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

const documented = /^(ERR_ZOO_[A-Z_]+|ABORT_ERR|ERR_OUT_OF_RANGE|ERR_INVALID_ARG_VALUE)$/;
const slowest = { took: 0, what: '' };
const counts = { settled: 0, corrupt: 0 };
/** @type {string[]} */
const wrong = [];
let doing = 'nothing';

/** @param {unknown} error @param {string} what */
function judge(error, what) {
  const { code, message } = /** @type {{ code?: string, message?: string }} */ (error);
  if (code === 'ERR_ZOO_CORRUPT') counts.corrupt += 1;
  if (code !== undefined && documented.test(code) && message) return;
  // What a writer failed with is the program's own error, and lies in the segment as well.
  if (what.startsWith('receive') && error instanceof Error) return;
  wrong.push(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
}

/** @param {string} what @param {number} began @param {number} mayWait */
function note(what, began, mayWait) {
  counts.settled += 1;
  const took = performance.now() - began - mayWait;
  if (took > slowest.took) Object.assign(slowest, { took, what });
}

/**
 * @template T
 * @param {string} what @param {number} mayWait @param {() => T} action @returns {T | undefined}
 */
function sync(what, mayWait, action) {
  const began = performance.now();
  doing = what;
  try {
    return action();
  } catch (error) {
    judge(error, what);
    return undefined;
  } finally {
    note(what, began, mayWait);
  }
}

/**
 * @template T
 * @param {string} what @param {number} mayWait @param {() => Promise<T>} action
 * @returns {Promise<T | undefined>}
 */
async function wait(what, mayWait, action) {
  const began = performance.now();
  doing = what;
  try {
    return await action();
  } catch (error) {
    judge(error, what);
    return undefined;
  } finally {
    note(what, began, mayWait);
  }
}

/** @param {Buffer} view @param {number} most */
function touch(view, most) {
  if (view.length > most) wrong.push(`a view of ${view.length} bytes, ${most} are there`);
  let sum = 0;
  for (let at = 0; at < view.length; at += 61) sum += view[at] ?? 0;
  if (view.length > 0) view[view.length - 1] = sum & 0xff;
}

const groups = { a: {}, b: { overflow: /** @type {const} */ ('dropOldest') } };

/** @param {'ring' | 'frames'} kind */
async function useQueue(kind) {
  const group = random(2) === 0 ? 'a' : 'b';
  const options = kind === 'ring' ? { size: 16_384 } : { slots: 8, slotSize: 1000 };
  const queue = sync(`open ${kind}`, 0, () =>
    random(3) === 0
      ? ZooQueue.open(prefix + kind, { group })
      : new ZooQueue(prefix + kind, { ...options, groups, group, maxDeliveries: 2 }),
  );
  if (queue === undefined) return;
  const most = queue.capacity;
  for (let step = 0; step < 25; step += 1) {
    const timeout = random(20);
    const bytes = Buffer.alloc(random(900), 7);
    switch (random(18)) {
      case 0:
        await wait('put', timeout, () =>
          queue.put({ step, text: 'x'.repeat(random(200)) }, { timeout }),
        );
        break;
      case 1:
        sync('putBytesSync', timeout, () => queue.putBytesSync(bytes, { timeout }));
        break;
      case 2:
        sync('tryPutBytesMany', 0, () => queue.tryPutBytesMany([bytes, bytes, bytes]));
        break;
      case 3:
        await wait('putMany', timeout, () => queue.putMany([1, 'two', { three: 3 }], { timeout }));
        break;
      case 4:
        await wait('getBytes', timeout, () => queue.getBytes({ timeout }));
        break;
      case 5:
        sync('getBytesSync', timeout, () => queue.getBytesSync({ timeout }));
        break;
      case 6:
        sync('tryGetBytesMany', 0, () => queue.tryGetBytesMany(5));
        break;
      case 7:
        sync('tryGet', 0, () => queue.tryGet());
        break;
      case 8: {
        const views = sync('tryRecvViews', 0, () => queue.tryRecvViews(3)) ?? [];
        for (const { view, cursor } of views) {
          touch(view, most);
          if (random(3) === 0) sync('rejectRead', 0, () => queue.rejectRead(cursor));
          else sync('commitRead', 0, () => queue.commitRead(cursor));
        }
        break;
      }
      case 9: {
        const view = await wait('recvView', timeout, () => queue.recvView({ timeout }));
        if (view === undefined) break;
        touch(view.view, most);
        sync('dispose', 0, () => view[Symbol.dispose]());
        break;
      }
      case 10: {
        const view = sync('tryReserve', 0, () => queue.tryReserve(1 + random(900)));
        if (view === undefined) break;
        view.view.fill(3);
        if (random(3) === 0) sync('abortWrite', 0, () => queue.abortWrite(view.cursor));
        else
          sync('commitWrite', 0, () =>
            queue.commitWrite(view.cursor, random(view.view.length + 1)),
          );
        break;
      }
      case 11: {
        const view = await wait('reserve', timeout, () => queue.reserve(500, { timeout }));
        if (view !== undefined) sync('commitWrite', 0, () => queue.commitWrite(view.cursor));
        break;
      }
      case 12:
        sync('stats', 0, () => JSON.stringify(queue.stats()));
        break;
      case 13:
        sync('length', 0, () => queue.length);
        break;
      case 14: {
        const view = sync('tryGetDead', 0, () => queue.tryGetDead());
        if (view !== undefined) sync('dispose', 0, () => view[Symbol.dispose]());
        break;
      }
      case 15:
        await wait('iterate', timeout, async () => {
          const signal = AbortSignal.timeout(timeout);
          for await (const { view } of queue.views({ signal })) {
            touch(view, most);
            if (random(2) === 0) break;
          }
        });
        break;
      case 16:
        await wait('abort', 10, () => queue.getBytes({ signal: AbortSignal.timeout(5) }));
        break;
      default:
        sync('tryPut', 0, () => queue.tryPut(step));
    }
  }
  if (random(8) === 0) sync('end', 0, () => queue.end());
  sync('close', 0, () => queue.close());
}

async function useLock() {
  const lock = sync('new ZooLock', 0, () => new ZooLock(`${prefix}lock`));
  if (lock === undefined) return;
  for (let step = 0; step < 12; step += 1) {
    const timeout = random(20);
    switch (random(6)) {
      case 0:
        sync('tryAcquire', 0, () => lock.tryAcquire());
        break;
      case 1:
        sync('acquireSync', timeout, () => lock.acquireSync({ timeout }));
        break;
      case 2:
        await wait('acquire', timeout, () => lock.acquire({ timeout }));
        break;
      case 3:
        await wait('withLock', timeout, () => lock.withLock(() => step, { timeout }));
        break;
      default:
        if (lock.held) sync('release', 0, () => lock.release({ recovered: random(4) > 0 }));
        sync('owner', 0, () => lock.owner);
    }
  }
  if (lock.held) sync('release', 0, () => lock.release());
  sync('close', 0, () => lock.close());
}

function useMemory() {
  const memory = sync('memory', 0, () =>
    random(2) === 0
      ? ZooMemory.create(`${prefix}memory`, 10_000)
      : ZooMemory.open(`${prefix}memory`),
  );
  if (memory === undefined) return;
  if (memory.byteLength > 1 << 20) wrong.push(`a memory of ${memory.byteLength} bytes`);
  new Uint8Array(memory.buffer).fill(5);
  if (random(4) === 0) sync('renew', 0, () => memory.renew());
  sync('close', 0, () => memory.close());
}

async function useChannel() {
  const name = `${prefix}channel`;
  const channel =
    sync('Channel.create', 0, () => Channel.create(name, { bytes: '16KiB', capacity: 8 })) ??
    (await wait('Channel.open', 50, () => Channel.open(name, { timeout: 50 })));
  if (channel === undefined) return;
  for (let step = 0; step < 12; step += 1) {
    const timeout = random(20);
    switch (random(4)) {
      case 0:
        await wait('send', timeout, () => channel.send({ step }, { timeout }));
        break;
      case 1:
        sync('trySend', 0, () => channel.trySend(step));
        break;
      default:
        await wait('receive', timeout, () => channel.receive({ timeout }));
    }
  }
  if (random(2) === 0) sync('fail', 0, () => channel.close(new Error('given up')));
  await wait('dispose a channel', 1000, async () => channel[Symbol.asyncDispose]());
}

async function usePipe() {
  const name = `${prefix}pipe${random(4)}`;
  const pipe =
    sync('ZooPipe.create', 0, () =>
      ZooPipe.create(name, { memoryLimit: '16KiB', chunkSize: '1KiB' }),
    ) ?? (await wait('ZooPipe.open', 50, () => ZooPipe.open(name, { timeout: 50 })));
  if (pipe === undefined) return;
  const bytes = Buffer.alloc(3000, 1);
  for (let step = 0; step < 6; step += 1) {
    const signal = AbortSignal.timeout(1 + random(20));
    await wait('write', 20, () => pipe.write(bytes, { signal }));
    await wait('read', 20, () => pipe.read(random(2000) + 1, { signal }));
  }
  await wait('dispose a pipe', 1000, async () => pipe[Symbol.asyncDispose]());
}

const end = performance.now() + Number(milliseconds);
// A call that never settles would let the program end by itself, or hang.
const watchdog = setInterval(() => undefined, 1000);
process.on('exit', () => {
  if (performance.now() < end) wrong.push(`ended while at ${doing}`);
});
while (performance.now() < end && wrong.length === 0) {
  switch (random(8)) {
    case 0:
    case 1:
    case 2:
      await useQueue('ring');
      break;
    case 3:
    case 4:
      await useQueue('frames');
      break;
    case 5:
      await useLock();
      useMemory();
      break;
    case 6:
      await useChannel();
      break;
    default:
      await usePipe();
  }
}
clearInterval(watchdog);
process.stdout.write(`${JSON.stringify({ ...counts, slowest, wrong })}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** Pools of processes and of threads, made, used in every way and closed again. */
import { ZooPool } from '../../dist/index.js';
import { bytesFor } from '../torture/support/random.js';
import { demand, refusedWith } from './scope.js';

const module = new URL('./tasks.js', import.meta.url);

/** @param {'process' | 'thread'} kind @returns {import('./scope.js').Traffic} */
function poolOf(kind) {
  return async (scope) => {
    const { random } = scope;
    /** @type {ZooPool<typeof import('./tasks.js')>} */
    const pool = new ZooPool(module, { kind, workers: random.between(1, 3), killAfter: 20 });
    await calls(pool, scope);
    if (random.happens(0.3)) await refusedWith('ERR_ZOO_WORKER_DIED', () => pool.run('dies', []));
    if (random.happens(0.3)) await pool.resize(1);
    if (random.happens(0.7)) {
      await pool.close();
      return;
    }
    const waiting = refusedWith('ERR_ZOO_CLOSED', () => pool.run('waits', []));
    await pool.destroy();
    await waiting;
  };
}

/** One that stays, so that what each task costs is not hidden by what a pool costs. */
/** @type {ZooPool<typeof import('./tasks.js')> | undefined} */
let steady;

/** @type {import('./scope.js').Traffic} */
export async function steadyPool(scope) {
  steady ??= new ZooPool(module, { kind: 'thread', workers: 2, killAfter: 20 });
  for (let round = 0; round < 5; round += 1) await calls(steady, scope);
}

/** Its threads share what is measured of the process. */
export async function restSteadyPool() {
  await steady?.broadcast('rest', []);
}

export async function closeSteadyPool() {
  await steady?.close();
}

/** A few, since memory for large values is kept by size, up to a limit, and used again. */
const sizes = [10, 2000, 70_000, 300_000, 5_000_000];

/** @param {ZooPool<typeof import('./tasks.js')>} pool @param {import('./scope.js').Scope} scope */
async function calls(pool, { random, count }) {
  const sums = await Promise.all(Array.from({ length: 50 }, (_, i) => pool.run('add', [i, 1])));
  demand(
    sums.every((sum, i) => sum === i + 1),
    'sums',
  );
  const bytes = bytesFor(1, random.one(sizes));
  const back = await pool.run('reversed', [bytes]);
  demand(Buffer.from(back).reverse().equals(bytes), 'bytes there and back');
  const size = random.one(sizes);
  demand((await pool.call.made(size)).length === size, 'a large answer');
  await refusedWith(RangeError, () => pool.run('fails', []));
  await refusedWith('ERR_ZOO_TIMEOUT', () => pool.run('waits', [], { timeout: 5 }));
  const controller = new AbortController();
  const waiting = refusedWith('ABORT_ERR', () =>
    pool.run('waits', [], { signal: controller.signal }),
  );
  setImmediate(() => controller.abort());
  await waiting;
  let streamed = 0;
  for await (const { number } of pool.stream('counted', [60], { onProgress: () => {} })) {
    streamed += 1;
    if (number === 30 && random.happens(0.5)) break;
  }
  demand(streamed === 60 || streamed === 31, 'a stream');
  const mapped = await pool.map('made', [1, 2, 3, 70_000], { concurrency: 2 }).toArray();
  demand(mapped[3]?.length === 70_000, 'a map');
  count('tasks', 60);
}

export const processes = poolOf('process');
export const threads = poolOf('thread');

/** Locks and memory. */
import { ZooLock, ZooMemory } from '../../dist/index.js';
import { demand, disposing, freshName, refusedWith } from './scope.js';

/** @type {import('./scope.js').Traffic} */
export async function locks(scope) {
  const name = freshName(scope, 'lock');
  const lock = new ZooLock(name);
  const other = new ZooLock(name, { label: 'other' });
  let inside = 0;
  const once = (/** @type {ZooLock} */ handle) =>
    handle.withLock(async () => {
      inside += 1;
      demand(inside === 1, 'one at a time');
      await new Promise(setImmediate);
      inside -= 1;
    });
  await disposing([lock, other], async () => {
    for (let round = 0; round < 20; round += 1) await Promise.all([once(lock), once(other)]);
    const guard = lock.acquireSync();
    demand(guard.generation > 0n && other.tryAcquire() === undefined, 'a held lock');
    await refusedWith('ERR_ZOO_TIMEOUT', () => other.acquire({ timeout: 3 }));
    const controller = new AbortController();
    const waiting = refusedWith('ABORT_ERR', () => other.acquire({ signal: controller.signal }));
    controller.abort();
    await waiting;
    guard.release();
    other.acquireSync();
    other.release({ recovered: false });
    await refusedWith('ERR_ZOO_LOCK_RECOVERED', () => lock.acquire());
    lock.release();
  });
  scope.count('locked', 42);
}

/** @type {import('./scope.js').Traffic} */
export async function memories(scope) {
  const { random } = scope;
  for (let round = 0; round < 10; round += 1) {
    const name = freshName(scope, 'memory');
    const bytes = random.logarithmic(1, 4_000_000);
    const memory = ZooMemory.create(name, bytes);
    new Uint8Array(memory.buffer)[bytes - 1] = 7;
    const other = ZooMemory.open(name);
    demand(new Uint8Array(other.buffer)[bytes - 1] === 7, 'what another handle wrote');
    memory.unlink();
    // Some are left to the collector.
    if (random.happens(0.7)) memory.close();
    if (random.happens(0.7)) other.close();
  }
  scope.count('memories', 10);
}

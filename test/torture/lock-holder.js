/**
 * Moves amounts between accounts in shared memory, under a lock and with a journal beside them. Its
 * own journal has `# NUMBER` for each move that was made.
 */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { LockRecovered, ZooLock, ZooMemory } from '../../dist/index.js';
import { Accounts } from './accounts.js';

/** @typedef {import('./peer.js').Scope} Scope */

/** @param {Scope} scope */
export async function run({ id, plan, random, note, state, isThread }) {
  const memory = ZooMemory.open(plan.memory);
  const accounts = new Accounts(memory.buffer);
  let lock = new ZooLock(plan.lock, { label: `holder ${id}` });

  /** A place at which this process may die. */
  const step = () => {
    if (!isThread && random.happens(plan.deaths)) process.kill(process.pid, 'SIGKILL');
  };

  const repair = () => {
    step();
    accounts.repair(id);
    step();
    note('R');
  };

  /** With the lock held and everything in order. @param {boolean} slowly */
  const move = async (slowly) => {
    accounts.enter(id, lock.generation);
    step();
    const number = accounts.begin(
      random.between(0, accounts.count),
      random.between(0, accounts.count),
      random.between(1, 9),
    );
    step();
    if (slowly) await sleep(random.between(0, 5));
    accounts.take();
    step();
    if (slowly) await turn();
    accounts.give();
    step();
    accounts.finish();
    step();
    note(`# ${number}`);
    accounts.leave(id);
    step();
  };

  /** @param {() => unknown} acquire answers false when it did not get the lock */
  const acquired = async (acquire) => {
    try {
      return (await acquire()) !== undefined;
    } catch (error) {
      if (!(error instanceof LockRecovered)) throw error;
      if (random.happens(0.15)) {
        // Not in order yet: whoever is next has to hear it again.
        lock.release({ recovered: false });
        return false;
      }
      repair();
      return true;
    }
  };

  while (!state.stop) {
    const timeout = random.between(1, 300);
    try {
      switch (random.between(0, 6)) {
        case 0:
          await lock.withLock(() => move(random.happens(0.3)), {
            timeout,
            recover: () => repair(),
          });
          break;
        case 1:
          if (await acquired(() => lock.acquire({ timeout }))) {
            await move(random.happens(0.3));
            lock.release();
          }
          break;
        case 2:
          if (await acquired(() => lock.acquireSync({ timeout }))) {
            await move(false);
            lock.release();
          }
          break;
        case 3:
          if (await acquired(() => lock.tryAcquire())) {
            await move(random.happens(0.3));
            lock.release();
          }
          break;
        case 4:
          if (await acquired(() => lock.acquire({ signal: AbortSignal.timeout(timeout) }))) {
            await move(false);
            lock.release();
          }
          break;
        default:
          if (!random.happens(0.1)) break;
          lock.close();
          lock = new ZooLock(plan.lock, { label: `holder ${id}` });
      }
    } catch (error) {
      const { code } = /** @type {any} */ (error);
      if (code !== 'ERR_ZOO_TIMEOUT' && code !== 'ABORT_ERR') throw error;
    }
    await turn();
  }
  lock.close();
  memory.close();
}

/** A handle that is closed and opened again now and then, also on a name that was made anew. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ZooQueue } from '../../../dist/index.js';

export class Opened {
  /** @type {ZooQueue | undefined} */
  #queue;

  /** @param {{ name: string }} plan @param {any} options @param {{ stop: boolean }} state */
  constructor(plan, options, state) {
    this.name = plan.name;
    this.options = options;
    this.state = state;
  }

  /** Undefined: this peer was told to stop while there was none. */
  async get() {
    while (this.#queue === undefined || this.#queue.closed) {
      try {
        this.#queue = ZooQueue.open(this.name, { ...this.options, codec: 'bytes' });
      } catch (error) {
        const { code } = /** @type {any} */ (error);
        if (code !== 'ERR_ZOO_NOT_FOUND') throw error;
        if (this.state.stop) return undefined;
        await sleep(1);
      }
    }
    return this.#queue;
  }

  /** @param {boolean} lazily leave it to the garbage collector */
  async close(lazily) {
    if (!lazily) this.#queue?.close();
    this.#queue = undefined;
  }
}

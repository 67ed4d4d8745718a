/** The producer processes. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('producer.js', import.meta.url));

/** @typedef {{ made: number, waiting: number, ownBytes: number }} Report */

export class Producer {
  made = 0;
  /** Metrics per second between the last two reports. */
  perSecond = 0;
  /** Share of the time, from 0 to 1, in which the process had nothing to do but wait for room. */
  waiting = 0;
  /** Memory of the process. */
  ownBytes = 0;
  isAlive = true;
  wasKilled = false;
  /** Settles when the first metrics are on their way, or the process has ended. */
  ready;
  #child;
  #ended;
  #reported = performance.now();

  /** @param {string} channel @param {number} index @param {number} count of all producers */
  constructor(channel, index, count) {
    this.source = `server-${index + 1}`;
    this.#child = fork(script, [channel, this.source, String(index / count)]);
    this.#child.on('message', (message) => this.#take(/** @type {Report} */ (message)));
    this.ready = Promise.race([once(this.#child, 'message'), once(this.#child, 'exit')]);
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => {
      this.isAlive = false;
      this.perSecond = 0;
      return signal ?? code;
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** @param {Report} report */
  #take({ made, waiting, ownBytes }) {
    const now = performance.now();
    this.perSecond = ((made - this.made) * 1000) / (now - this.#reported);
    this.#reported = now;
    Object.assign(this, { made, waiting, ownBytes });
  }

  kill() {
    this.wasKilled = true;
    this.#child.kill('SIGKILL');
  }

  /** Lets it end properly. @returns {Promise<number | string>} its exit code, or the signal */
  async stop() {
    if (this.isAlive && this.#child.connected) this.#child.send('stop');
    return this.#ended;
  }
}

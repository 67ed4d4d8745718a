/** One contender as the runner sees it: a host process that takes orders. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Unavailable } from './unavailable.js';

const host = fileURLToPath(new URL('host.js', import.meta.url));

/** @typedef {{ sample?: import('./types.d.ts').Sample, unavailable?: string, error?: string }} Reply */

export class Contender {
  #child;
  #patience;

  /**
   * @param {import('./types.d.ts').ContenderDescription} description
   * @param {import('./types.d.ts').ContenderOptions} options
   * @param {{ patience: number }} limits milliseconds for one order
   */
  constructor(description, options, { patience }) {
    const module = new URL(`../contenders/${description.file}`, import.meta.url).href;
    this.#patience = patience;
    this.#child = fork(host, [module, JSON.stringify(options)], {
      serialization: 'advanced',
      // What a contender says must not get between the lines of the table.
      stdio: ['ignore', process.stderr, 'inherit', 'ipc'],
    });
  }

  /** @param {{ order: 'open' | 'run' | 'close', amount?: number }} order @returns {Promise<Reply>} */
  async #obey(order) {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null || !child.connected) {
      throw new Error('the process of this contender is gone');
    }
    const controller = new AbortController();
    const { signal } = controller;
    const late = setTimeout(() => child.kill('SIGKILL'), this.#patience);
    try {
      child.send(order);
      const [reply] = await Promise.race([
        once(child, 'message', { signal }),
        once(child, 'exit', { signal }).then(([code, ending]) => {
          throw new Error(`the process of this contender ended with ${ending ?? `code ${code}`}`);
        }),
      ]);
      if (reply.unavailable !== undefined) throw new Unavailable(reply.unavailable);
      if (reply.error !== undefined) throw new Error(reply.error);
      return reply;
    } finally {
      clearTimeout(late);
      controller.abort();
    }
  }

  async open() {
    await this.#obey({ order: 'open' });
  }

  /** @param {number} amount operations @returns {Promise<import('./types.d.ts').Sample>} */
  async run(amount) {
    const { sample } = await this.#obey({ order: 'run', amount });
    if (sample === undefined) throw new Error('the contender gave no sample');
    return sample;
  }

  /** Never throws: the figures are there, whatever happens now. */
  async close() {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    await this.#obey({ order: 'close' }).catch(() => child.kill('SIGKILL'));
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  }
}

/** One contender as the runner sees it: a host process that takes orders. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { presentNode } from '../../scripts/support/nodes.js';
import { Unavailable } from './unavailable.js';

const host = fileURLToPath(new URL('host.js', import.meta.url));

/**
 * @typedef {import('node:child_process').ChildProcess} ChildProcess
 * @typedef {{ sample?: import('./types.d.ts').Sample, unavailable?: string, error?: string }} Reply
 */

/** @param {import('./types.d.ts').NodeMajor | undefined} major @returns {string} */
function binaryOf(major) {
  if (major === undefined) return process.execPath;
  const node = presentNode(major);
  if (node) return node.binary;
  throw new Unavailable(`Node ${major} is not in out/nodes; npm run bench -- versions fetches it`);
}

/** @param {ChildProcess} child */
const isGone = ({ exitCode, signalCode }) => exitCode !== null || signalCode !== null;

export class Contender {
  #description;
  #options;
  #patience;
  /** @type {ChildProcess | undefined} */
  #child;

  /**
   * @param {import('./types.d.ts').ContenderDescription} description
   * @param {import('./types.d.ts').ContenderOptions} options
   * @param {{ patience: number }} limits milliseconds for one order
   */
  constructor(description, options, { patience }) {
    this.#description = description;
    this.#options = options;
    this.#patience = patience;
  }

  #start() {
    const { file, node } = this.#description;
    const module = new URL(`../contenders/${file}`, import.meta.url).href;
    return fork(host, [module, JSON.stringify(this.#options)], {
      // What the contender forks runs on the same version.
      execPath: binaryOf(node),
      serialization: 'advanced',
      // What a contender says must not get between the lines of the table.
      stdio: ['ignore', process.stderr, 'inherit', 'ipc'],
    });
  }

  /** @param {{ order: 'open' | 'run' | 'close', amount?: number }} order @returns {Promise<Reply>} */
  async #obey(order) {
    const child = this.#child;
    if (!child || isGone(child) || !child.connected) {
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
    this.#child = this.#start();
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
    if (!child || isGone(child)) return;
    const ended = once(child, 'exit');
    await this.#obey({ order: 'close' }).catch(() => child.kill('SIGKILL'));
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  }
}

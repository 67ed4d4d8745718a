/** The processes of the film: started, started again when killed, and ended together. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Failure } from './failure.js';

/**
 * @typedef {object} Job
 * @property {string} label
 * @property {string} script beside this file
 * @property {string[]} args after the process id of the supervisor
 * @property {number} [descriptor] handed to the process as its descriptor 4
 * @property {boolean} replaceable whether a new process can take the place of a killed one
 */

/** A frame that kills everybody who touches it must not go on for ever. */
const mostReplacements = 20;

export class Staff {
  /** @type {Map<string, import('node:child_process').ChildProcess>} */
  #processes = new Map();
  #stopping = false;
  /** How many processes were started in the place of a killed one. */
  replaced = 0;

  constructor() {
    /** @type {(value?: undefined) => void} */
    let done = () => {};
    /** @type {(error: Error) => void} */
    let fail = () => {};
    /** Fulfilled when all have done their work; rejected as soon as one cannot go on. */
    this.finished = new Promise((resolve, reject) => {
      done = resolve;
      fail = reject;
    });
    // Who waits for it comes later than a first failure may.
    this.finished.catch(() => {});
    this.#done = done;
    this.#fail = fail;
  }

  #done;
  #fail;

  /** @param {Job} job */
  start(job) {
    const script = fileURLToPath(new URL(job.script, import.meta.url));
    const child = fork(script, [String(process.pid), ...job.args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', job.descriptor ?? 'ignore'],
    });
    this.#processes.set(job.label, child);
    child.once('error', (error) => this.#fail(error));
    child.once('exit', (code, signal) => this.#ended(job, child, code, signal));
  }

  /**
   * @param {Job} job @param {import('node:child_process').ChildProcess} child
   * @param {number | null} code @param {string | null} signal
   */
  #ended(job, child, code, signal) {
    this.#processes.delete(job.label);
    if (this.#stopping || code === 0) {
      if (this.#processes.size === 0) this.#done();
    } else if (signal !== null && job.replaceable && this.replaced < mostReplacements) {
      this.replaced++;
      this.start(job);
    } else {
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
      this.#fail(new Failure(`The ${job.label} (process ${child.pid}) was ended ${how}.`));
    }
  }

  /** @param {string} label @returns {number | undefined} */
  pidOf(label) {
    return this.#processes.get(label)?.pid;
  }

  /** @param {number} pid @returns {string | undefined} */
  labelOf(pid) {
    return [...this.#processes].find(([, child]) => child.pid === pid)?.[0];
  }

  /** Ends everybody, now. */
  async stop() {
    this.#stopping = true;
    const ends = [...this.#processes.values()].map(
      (child) => new Promise((resolve) => child.once('exit', resolve)),
    );
    for (const child of this.#processes.values()) child.kill('SIGKILL');
    await Promise.all(ends);
  }
}

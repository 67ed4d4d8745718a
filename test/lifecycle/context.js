/** What a scenario works with: names, threads, other processes, and a look at what is in use. */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync, statSync, watch, writeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker, parentPort, workerData } from 'node:worker_threads';

/** @typedef {typeof import('../../dist/index.js')} ZooSync */
/** @typedef {{ prefix: string, file: string, scenario: string, role?: string, data?: any, seed: number, seconds: number }} Place */
/** @typedef {{ mappings: string[], descriptors: string[], ropes: number, threads: number, children: string[], files: string[] }} Usage */

/** How long something that has to happen may take. */
const patience = 10_000;
const bell = /^\/dev\/shm\/\.zoosync-bell-/;
/** What Node reads while it loads modules; a thread that is terminated meanwhile leaves it open. */
const moduleFile = /\.(js|json)$/;

/** @returns {Promise<ZooSync>} the package, loaded when it is first asked for */
export const load = () => import('../../dist/index.js');

/** @param {unknown} condition @param {string | (() => string)} complaint @returns {asserts condition} */
export function check(condition, complaint) {
  if (!condition) throw new Error(typeof complaint === 'string' ? complaint : complaint());
}

/** @param {() => unknown} action @returns {Promise<any>} what it throws, or rejects with */
export async function failureOf(action) {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('this should have failed');
}

/** @param {() => unknown} holds @param {string | (() => string)} what waits until it does */
export async function until(holds, what) {
  const deadline = performance.now() + patience;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(2);
  }
}

/** @param {number} seed @returns {() => number} numbers from 0 up to 1, the same for the same seed */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @returns {string[]} the segments that are mapped, once for each mapping */
export const mappedSegments = () =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(' /dev/shm/'))
    .map((line) => line.slice(line.indexOf('/dev/shm/')));

/** @returns {string[]} what each open descriptor leads to */
function openDescriptors() {
  return readdirSync('/proc/self/fd').flatMap((number) => {
    try {
      return [readlinkSync(`/proc/self/fd/${number}`)];
    } catch {
      return []; // the one that was listing
    }
  });
}

/** @param {string} path @returns {string} empty when there is none, or no longer */
function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * The process ids of what this process started and what still runs. What a terminated thread
 * started is dead, but nobody waits for it before this process ends (so Node): it does not count.
 * @returns {string[]}
 */
const childProcesses = () =>
  readdirSync('/proc/self/task')
    .flatMap((thread) => textOf(`/proc/self/task/${thread}/children`).split(' '))
    .filter((pid) => pid !== '' && /\) [^ZX]/.test(textOf(`/proc/${pid}/stat`)));

/** What all parts of a scenario have. */
class Base {
  /** @param {Place} place */
  constructor(place) {
    this.place = place;
    this.random = randomOf(place.seed);
  }

  /** Given to a thread or a process by whoever started it. */
  get data() {
    return this.place.data;
  }

  /** @param {string} suffix @returns {string} a name under /dev/shm that nobody else uses */
  name(suffix) {
    return `${this.place.prefix}.${suffix}`;
  }

  /**
   * Starts a worker thread in a role of this scenario.
   * @param {string} role
   * @param {unknown} [data]
   * @param {import('node:worker_threads').WorkerOptions} [options]
   */
  thread(role, data, options = {}) {
    const place = { ...this.place, role, data, seed: Math.floor(this.random() * 2 ** 32) };
    const worker = new Worker(new URL('main.js', import.meta.url), {
      ...options,
      workerData: place,
    });
    /** @type {Promise<number>} */
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    /** @type {Promise<Error | undefined>} */
    const failed = new Promise((resolve) => {
      worker.once('error', (error) => resolve(/** @type {Error} */ (error)));
      worker.once('exit', () => resolve(undefined));
    });
    /** What it says first; undefined when it ends without a word. @type {Promise<any>} */
    const said = new Promise((resolve) => {
      worker.once('message', resolve);
      worker.once('exit', () => resolve(undefined));
    });
    return { worker, exited, failed, said };
  }
}

/** A worker thread of a scenario. */
export class ThreadContext extends Base {
  /** @param {unknown} value to the thread that started this one */
  say(value) {
    parentPort?.postMessage(value);
  }
}

/** A process of a scenario. */
export class Context extends Base {
  /** @type {Usage | undefined} */
  #before;

  /** Tells whoever started this process. @param {string} word */
  say(word) {
    writeSync(1, `${word}\n`);
  }

  /** Starts another process of this scenario, with the same Node and options. @param {string} role @param {any} [data] */
  peer(role, data) {
    const place = { ...this.place, role, data };
    const child = fork(
      fileURLToPath(new URL('main.js', import.meta.url)),
      [JSON.stringify(place)],
      {
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      },
    );
    const exited = once(child, 'exit');
    return {
      child,
      said: /** @type {Promise<string>} */ (
        new Promise((resolve) => child.stdout?.once('data', (text) => resolve(String(text).trim())))
      ),
      exited: exited.then(([code, signal]) => ({ code, signal })),
    };
  }

  /** Removes the names that begin so: what a thread made that was terminated stays as long as its process. @param {string} start */
  async removeNames(start) {
    const { Channel, ZooLock, ZooMemory, ZooPipe, ZooQueue } = await load();
    const kinds = [ZooQueue, ZooLock, ZooMemory, ZooPipe, Channel];
    for (const name of readdirSync('/dev/shm')) {
      if (!name.startsWith(this.name(start))) continue;
      for (const kind of kinds) {
        try {
          kind.unlink(name);
        } catch (error) {
          if (/** @type {{ code?: string }} */ (error).code !== 'ERR_ZOO_KIND') throw error;
        }
      }
    }
  }

  /** What is in use now, as the kernel sees it. @returns {Usage} */
  usage() {
    const descriptors = openDescriptors();
    return {
      mappings: mappedSegments(),
      descriptors: descriptors.filter((target) => !bell.test(target) && !moduleFile.test(target)),
      ropes: descriptors.filter((target) => bell.test(target) && target.endsWith('(deleted)'))
        .length,
      threads: readdirSync('/proc/self/task').length,
      children: childProcesses(),
      files: readdirSync('/dev/shm').filter((file) => file.startsWith(this.place.prefix)),
    };
  }

  /** Everything that comes once and stays: threads and descriptors of Node, the bell of the package. */
  async warmUp() {
    const { ZooQueue } = await load();
    await Promise.all(Array.from({ length: 8 }, () => stat('/')));
    spawnSync('/bin/true');
    watch('/').close();
    void process.stdout;
    const queue = ZooQueue.create(this.name('warm'), { size: '4KiB' });
    const waiting = queue.get();
    await queue.put('warm');
    await waiting;
    queue[Symbol.dispose]();
    await this.#leaveToFinalizers(() => mappedSegments().length === 0);
    this.#before = this.usage();
  }

  /** @param {() => boolean} done */
  async #leaveToFinalizers(done) {
    const deadline = performance.now() + patience;
    while (!done() && performance.now() < deadline) {
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
      await sleep(1);
    }
  }

  /** Waits until no more is in use than before the scenario. */
  async settled() {
    const before = this.#before;
    if (!before) return;
    /** @type {string[]} */
    let more = [];
    const { ZooLock } = await load();
    await this.#leaveToFinalizers(() => {
      // What threads held that have ended goes when a lock is used next.
      new ZooLock(this.name('settled'))[Symbol.dispose]();
      more = excess(before, this.usage());
      return more.length === 0;
    });
    check(more.length === 0, () => `still in use: ${more.join('; ')}`);
  }
}

/** @param {string} target @returns {string} without the numbers of this one */
const kindOf = (target) => target.replaceAll(/\d+/g, '');

/** @param {Usage} before @param {Usage} now @returns {string[]} what there is more of */
function excess(before, now) {
  const more = [];
  if (now.mappings.length > before.mappings.length) {
    more.push(
      `${now.mappings.length - before.mappings.length} mappings (${now.mappings.join(', ')})`,
    );
  }
  if (now.descriptors.length > before.descriptors.length) {
    const known = [...before.descriptors];
    const kinds = now.descriptors.filter((target) => {
      const kind = kindOf(target);
      const at = known.findIndex((one) => kindOf(one) === kind);
      if (at >= 0) known.splice(at, 1);
      return at < 0;
    });
    more.push(
      `${now.descriptors.length - before.descriptors.length} descriptors (${kinds.join(', ')})`,
    );
  }
  // They go when the next one is made; until then they are few.
  if (now.ropes > before.ropes + 16) more.push(`${now.ropes} ropes of bells that are gone`);
  if (now.threads > before.threads) more.push(`${now.threads - before.threads} threads`);
  if (now.children.length > 0) more.push(`processes ${now.children.join(', ')}`);
  const files = now.files.filter((file) => !before.files.includes(file));
  if (files.length > 0) more.push(`in /dev/shm: ${files.join(', ')}`);
  return more;
}

/** @returns {boolean} whether a file of this name is in /dev/shm @param {string} name */
export function isThere(name) {
  return statSync(`/dev/shm/${name}`, { throwIfNoEntry: false }) !== undefined;
}

/** @returns {Place} */
export const placeOfThisThread = () => workerData;

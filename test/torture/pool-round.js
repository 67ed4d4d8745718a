/** One life of a pool under load and under fire, and what has to hold at its end. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BroadcastChannel } from 'node:worker_threads';
import { ZooPool } from '../../dist/index.js';
import { anyCall } from './pool-calls.js';
import { comesTrue, isDead } from './support/leaks.js';

/** In so many milliseconds something goes on, however busy the machine is. */
const stuckAfter = 30_000;
/** Calls that are open at a time. */
const mostOpen = 150;

/** @typedef {import('./support/random.js').Random} Random */
/** @typedef {import('./support/report.js').Report} Report */
/**
 * What one call may end with, and the options of `run`.
 * @typedef {object} CallPlan
 * @property {number} [retries]
 * @property {number} [priority]
 * @property {number} [timeout]
 * @property {number} [queueTimeout]
 * @property {string} [key]
 * @property {AbortSignal} [signal]
 * @property {(value: any) => void} [onProgress]
 * @property {number} [large] bytes of its largest value
 * @property {boolean} [stream]
 * @property {boolean} [map] several tasks
 * @property {boolean} [announcement]
 */

let lastNumber = 0;

export class PoolRound {
  /** @param {Random} random @param {Report} report @param {string} kinds */
  constructor(random, report, kinds) {
    this.random = random;
    this.report = report;
    this.kind = /** @type {'process' | 'thread'} */ (kinds || random.one(['process', 'thread']));
    this.directory = mkdtempSync(path.join(tmpdir(), 'torture-pool-'));
    this.retries = random.between(0, 3);
    const workers = random.between(1, 4);
    /** @type {any} */
    this.options = {
      kind: this.kind,
      workers: random.happens(0.7)
        ? workers
        : { min: random.between(0, workers + 1), max: workers },
      retries: this.retries,
      killAfter: random.between(50, 300),
      concurrency: random.happens(0.6) ? 1 : random.between(2, 6),
      size: random.one(['64KiB', '64KiB', '4MiB']),
      codec: random.one(['msgpack', 'msgpack', 'v8']),
      data: { directory: this.directory },
      stdio: 'ignore',
      idleTimeout: random.one([30_000, 50]),
      ...(random.happens(0.3) && { maxTasksPerWorker: random.between(1, 300) }),
      ...(random.happens(0.15) && { maxMemory: this.kind === 'process' ? '110MiB' : '30MiB' }),
      ...(random.happens(0.15) && {
        maxQueue: random.between(20, 200),
        overflow: random.one(['reject', 'wait']),
      }),
    };
    this.pool = /** @type {any} */ (
      new ZooPool(new URL('pool-tasks.js', import.meta.url), this.options)
    );
    /** @type {Map<number, { kind: string, begun: number }>} */
    this.open = new Map();
    /** @type {number[]} announcements that every worker has heard */
    this.announced = [];
    /** @type {{ key: string, number: number }[]} */
    this.keyed = [];
    /** Workers that this program has harmed. @type {Set<number>} */
    this.shot = new Set();
    this.shotsAtStarting = 0;
    /** @type {Map<number, { pid: number, exitCode: number | null, signal: string | null }>} */
    this.exits = new Map();
    /** @type {Set<number>} */
    this.pids = new Set();
    /** @type {{ number: number, workerId: number }[]} */
    this.deaths = [];
    /** @type {Map<number, number>} how often each task may start */
    this.mostStarts = new Map();
    /** @type {Set<number>} tasks that were answered */
    this.answered = new Set();
    /** Some tasks were given up: the pool may kill their workers. */
    this.gaveUp = false;
    /** The pool is destroyed: what is open is rejected. */
    this.destroying = false;
    /** No more calls are taken. */
    this.closing = false;
    this.over = false;
    this.lastState = '';
    this.movedAt = performance.now();
    this.channel = new BroadcastChannel(`torture-${this.directory}`);
    this.channel.unref();
    this.pool.on('worker:ready', (/** @type {any} */ { pid }) => {
      if (this.kind === 'process') this.pids.add(pid);
      report.count('workers started');
    });
    this.pool.on('worker:exit', (/** @type {any} */ { id, pid, exitCode, signal }) =>
      this.exits.set(id, { pid, exitCode, signal }),
    );
    this.pool.on('retry', () => report.count('retries'));
  }

  number() {
    return (lastNumber += 1);
  }

  /** @param {string} text */
  violation(text) {
    this.report.violation(`${text} (${this.kind}, ${JSON.stringify(this.options)})`);
  }

  /** @returns {CallPlan} */
  someOptions() {
    const { random } = this;
    /** @type {CallPlan} */
    const plan = {};
    if (random.happens(0.3)) plan.retries = random.between(0, 4);
    if (random.happens(0.3)) plan.priority = random.between(-2, 3);
    if (random.happens(0.05)) plan.timeout = random.logarithmic(1, 400);
    if (random.happens(0.05)) plan.queueTimeout = random.logarithmic(1, 400);
    if (random.happens(0.06)) plan.signal = this.sharedSignal();
    else if (random.happens(0.05)) plan.signal = AbortSignal.timeout(random.between(0, 100));
    return plan;
  }

  /** One signal for many tasks, that fires some time. */
  sharedSignal() {
    if (this.shared === undefined || this.shared.signal.aborted) {
      const controller = new AbortController();
      this.shared = controller;
      setTimeout(
        () => controller.abort(new Error('all of them')),
        this.random.between(50, 800),
      ).unref();
    }
    return this.shared.signal;
  }

  /** @param {Record<number, number>} heard @param {number[]} known */
  heardAll(heard, known) {
    const missing = known.filter((number) => heard[number] !== 1);
    if (missing.length > 0)
      this.violation(
        `announcements ${missing} were heard ${missing.map((one) => heard[one] ?? 0)} times`,
      );
    return missing.length === 0;
  }

  /**
   * Makes a call, and judges what comes of it.
   * @param {string} kind
   * @param {number} number
   * @param {CallPlan} plan
   * @param {(options: object) => Promise<unknown>} call
   * @param {(value: unknown) => boolean} isRight
   * @param {(error: unknown) => boolean} [isRightError]
   */
  async expect(kind, number, plan, call, isRight, isRightError) {
    const { large = 0, stream = false, map = false, announcement = false, ...options } = plan;
    const retries = options.retries ?? this.retries;
    if (!announcement && !map) this.mostStarts.set(number, retries + 1);
    if (options.signal || options.timeout !== undefined || map || stream) this.gaveUp = true;
    this.open.set(number, { kind, begun: performance.now() });
    this.report.count('tasks');
    this.report.count(`calls: ${kind}`);
    try {
      const value = await call(options);
      this.answered.add(number);
      if (!isRight(value)) this.violation(`${kind} ${number} was answered with ${show(value)}`);
    } catch (error) {
      this.judge(kind, number, { ...plan, retries, large, stream, map }, error, isRightError);
    } finally {
      this.open.delete(number);
    }
  }

  /** @param {string} kind @param {number} number @param {CallPlan} plan @param {any} error @param {((error: unknown) => boolean) | undefined} isRightError */
  judge(kind, number, plan, error, isRightError) {
    const code = String(error?.code);
    this.report.count(`errors: ${code}`);
    if (isRightError?.(error)) return;
    if (code === 'ERR_ZOO_WORKER_DIED') {
      this.deaths.push({ number, workerId: error.workerId });
      const may = (plan.retries ?? 0) + 1;
      if (error.attempts !== may && !(plan.stream && error.attempts < may)) {
        this.violation(`${kind} ${number} was given up after ${error.attempts} of ${may} attempts`);
      }
      return;
    }
    const allowed = {
      ABORT_ERR: plan.signal !== undefined,
      ERR_ZOO_TIMEOUT: plan.timeout !== undefined || plan.queueTimeout !== undefined,
      ERR_ZOO_CLOSED: this.destroying || this.over || (plan.map === true && this.closing),
      ERR_ZOO_FULL: this.options.overflow === 'reject',
      ERR_ZOO_NO_SPACE: (plan.large ?? 0) >= 60_000,
      ERR_ZOO_POOL_BROKEN: this.mayBeBroken(error),
    }[code];
    if (!allowed) this.violation(`${kind} ${number} was rejected: ${error?.stack ?? error}`);
  }

  /** Its workers were shot before they were ready, or there was no room for their rings. @param {any} error */
  mayBeBroken({ cause }) {
    const wasShot = this.shotsAtStarting >= 5 && cause?.code === 'ERR_ZOO_WORKER_DIED';
    return wasShot || cause?.code === 'ERR_ZOO_NO_SPACE';
  }

  /** Harms some worker. */
  async shoot() {
    const { random, pool, report } = this;
    const worker = random.one(/** @type {any[]} */ (pool.workers));
    if (worker === undefined) return;
    if (worker.state === 'starting') {
      // A thread does not listen yet.
      if (this.kind === 'thread' || random.happens(0.7)) return;
      this.shotsAtStarting += 1;
    }
    if (this.kind === 'thread') {
      this.shot.add(worker.id);
      report.count('terminations');
      this.channel.postMessage(worker.id);
      return;
    }
    const { pid } = worker;
    if (isDead(pid)) return;
    const way = random.one([
      'SIGKILL',
      'SIGKILL',
      'SIGSEGV',
      'SIGTERM',
      'stop',
      'stop',
      'stop and kill',
    ]);
    if (way !== 'stop') this.shot.add(worker.id);
    if (!way.startsWith('stop')) {
      report.count('kills');
      process.kill(pid, way);
      return;
    }
    report.count('stops');
    process.kill(pid, 'SIGSTOP');
    await sleep(random.logarithmic(1, 700));
    // The pool may have killed it meanwhile, as one that does not answer.
    if (isDead(pid)) return;
    if (way === 'stop') process.kill(pid, 'SIGCONT');
    else {
      report.count('kills');
      process.kill(pid, 'SIGKILL');
    }
  }

  /** @param {number} milliseconds */
  async run(milliseconds) {
    const { random, report } = this;
    report.count('pools');
    const end = performance.now() + milliseconds;
    const rate = random.logarithmic(20, 400);
    const shooting = (async () => {
      while (performance.now() < end && !this.over) {
        await sleep(random.next() * 2 * rate);
        await this.shoot();
        if (random.happens(0.1)) await this.resize();
      }
    })();
    while (performance.now() < end && !this.over) {
      const burst = random.logarithmic(1, 60);
      for (let i = 0; i < burst; i += 1) void anyCall(this)[1](this);
      await sleep(random.next() * 10);
      while (this.open.size > mostOpen && !this.over) {
        await sleep(2);
        this.lookForStuck();
      }
    }
    await shooting;
    await this.end();
    this.check();
    this.channel.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async resize() {
    this.report.count('resizes');
    const max = this.random.between(1, 5);
    await Promise.race([
      this.pool
        .resize(this.random.happens(0.5) ? max : { min: 0, max })
        .catch((/** @type {any} */ error) => {
          const isAllowed = this.over || this.closing || this.shotsAtStarting >= 5;
          if (!isAllowed) this.violation(`resize was rejected: ${error.stack}`);
        }),
      sleep(200),
    ]);
  }

  /** Something has to go on as long as anything is open. */
  lookForStuck() {
    const { queued, running, done, failed } = this.pool.stats;
    const state = JSON.stringify({ queued, running, done, failed, workers: this.pool.workers });
    const now = performance.now();
    if (state !== this.lastState) {
      this.lastState = state;
      this.movedAt = now;
    }
    if (now - this.movedAt < stuckAfter || this.over || this.open.size === 0) return;
    const calls = [...this.open.values()].map(({ kind }) => kind);
    this.violation(`stuck for ${Math.round(now - this.movedAt)} ms: ${state}, open: ${calls}`);
    this.over = true;
  }

  async end() {
    const { random, report, pool } = this;
    const begun = performance.now();
    const way = this.over
      ? 'destroy'
      : random.one(['close', 'close', 'close in time', 'destroy', 'idle']);
    report.count(`ends: ${way}`);
    const ending = (async () => {
      while (way === 'idle' && this.open.size > 0 && !this.over) {
        await sleep(5);
        this.lookForStuck();
      }
      if (this.over) return pool.destroy();
      this.closing = true;
      this.destroying = way === 'destroy' || way === 'close in time';
      if (way === 'destroy') await pool.destroy(new Error('the round is over'));
      else if (way === 'close in time') await pool.close({ timeout: random.between(0, 300) });
      else await pool.close();
    })();
    await ending.catch((error) => this.violation(`${way} was rejected: ${error.stack}`));
    report.took(`end of a pool by ${way}`, performance.now() - begun);
    // What has waited for room in the queue is refused now.
    this.over = true;
    if (!(await comesTrue(() => this.open.size === 0, 5000))) {
      this.violation(
        `${this.open.size} calls are open after ${way}: ${show([...this.open.values()].slice(0, 5))}`,
      );
    }
    await pool.run('small', [0, []]).then(
      () => this.violation('a closed pool ran a task'),
      (/** @type {any} */ error) => {
        if (error.code !== 'ERR_ZOO_CLOSED') this.violation(`a closed pool said ${error.stack}`);
      },
    );
    if (!(await comesTrue(() => [...this.pids].every(isDead), 10_000))) {
      this.violation('workers live on after their pool');
    }
  }

  /** Judges what the workers wrote down. */
  check() {
    /** @type {Map<number, number[]>} */
    const starts = new Map();
    /** @type {Map<string, number>} */
    const lastOfKey = new Map();
    const keys = new Map(this.keyed.map(({ key, number }) => [number, key]));
    for (const line of lines(this.directory, 'starts')) {
      const [number = 0, attempt = 0] = line.split(' ').map(Number);
      const attempts = starts.get(number) ?? [];
      if (attempts.includes(attempt))
        this.violation(`attempt ${attempt} of task ${number} ran twice`);
      const key = keys.get(number);
      if (key !== undefined && attempts.length === 0 && this.options.concurrency === 1) {
        const last = lastOfKey.get(key) ?? 0;
        if (attempt === 1 && number < last)
          this.violation(`task ${number} of ${key} began after task ${last}`);
        lastOfKey.set(key, number);
      }
      attempts.push(attempt);
      starts.set(number, attempts);
    }
    for (const [number, most] of this.mostStarts) {
      const times = starts.get(number)?.length ?? 0;
      if (times > most)
        this.violation(`task ${number} ran ${times} times, and ${most} are allowed`);
    }
    this.report.count(
      'starts of tasks',
      [...starts.values()].reduce((sum, { length }) => sum + length, 0),
    );
    this.checkDeaths();
  }

  /** Workers die when somebody kills them, and for no other reason. */
  checkDeaths() {
    const suicides = new Set(lines(this.directory, 'suicides').map(Number));
    for (const [id, { exitCode, signal }] of this.exits) {
      const isProper = exitCode === 0;
      if (isProper || this.shot.has(id) || suicides.has(id)) continue;
      const isKilledByPool = this.kind === 'process' ? signal === 'SIGKILL' : exitCode === 1;
      if (isKilledByPool && (this.gaveUp || this.destroying)) continue;
      this.violation(`worker ${id} ended by itself: exit code ${exitCode}, signal ${signal}`);
    }
    this.report.count('deaths', this.exits.size);
    for (const { number, workerId } of this.deaths) {
      const exit = this.exits.get(workerId);
      if (!exit) this.violation(`task ${number} lost worker ${workerId}, which lives`);
    }
  }
}

/** @param {string} directory @param {string} file */
function lines(directory, file) {
  try {
    return readFileSync(path.join(directory, file), 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

/** @param {unknown} value */
function show(value) {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const text = JSON.stringify(value, (_, inner) =>
    inner instanceof Uint8Array ? `${inner.length} bytes` : inner,
  );
  return String(text).slice(0, 300);
}

/** Processes and threads that take part, are harmed, and are started again. */
import { fork } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { isDead } from './leaks.js';

/** @typedef {import('./random.js').Random} Random */
/** @typedef {import('./report.js').Report} Report */
/**
 * What a peer is told.
 * @typedef {object} PeerPlan
 * @property {string} role
 * @property {string} journal file that it writes down in what it does
 * @property {number} id number of this life of the peer
 * @property {number} seed
 * @property {any} plan of the round
 */

const program = new URL('../peer.js', import.meta.url);
let lives = 0;

/** One life of a peer. */
export class Peer {
  /** @param {'process' | 'thread'} kind @param {string} role @param {string} directory @param {number} seed @param {any} plan */
  constructor(kind, role, directory, seed, plan) {
    lives += 1;
    this.id = lives;
    this.kind = kind;
    this.role = role;
    this.journal = path.join(directory, `${role}-${this.id}`);
    /** Somebody harmed it on purpose. */
    this.harmed = false;
    this.told = false;
    this.ended = false;
    /** @type {string} */
    this.ending = '';
    /** @type {PeerPlan} */
    const given = { role, journal: this.journal, id: this.id, seed, plan };
    if (kind === 'process') {
      const child = fork(program, [JSON.stringify(given)], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      this.child = child;
      let complaints = '';
      child.stderr?.on('data', (text) => (complaints += String(text)));
      this.gone = new Promise((resolve) => {
        child.once('close', (code, signal) => {
          this.ended = true;
          this.ending =
            code === 0 ? '' : `exit code ${code}, signal ${signal}: ${complaints.slice(0, 2000)}`;
          resolve(undefined);
        });
      });
    } else {
      const worker = new Worker(program, { workerData: given });
      this.worker = worker;
      let complaint = '';
      worker.on('error', (error) => (complaint = String(/** @type {Error} */ (error).stack)));
      this.gone = new Promise((resolve) => {
        worker.once('exit', (code) => {
          this.ended = true;
          this.ending = code === 0 ? '' : `exit code ${code}: ${complaint}`;
          resolve(undefined);
        });
      });
    }
  }

  /** Asks it to come to an end by itself. */
  tell() {
    this.told = true;
    if (this.ended) return;
    if (this.child?.connected) this.child.send('stop', () => undefined);
    this.worker?.postMessage('stop');
  }

  /** @param {Random} random @param {Report} report */
  async harm(random, report) {
    if (this.ended) return;
    if (this.worker) {
      this.harmed = true;
      report.count('terminations');
      await this.worker.terminate();
      return;
    }
    const pid = this.child?.pid ?? 0;
    if (pid === 0 || isDead(pid)) return;
    const way = random.one(['kill', 'kill', 'stop', 'stop and kill']);
    if (way !== 'kill') {
      report.count('stops');
      process.kill(pid, 'SIGSTOP');
      await sleep(random.logarithmic(1, 1500));
      if (isDead(pid)) return;
    }
    if (way === 'stop') {
      process.kill(pid, 'SIGCONT');
    } else {
      this.harmed = true;
      report.count('kills');
      process.kill(pid, 'SIGKILL');
    }
  }

  /** Whether it has come so far as to take part. */
  get begun() {
    return (statSync(this.journal, { throwIfNoEntry: false })?.size ?? 0) > 0;
  }

  /** What it does, for those who wonder. */
  state() {
    const pid = this.child?.pid ?? process.pid;
    const status = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^State:.*/m)?.[0];
    return `${status}, told ${this.told}, wrote ${this.lines().slice(-3).join('; ')}`;
  }

  /** @returns {string[]} what it has written down */
  lines() {
    try {
      const all = readFileSync(this.journal, 'utf8').split('\n');
      // The last one is empty, or was being written when the peer was killed.
      return all.slice(0, -1);
    } catch {
      return [];
    }
  }
}

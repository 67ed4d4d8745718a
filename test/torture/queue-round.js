/** One life of a queue under traffic and under fire, and its books at the end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZooQueue } from '../../dist/index.js';
import { Ledger } from './queue-ledger.js';
import { readMessage } from './support/messages.js';
import { comesTrue } from './support/leaks.js';
import { Peer } from './support/peers.js';

/** @typedef {import('./support/random.js').Random} Random */
/** @typedef {import('./support/report.js').Report} Report */

let rounds = 0;

export class QueueRound {
  /** @param {Random} random @param {Report} report @param {string} store 'ring', 'frames' or '' */
  constructor(random, report, store) {
    this.random = random;
    this.report = report;
    rounds += 1;
    this.name = `zootorture.${process.pid}.${rounds}`;
    this.directory = mkdtempSync(path.join(tmpdir(), 'torture-queue-'));
    const isRing = store === '' ? random.happens(0.5) : store === 'ring';
    const slotSize = random.one([64, 700, 20_000]);
    const groups = random.one([
      { only: {} },
      { only: {} },
      { one: {}, two: {} },
      { all: {}, some: { overflow: 'dropOldest' } },
      { all: {}, last: { overflow: 'latest' } },
    ]);
    this.groups = Object.keys(groups);
    this.maxDeliveries = random.one([3, 5, 200]);
    /** @type {any} */
    this.options = {
      groups,
      codec: 'bytes',
      maxDeliveries: this.maxDeliveries,
      ...(isRing
        ? { size: random.one(['64KiB', '256KiB', '4KiB']) }
        : { slots: random.between(2, 40), slotSize }),
    };
    this.largest = isRing ? (this.options.size === '4KiB' ? 300 : 3000) : slotSize;
    this.rejects = random.one([0, 0.02, 0.2]);
    this.copies = random.happens(0.7);
    this.ledger = new Ledger(this.maxDeliveries, (text) => this.violation(text));
    /** Every segment that had this name, with a handle for each group. @type {Map<string, ZooQueue>[]} */
    this.generations = [];
    /** @type {Peer[]} */
    this.peers = [];
    /** @type {Peer[]} */
    this.past = [];
  }

  /** @param {string} text */
  violation(text) {
    this.report.violation(`${text} (${this.name}, ${JSON.stringify(this.options)})`);
  }

  make() {
    const queue = ZooQueue.create(this.name, {
      ...this.options,
      writer: true,
      group: this.groups[0],
    });
    const handles = new Map([[/** @type {string} */ (this.groups[0]), queue]]);
    for (const group of this.groups.slice(1)) {
      handles.set(group, ZooQueue.open(this.name, { group, codec: 'bytes' }));
    }
    this.generations.push(handles);
  }

  /** @param {string} role @param {string} group */
  start(role, group = '') {
    const { random } = this;
    const kind = random.happens(0.5) ? 'process' : 'thread';
    const plan = {
      name: this.name,
      group,
      largest: this.largest,
      rejects: this.rejects,
      copies: this.copies,
      held: random.between(0, 6),
    };
    this.report.count(`peers: ${kind}`);
    const peer = new Peer(kind, role, this.directory, random.between(0, 2 ** 31), plan);
    this.peers.push(peer);
    Object.assign(peer, { group });
    void peer.gone.then(() => {
      this.peers.splice(this.peers.indexOf(peer), 1);
      this.past.push(peer);
      if (!peer.harmed && peer.ending !== '')
        this.violation(`a ${role} (${kind}) ended by itself: ${peer.ending}`);
      if (!this.over) this.start(role, group);
    });
  }

  /** @param {number} milliseconds */
  async run(milliseconds) {
    const { random, report } = this;
    report.count('queues');
    this.over = false;
    this.make();
    for (let i = random.between(1, 4); i > 0; i -= 1) this.start('producer');
    for (const group of this.groups) {
      for (let i = random.between(1, 3); i > 0; i -= 1) this.start('consumer', group);
    }
    await comesTrue(() => this.peers.every(({ begun }) => begun), 20_000);
    const end = performance.now() + milliseconds;
    const rate = random.logarithmic(60, 600);
    while (performance.now() < end) {
      await sleep(random.next() * 2 * rate);
      const peer = random.one(this.peers.filter(({ begun }) => begun || random.happens(0.05)));
      if (random.happens(0.08)) {
        report.count('re-creations');
        this.generations.at(-1)?.get(/** @type {string} */ (this.groups[0]))?.unlink();
        if (random.happens(0.5)) await sleep(random.between(0, 20));
        this.make();
      } else if (random.happens(0.1)) peer?.tell();
      else void peer?.harm(random, report);
    }
    this.over = true;
    for (const peer of this.peers) peer.tell();
    const late = setTimeout(() => {
      for (const peer of this.peers) {
        this.violation(`a ${peer.role} (${peer.kind}) does not come to an end: ${peer.state()}`);
        peer.child?.kill('SIGKILL');
        void peer.worker?.terminate();
        peer.harmed = true;
      }
    }, 60_000);
    await Promise.all(this.peers.map(({ gone }) => gone));
    clearTimeout(late);
    await this.settle();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Takes what is left, and closes the books. */
  async settle() {
    for (const peer of this.past)
      this.ledger.read(peer.role, peer.id, /** @type {any} */ (peer).group, peer.lines());
    for (const handles of this.generations) {
      for (const [group, queue] of handles) {
        await this.drain(group, queue);
        const { dropped } = queue.stats().groups[group] ?? { dropped: 0 };
        this.ledger.mayMiss(group, dropped);
        this.ledger.mayMiss(group, queue.stats().deadGivenUp ?? 0);
      }
      const first = handles.get(/** @type {string} */ (this.groups[0]));
      if (first) this.checkEmpty(first);
      for (const queue of handles.values()) queue.close();
    }
    ZooQueue.unlink(this.name);
    const { messages, deaths } = this.ledger.judge(this.groups);
    this.report.count('messages', messages);
    this.report.count('messages that died in a hand', deaths);
  }

  /** @param {string} group @param {ZooQueue} queue */
  async drain(group, queue) {
    for (;;) {
      try {
        const view = await queue.recvView({ timeout: 250 });
        const { sender, number } = readMessage(view.view);
        this.ledger.drained(group, sender, number, view.deliveries);
        queue.commitRead(view.cursor);
      } catch (error) {
        const { code } = /** @type {any} */ (error);
        if (code === 'ERR_ZOO_TIMEOUT' || code === 'ERR_ZOO_GONE') {
          // A segment that was replaced rejects waits: then what is left is asked for without one.
          const left = queue.tryRecvView();
          if (left === undefined) break;
          const { sender, number } = readMessage(left.view);
          this.ledger.drained(group, sender, number, left.deliveries);
          queue.commitRead(left.cursor);
        } else {
          this.violation(`draining ${group}: ${/** @type {Error} */ (error).stack}`);
          break;
        }
      }
    }
    for (let dead = queue.tryGetDead(); dead; dead = queue.tryGetDead()) {
      const { sender, number } = readMessage(dead.view);
      this.report.count('dead letters');
      this.ledger.dead(group, sender, number, dead.deliveries);
      queue.commitRead(dead.cursor);
    }
  }

  /** Nothing is in it, nobody else takes part, and all of its room can be used. @param {ZooQueue} queue */
  checkEmpty(queue) {
    const stats = queue.stats();
    const left = Object.values(stats.groups).filter(
      ({ backlog, claimed }) => backlog + claimed > 0,
    );
    if (stats.messages > 0 || left.length > 0 || stats.blockedBytes > 0) {
      this.violation(`not empty after draining: ${JSON.stringify(stats)}`);
    }
    const others = stats.participants.filter(
      ({ pid, label }) => pid !== process.pid || label !== '',
    );
    if (others.length > 0) this.violation(`the dead take part: ${JSON.stringify(others)}`);
    const largest = Buffer.alloc(this.largest, 1);
    if (!queue.tryPutBytes(largest)) {
      this.violation(
        `no room for ${largest.length} bytes in an empty queue: ${JSON.stringify(queue.stats())}`,
      );
    }
  }
}

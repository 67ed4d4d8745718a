/**
 * Messages through a ring of ringbuf.js, four bytes of length before each. That package never
 * waits; here both sides sleep in `Atomics.wait` and are woken only when they do.
 */
import { RingBuffer } from 'ringbuf.js';

/** Which word says that somebody sleeps. */
const reader = 0;
const writer = 1;

/** @typedef {{ storage: SharedArrayBuffer, sleepers: SharedArrayBuffer }} RingMemory */

/** @param {number} capacity bytes @returns {RingMemory} to be given to both threads */
export const makeRing = (capacity) => ({
  storage: RingBuffer.getStorageForCapacity(capacity, Uint8Array),
  sleepers: new SharedArrayBuffer(8),
});

class WaitRing {
  /** @param {RingMemory} memory */
  constructor({ storage, sleepers }) {
    this.ring = new RingBuffer(storage, Uint8Array);
    this.sleepers = new Int32Array(sleepers);
    this.scratch = Buffer.alloc(this.ring.capacity());
  }

  /** @param {number} who @param {() => boolean} mustWait looked at again once the other side knows */
  sleep(who, mustWait) {
    Atomics.store(this.sleepers, who, 1);
    if (mustWait()) Atomics.wait(this.sleepers, who, 1);
    Atomics.store(this.sleepers, who, 0);
  }

  /** @param {number} who */
  wake(who) {
    Atomics.store(this.sleepers, who, 0);
    Atomics.notify(this.sleepers, who);
  }
}

export class RingWriter extends WaitRing {
  /** @param {Uint8Array} message */
  put(message) {
    const { ring, scratch } = this;
    const length = 4 + message.length;
    scratch.writeUInt32LE(message.length);
    scratch.set(message, 4);
    const isFull = () => ring.availableWrite() < length;
    while (isFull()) this.sleep(writer, isFull);
    ring.push(scratch, length);
    if (Atomics.load(this.sleepers, reader) === 1) this.wake(reader);
  }
}

export class RingReader extends WaitRing {
  /** @returns {Uint8Array} valid until the next call */
  get() {
    const { ring, scratch } = this;
    const isEmpty = () => ring.empty();
    while (isEmpty()) this.sleep(reader, isEmpty);
    ring.pop(scratch, 4);
    const length = scratch.readUInt32LE();
    ring.pop(scratch, length);
    // Not for every message that makes room: the writer would fall asleep again at once.
    const hasWriter = Atomics.load(this.sleepers, writer) === 1;
    if (hasWriter && ring.availableWrite() * 2 >= ring.capacity()) this.wake(writer);
    return scratch.subarray(0, length);
  }
}

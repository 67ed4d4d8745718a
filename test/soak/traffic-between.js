/** Traffic between the processes, over handles that stay open as long as these live. */
import { Channel, ZooLock, ZooMemory, ZooQueue } from '../../dist/index.js';
import { bytesFor, isFor } from '../torture/support/random.js';
import { demand } from './scope.js';

/** @typedef {import('./scope.js').Scope} Scope */

const messages = 300;
const patience = { timeout: 20_000 };

/** Opened once, by both. */
export class Between {
  /** @type {Promise<Channel<number>> | undefined} */
  #channel;

  /** @param {Scope} scope */
  constructor(scope) {
    this.scope = scope;
    const { prefix } = scope;
    /** @type {ZooQueue<{ number: number, bytes: Uint8Array }>} */
    this.ring = new ZooQueue(`${prefix}-ring`, { size: '256KiB' });
    this.frames = new ZooQueue(`${prefix}-frames`, { slots: 8, slotSize: 20_000 });
    this.lock = new ZooLock(`${prefix}-lock`);
    this.memory =
      scope.role === 'left'
        ? ZooMemory.create(`${prefix}-memory`, 64)
        : ZooMemory.open(`${prefix}-memory`);
  }

  /** The left one sends, the right one receives, in the same cycle. */
  async exchange() {
    const { role, prefix } = this.scope;
    this.#channel ??=
      role === 'left'
        ? Promise.resolve(Channel.create(`${prefix}-channel`, { bytes: '64KiB', capacity: 10 }))
        : Channel.open(`${prefix}-channel`, patience);
    const channel = await this.#channel;
    await (role === 'left' ? this.#send(channel) : this.#receive(channel));
    const counter = new BigUint64Array(this.memory.buffer);
    for (let round = 0; round < 50; round += 1) {
      await this.lock.withLock(() => {
        counter[0] += 1n;
      }, patience);
    }
    this.scope.count('messages between processes', 3 * messages);
  }

  /** @param {Channel<number>} channel */
  async #send(channel) {
    const { random } = this.scope;
    for (let number = 0; number < messages; number += 1) {
      const bytes = bytesFor(number, random.logarithmic(1, 20_000));
      if (random.happens(0.5)) await this.ring.put({ number, bytes }, patience);
      else this.ring.putSync({ number, bytes }, patience);
      const place = await this.frames.reserve(bytes.length, patience);
      place.view.set(bytes);
      this.frames.commitWrite(place.cursor);
      await channel.send(number, patience);
    }
  }

  /** @param {Channel<number>} channel */
  async #receive(channel) {
    const { random } = this.scope;
    for (let number = 0; number < messages; number += 1) {
      const value = await this.ring.get(patience);
      demand(value.number === number && isFor(value.bytes, number, value.bytes.length), 'a value');
      const frame = random.happens(0.5)
        ? await this.frames.recvView(patience)
        : this.frames.recvViewSync(patience);
      demand(isFor(frame.view, number, value.bytes.length), 'a frame');
      this.frames.commitRead(frame.cursor);
      demand((await channel.receive(patience)) === number, 'an item');
    }
  }

  async close() {
    for (const handle of [this.ring, this.frames, this.lock, this.memory]) handle.close();
    await (await this.#channel)?.[Symbol.asyncDispose]();
  }
}

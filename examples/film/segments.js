/** What the film shares through /dev/shm. */
import { ZooMemory, ZooQueue, frameBytes } from 'zoosync';
import { backgroundHeaderBytes, groups, namesOf, unlinkLeftovers } from './parts.js';

const label = 'supervisor';

/** Made by the supervisor before it starts anybody, and removed when everybody has ended. */
export class Segments {
  /** @type {(ZooQueue<any> | ZooMemory)[]} */
  #made = [];
  description;
  slots;
  /** @type {ZooQueue} */
  frames;
  /** @type {ZooQueue<import('./parts.js').Report>} */
  reports;

  /**
   * @param {{ width: number, height: number }} size of the film, in pixels
   * @param {number} slots frames that may be under way at a time
   */
  constructor({ width, height }, slots) {
    unlinkLeftovers();
    const names = namesOf(process.pid);
    this.description = { width, height, format: /** @type {const} */ ('yuv420p') };
    this.slots = slots;
    const slotSize = frameBytes(this.description);
    try {
      this.frames = this.#keep(ZooQueue.create(names.frames, { slots, slotSize, groups, label }));
      // A writer here, too: not the end, though all that put may be dead for a moment.
      const writer = { size: '1MiB', writer: true, label };
      this.#keep(ZooQueue.create(names.detections, writer));
      this.reports = this.#keep(ZooQueue.create(names.reports, writer));
      this.#keep(ZooMemory.create(names.background, backgroundHeaderBytes + width * height));
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** @template {ZooQueue<any> | ZooMemory} S @param {S} segment @returns {S} */
  #keep(segment) {
    this.#made.push(segment);
    return segment;
  }

  remove() {
    for (const segment of this.#made) {
      segment.unlink();
      segment.close();
    }
  }
}

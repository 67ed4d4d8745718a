/** Tasks whose worker writes over the segments that it shares with its parent. */
import { closeSync, fstatSync, openSync, readdirSync, readlinkSync, writeSync } from 'node:fs';

/** @param {number} value */
export function double(value) {
  return value * 2;
}

/** @param {Uint8Array} bytes */
export function sum(bytes) {
  return bytes.reduce((total, byte) => total + byte, 0);
}

/** @param {number} seed @returns {number} how many words it wrote */
export function scribble(seed) {
  let state = seed >>> 0 || 1;
  const random = (/** @type {number} */ limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  let written = 0;
  const word = Buffer.alloc(8);
  const seen = new Set();
  for (const entry of readdirSync('/proc/self/fd')) {
    const path = `/proc/self/fd/${entry}`;
    try {
      const leadsTo = readlinkSync(path);
      if (!leadsTo.startsWith('/dev/shm/') || leadsTo.includes('bell') || seen.has(leadsTo))
        continue;
      seen.add(leadsTo);
      const file = openSync(path, 'r+');
      const { size } = fstatSync(file);
      for (let count = 0; count < 40; count += 1) {
        // Behind the header: positions, masks, totals, records.
        const at = 28_672 + random(Math.min(size - 28_680, 40_000));
        word.writeUInt32LE(random(2 ** 32), 0);
        word.writeUInt32LE(random(2) === 0 ? 0 : random(2 ** 32), 4);
        writeSync(file, word, 0, 8, at - (at % 8));
        written += 1;
      }
      closeSync(file);
    } catch {
      // Closed meanwhile.
    }
  }
  return written;
}

/** The file by which a test lets a process die at a step; native/test/addon/kill_hook.cc maps it. */
import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';

const nameBytes = 40;
const mostNames = 256;
const offset = { armed: 0, died: 4, killAt: 8, count: 16, only: 24, diedAt: 64, visits: 128 };
const visitBytes = 64;
const bytes = offset.visits + mostNames * visitBytes;

export class Control {
  /** @param {string} path */
  constructor(path) {
    this.path = path;
    this.file = openSync(path, 'w+');
    ftruncateSync(this.file, bytes);
  }

  /**
   * From now on steps count, and at the `killAt`th the process dies; 0: at none.
   * @param {number} killAt
   * @param {string} [only] steps of this name count, and no others
   */
  arm(killAt, only = '') {
    const head = Buffer.alloc(bytes);
    head.writeBigUInt64LE(BigInt(killAt), offset.killAt);
    head.write(only, offset.only, nameBytes - 1, 'latin1');
    writeSync(this.file, head, 0, bytes, 0);
    writeSync(this.file, Buffer.from([1, 0, 0, 0]), 0, 4, offset.armed);
  }

  disarm() {
    writeSync(this.file, Buffer.alloc(4), 0, 4, offset.armed);
  }

  /** What has happened since `arm`. */
  read() {
    const all = Buffer.alloc(bytes);
    readSync(this.file, all, 0, bytes, 0);
    /** @type {Map<string, number>} */
    const visits = new Map();
    for (let at = offset.visits; at < bytes; at += visitBytes) {
      if (all.readUInt32LE(at) !== 2) continue;
      const name = textAt(all, at + 16);
      visits.set(name, (visits.get(name) ?? 0) + Number(all.readBigUInt64LE(at + 8)));
    }
    return {
      died: all.readUInt32LE(offset.died) === 1,
      diedAt: textAt(all, offset.diedAt),
      count: Number(all.readBigUInt64LE(offset.count)),
      visits,
    };
  }

  close() {
    closeSync(this.file);
    rmSync(this.path, { force: true });
  }
}

/** @param {Buffer} all @param {number} at */
function textAt(all, at) {
  const text = all.toString('latin1', at, at + nameBytes);
  return text.slice(0, Math.max(0, text.indexOf('\0')));
}

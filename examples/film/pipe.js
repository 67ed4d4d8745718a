/** Pipes whose ends are plain file descriptors. */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Failure } from './failure.js';

/**
 * A stream of a child process hands out chunks in memory of its own. From a descriptor, `fs.read`
 * reads into memory that we choose: a slot in shared memory.
 *
 * @returns {{ readEnd: number, writeEnd: number }}
 */
export function makePipe() {
  const folder = mkdtempSync(path.join(tmpdir(), 'zoosync-film-'));
  const place = path.join(folder, 'pipe');
  try {
    const made = spawnSync('mkfifo', ['-m', '600', place], { encoding: 'utf8' });
    if (made.status !== 0) {
      throw new Failure(`mkfifo cannot make a pipe: ${made.error?.message ?? made.stderr.trim()}`);
    }
    // Opening one end waits until the other is open. Open for both, on Linux, waits for nobody.
    const bothEnds = openSync(place, constants.O_RDWR);
    const readEnd = openSync(place, constants.O_RDONLY);
    const writeEnd = openSync(place, constants.O_WRONLY);
    closeSync(bothEnds);
    return { readEnd, writeEnd };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

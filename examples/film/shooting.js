/** Shooting processes on purpose, at the worst moment. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Kills a detector while it holds a frame: it is stopped first, since it might let the frame go
 * between our look and our shot.
 *
 * @param {import('zoosync').ZooQueue} frames
 * @param {import('./staff.js').Staff} staff
 * @param {AbortSignal} signal
 * @returns {Promise<string>} who it was
 */
export async function shootDetectorAtWork(frames, staff, signal) {
  for (;;) {
    const pid = frames.stats().groups['detectors']?.oldestClaim?.pid;
    const label = pid === undefined ? undefined : staff.labelOf(pid);
    if (pid !== undefined && label !== undefined) {
      process.kill(pid, 'SIGSTOP');
      await sleep(1);
      const holder = frames.stats().groups['detectors']?.oldestClaim?.pid;
      process.kill(pid, holder === pid ? 'SIGKILL' : 'SIGCONT');
      if (holder === pid) return label;
    }
    await sleep(1, undefined, { signal });
  }
}

/** @param {import('./staff.js').Staff} staff @returns {string[]} who it was */
export function shootPreview(staff) {
  const pid = staff.pidOf('preview');
  if (pid === undefined) return [];
  process.kill(pid, 'SIGKILL');
  return ['preview'];
}

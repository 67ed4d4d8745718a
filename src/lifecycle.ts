/** The addon in this thread, made ready at first use: woken handles are served, and the end of the thread closes them. */
import { isMainThread } from 'node:worker_threads';
import { native, type Addon } from './native.js';

/** Something that `onWake` can name by the id of its native handle. */
export interface Wakeable {
  wake(): void;
}

const sleepers = new Map<number, Wakeable>();
let ready: Addon | undefined;

/** The addon, with its callbacks connected. */
export function environment(): Addon {
  return (ready ??= connect(native()));
}

function connect(addon: Addon): Addon {
  addon.onWake((count) => {
    if (count === 1) {
      sleepers.get(addon.scratch[0] as number)?.wake();
      return;
    }
    // Serving a handle uses `scratch` again, so the ids are taken out of it first.
    const ids = Array.from(addon.scratch.subarray(0, count));
    for (const id of ids) sleepers.get(id)?.wake();
  });
  process.once('exit', (code) => addon.leave(code === 0));
  if (isMainThread) process.on('removeListener', (event) => watchSignalAgain(addon, event));
  return addon;
}

/**
 * When the last listener of a signal goes, the system's default comes back: it would leave names
 * behind, or end the process when somebody truncates a segment.
 */
function watchSignalAgain(addon: Addon, event: string | symbol): void {
  const ours = event === 'SIGINT' || event === 'SIGTERM' || event === 'SIGBUS';
  if (ours && process.listenerCount(event) === 0) addon.watchSignals();
}

/** From now on, a wake of the handle with this id goes to `sleeper`. */
export function expectWakes(id: number, sleeper: Wakeable): void {
  sleepers.set(id, sleeper);
}

export function forgetWakes(id: number): void {
  sleepers.delete(id);
}

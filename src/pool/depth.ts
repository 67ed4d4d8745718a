/** How many pools lie around this thread: a worker may have a pool of its own, but not without end. */
import { ZooError } from '../errors.js';

const deepest = 10;
let depth = 0;

/** Said once, by a worker at its start. */
export function setDepth(pools: number): void {
  depth = pools;
}

export function currentDepth(): number {
  return depth;
}

/** @throws ZooError `ERR_ZOO_POOL_BROKEN` */
export function checkDepth(): void {
  if (depth < deepest) return;
  throw new ZooError(
    'ERR_ZOO_POOL_BROKEN',
    `this pool would be the ${depth + 1}th inside another: a worker's module probably makes the ` +
      'pool that it is a worker of; make pools in the main program, or behind a condition',
  );
}

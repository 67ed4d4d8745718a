/** The workers that were ever started in a trial. */
import { isDead } from './trial.js';

/** @typedef {import('./trial.js').Trial} Trial */

/** Those that live. @param {Trial} trial @returns {number[]} */
export function workersOf(trial) {
  return trial
    .lines('pids')
    .map(Number)
    .filter((pid) => !isDead(pid));
}

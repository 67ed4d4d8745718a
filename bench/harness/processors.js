/** Which processors the measured threads run on. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

/** @param {string} list such as `0-2,5` @returns {number[]} */
function parseList(list) {
  return list
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** @param {number} processor @returns {number[]} the processors that share its core */
function siblings(processor) {
  try {
    const topology = `/sys/devices/system/cpu/cpu${processor}/topology/thread_siblings_list`;
    return parseList(readFileSync(topology, 'utf8'));
  } catch {
    return [processor];
  }
}

/** @returns {number[]} what this process may use; those that share a core with an earlier one last */
export function usableProcessors() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const allowed = parseList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '');
  /** @param {number} processor */
  const isFirstOfItsCore = (processor) =>
    siblings(processor).every((other) => other >= processor || !allowed.includes(other));
  return [
    ...allowed.filter((processor) => isFirstOfItsCore(processor)),
    ...allowed.filter((processor) => !isFirstOfItsCore(processor)),
  ];
}

/**
 * Pins the calling thread to a processor of its own, when there are enough for all participants;
 * otherwise the system places them. A child inherits the place of the thread that starts it, so
 * start processes and threads first and place yourself last. Without `taskset` nothing is pinned.
 *
 * @param {readonly number[]} processors
 * @param {number} index which participant this is, from 0
 * @param {number} participants how many run at the same time
 */
export function place(processors, index, participants) {
  if (participants > processors.length) return;
  // "self/task/id": the thread, which in a worker is not the process.
  const thread = readlinkSync('/proc/thread-self').split('/').at(-1) ?? '';
  spawnSync('taskset', ['-pc', String(processors[index]), thread], { stdio: 'ignore' });
}

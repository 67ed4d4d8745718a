/** System calls of the hot calls, counted by strace. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { callsCommand } from './instruction-counts.js';
import { fromRoot, quiet } from './run.js';

/** @typedef {import('../../bench/instructions/calls.js').Section} Section */

/** @returns {boolean} whether a process may be traced here: not every container lets it */
export const canTrace = () => spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;

/**
 * System calls of the thread that runs JavaScript, per message.
 * @returns {Map<string, number>} by the name of the operation
 */
export function countSystemCalls() {
  mkdirSync(fromRoot('build', 'instructions'), { recursive: true });
  const log = fromRoot('build', 'instructions', `strace-${process.pid}`);
  try {
    // Without -f: Node's other threads collect garbage and wake each other.
    const output = quiet('strace', ['-o', log, ...callsCommand('system-calls')], {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    /** @type {Section[]} */
    const sections = JSON.parse(output);
    const counts = countBetween(readFileSync(log, 'utf8').split('\n'));
    return new Map(
      sections.map(({ name, times, messages }) => [
        name,
        (counts.get(name) ?? Number.NaN) / (times * messages),
      ]),
    );
  } finally {
    rmSync(log, { force: true });
  }
}

/** @param {string[]} lines one for each system call @returns {Map<string, number>} of each section */
function countBetween(lines) {
  const counts = new Map();
  let name = '';
  for (const line of lines) {
    if (line.includes('"/section/')) {
      name = line.slice(line.indexOf('"/section/') + '"/section/'.length, line.lastIndexOf('"'));
      counts.set(name, 0);
    } else if (line.includes('"/between"')) name = '';
    else if (name !== '') counts.set(name, counts.get(name) + 1);
  }
  return counts;
}

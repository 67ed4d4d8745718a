import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { exists, fail } from './run.js';

const majorVersion = process.versions.node.split('.')[0];

/** Whether the folder holds the headers of the running major version of Node. @param {string} folder */
function holdsHeaders(folder) {
  const include = path.join(folder, 'include', 'node');
  if (!existsSync(path.join(include, 'node_api.h'))) return false;
  try {
    const version = readFileSync(path.join(include, 'node_version.h'), 'utf8');
    return version.match(/#define NODE_MAJOR_VERSION (\d+)/)?.[1] === majorVersion;
  } catch {
    return false;
  }
}

/**
 * Headers installed beside the running Node need no download; without them node-gyp fetches its own.
 * @returns {string[]} arguments for node-gyp
 */
export function nodeHeaders() {
  const beside = path.resolve(process.execPath, '..', '..');
  const folder = [beside, '/usr', '/usr/local'].find(holdsHeaders);
  return folder === undefined ? [] : [`--nodedir=${folder}`];
}

/** What a native build needs, and the Debian package that brings it. */
const buildTools = [
  { commands: ['c++', 'g++', 'clang++'], what: 'a C++17 compiler', install: 'g++' },
  { commands: ['make'], what: 'make', install: 'make' },
  { commands: ['python3', 'python'], what: 'Python 3', install: 'python3' },
];

/** Ends the script with one sentence when a tool for the native build is missing. */
export function requireBuildTools() {
  const missing = buildTools.filter(({ commands }) => !commands.some(exists));
  if (missing.length === 0) return;
  const what = missing.map((tool) => tool.what).join(' and ');
  const packages = missing.map((tool) => tool.install).join(' ');
  fail(
    `Building the native part of zoosync needs ${what}, which the PATH does not have: ` +
      `install it (on Debian or Ubuntu: sudo apt-get install ${packages}) and try again.`,
  );
}

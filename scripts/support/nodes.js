/** The versions of Node that the lifecycle scenarios and the bench run on, fetched from the npm registry. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { arch } from 'node:process';
import { fail, fromRoot } from './run.js';

/** What is fetched, exactly: the newest release of each line. The version that runs this serves its own line. */
const versions = new Map([
  ['20', '20.20.2'],
  ['22', '22.23.3'],
  ['24', '24.21.0'],
  ['26', '26.10.0'],
]);

export const majors = [...versions.keys()];

/** @typedef {{ major: string, version: string, binary: string, seconds: number }} Installed */

/** @param {string} binary @returns {string | undefined} what the binary says its version is */
function versionOf(binary) {
  const { status, stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim().slice(1) : undefined;
}

/** @param {string} folder @param {string} name @returns {string | undefined} why it failed */
function install(folder, name) {
  mkdirSync(folder, { recursive: true });
  const { status, stderr, error } = spawnSync(
    'npm',
    ['install', '--prefix', folder, '--no-save', '--no-package-lock', '--ignore-scripts', name],
    { cwd: fromRoot(), encoding: 'utf8', timeout: 180_000 },
  );
  if (status === 0) return undefined;
  return `${error?.message ?? ''}${stderr}`.trim() || `exit code ${status}`;
}

/** @param {string} major @returns {{ version: string, name: string, folder: string, binary: string }} */
function placeOf(major) {
  const version = versions.get(major);
  if (version === undefined) fail(`Node ${major} is none of ${majors.join(', ')}.`);
  const name = `node-linux-${arch}`;
  const folder = fromRoot('out', 'nodes', major);
  return { version, name, folder, binary: `${folder}/node_modules/${name}/bin/node` };
}

/**
 * Node of this major version when it is here already: this one, or the one in out/nodes.
 * @param {string} major
 * @returns {Installed | undefined}
 */
export function presentNode(major) {
  if (process.versions.node.startsWith(`${major}.`)) {
    return { major, version: process.versions.node, binary: process.execPath, seconds: 0 };
  }
  const { version, binary } = placeOf(major);
  return versionOf(binary) === version ? { major, version, binary, seconds: 0 } : undefined;
}

/**
 * Fetches Node of this major version into out/nodes, and says on standard error what goes wrong.
 * @param {string} major
 * @returns {string | undefined} why it cannot be had
 */
export function fetchNode(major) {
  const { version, name, folder, binary } = placeOf(major);
  let why;
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    why = install(folder, `${name}@${version}`);
    if (why === undefined) break;
    process.stderr.write(`Could not fetch Node ${version}, attempt ${attempt} of 2:\n${why}\n`);
  }
  if (why !== undefined) return `Node ${version} could not be fetched from the npm registry.`;
  const found = versionOf(binary);
  if (found === version) return undefined;
  return `${binary} is Node ${found ?? '(it does not start)'}, not ${version}.`;
}

/**
 * Node of this major version: the one that is here already, or a new one in out/nodes.
 * Ends the script when it cannot be had.
 * @param {string} major
 * @returns {Installed}
 */
export function nodeOf(major) {
  const present = presentNode(major);
  if (present) return present;
  const { version, binary } = placeOf(major);
  const started = performance.now();
  const why = fetchNode(major);
  if (why !== undefined) fail(why);
  return { major, version, binary, seconds: (performance.now() - started) / 1000 };
}

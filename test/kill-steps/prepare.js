/** A copy of the package whose addon has kill steps, below out/kill-steps. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { availableParallelism } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { nodeHeaders, requireBuildTools } from '../../scripts/support/node-gyp.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Two runs side by side have one each. */
const copy = path.join(root, 'out', 'kill-steps', String(process.pid));

/** The folder of the copy. */
export const packageFolder = copy;
/** What programs import. */
export const packageUrl = pathToFileURL(path.join(copy, 'dist', 'index.js')).href;
export const workerUrl = pathToFileURL(path.join(copy, 'dist', 'pool', 'worker.js')).href;

/** Compiles what is not up to date. */
export function prepare() {
  requireBuildTools();
  const { status, stdout, stderr } = spawnSync(
    path.join(root, 'node_modules', '.bin', 'node-gyp'),
    [
      'configure',
      'build',
      '--directory',
      path.join(root, 'native', 'test', 'addon'),
      '--jobs',
      String(Math.min(2, availableParallelism())),
      ...nodeHeaders(),
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (status !== 0)
    throw new Error(`the addon with kill steps cannot be built:\n${stdout}${stderr}`);
  const built = path.join(root, 'native', 'test', 'addon', 'build', 'Release', 'zoosync.node');
  mkdirSync(path.join(copy, 'build', 'Release'), { recursive: true });
  cpSync(built, path.join(copy, 'build', 'Release', 'zoosync.node'));
  cpSync(path.join(root, 'dist'), path.join(copy, 'dist'), { recursive: true });
  cpSync(path.join(root, 'package.json'), path.join(copy, 'package.json'));
}

/** Removes the copy. */
export function clear() {
  rmSync(copy, { recursive: true, force: true });
}

/** The names of all kill steps in native/core, from its sources. */
export function stepNames() {
  const folder = path.join(root, 'native', 'core');
  const names = new Set();
  for (const file of readdirSync(folder, { recursive: true })) {
    if (!String(file).endsWith('.h')) continue;
    const text = readFileSync(path.join(folder, String(file)), 'utf8');
    for (const [, name] of text.matchAll(/ZOO_STEP\("([^"]+)"\)/g)) names.add(name);
  }
  return [...names].sort();
}

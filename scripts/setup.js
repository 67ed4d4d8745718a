/**
 * Makes a clone ready to run: packages, addon, compiled TypeScript. Does only what has changed since
 * the last time and says nothing when that is nothing. `npm start`, `npm test` and the other commands
 * call it first.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { nodeHeaders, requireBuildTools } from './support/node-gyp.js';
import { fail, fromRoot, localCommand, quiet } from './support/run.js';
import { filesBelow, stamp } from './support/stamp.js';

const note = (/** @type {string} */ text) => process.stderr.write(`${text}\n`);

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(
      `zoosync needs Node 20.19 or later, and this is ${process.version}: install a newer Node.`,
    );
  }
}

/** @param {string} file @returns {Record<string, { version?: string, optional?: boolean }>} */
function lockedPackages(file) {
  if (!existsSync(fromRoot(file))) return {};
  return JSON.parse(readFileSync(fromRoot(file), 'utf8')).packages ?? {};
}

/** Compares with what npm itself noted, so that a manual `npm ci` or `npm install` counts too. */
function packagesAreInstalled() {
  const installed = lockedPackages('node_modules/.package-lock.json');
  return Object.entries(lockedPackages('package-lock.json')).every(
    ([place, { version, optional }]) =>
      place === '' || installed[place]?.version === version || (optional && !installed[place]),
  );
}

function installPackages() {
  if (packagesAreInstalled()) return;
  note('setup: installing packages (npm ci)');
  quiet('npm', ['ci', '--no-progress', '--fetch-retries=5']);
  // The published package carries msgpackr without its native part: develop with the same code.
  rmSync(fromRoot('node_modules', 'msgpackr-extract'), { recursive: true, force: true });
}

function addonStamp() {
  const sources = filesBelow(['binding.gyp', 'native/addon', 'native/core']);
  return stamp('build/addon.stamp', sources);
}

function buildAddon() {
  const current = addonStamp();
  if (current.isCurrent() && existsSync(fromRoot('build/Release/zoosync.node'))) return;
  requireBuildTools();
  note('setup: building the addon');
  // Never `rebuild`: it would delete the whole build folder and with it other commands' work.
  quiet(localCommand('node-gyp'), ['configure', 'build', '--release', ...nodeHeaders()]);
  current.set();
}

function typeScriptStamp() {
  return stamp('build/typescript.stamp', filesBelow(['src', 'tsconfig.json']));
}

function compileTypeScript() {
  const current = typeScriptStamp();
  if (current.isCurrent() && existsSync(fromRoot('dist/index.js'))) return;
  note('setup: compiling TypeScript');
  quiet(localCommand('tsc'), []);
  removeOrphans();
  current.set();
}

/** Deletes compiled files whose source is gone. */
function removeOrphans() {
  for (const file of filesBelow(['dist'])) {
    const source = file.replace(/^dist/, 'src').replace(/(\.d\.ts|\.js)$/, '.ts');
    if (!existsSync(fromRoot(source))) rmSync(fromRoot(file));
  }
}

function isReady() {
  return (
    packagesAreInstalled() &&
    existsSync(fromRoot('build/Release/zoosync.node')) &&
    existsSync(fromRoot('dist/index.js')) &&
    addonStamp().isCurrent() &&
    typeScriptStamp().isCurrent()
  );
}

/** Starts this script again under a file lock, so that two commands at a time do not clash. */
function runUnderLock() {
  const lock = fromRoot('build', 'setup.lock');
  mkdirSync(path.dirname(lock), { recursive: true });
  const { status, error } = spawnSync(
    'flock',
    [lock, process.execPath, import.meta.filename, '--locked'],
    { stdio: 'inherit' },
  );
  if (error) setUp(); // no flock on this system: do without
  else process.exitCode = status ?? 1;
}

function setUp() {
  installPackages();
  buildAddon();
  compileTypeScript();
}

requireNode();
if (process.argv.includes('--locked')) setUp();
else if (!isReady()) runUnderLock();

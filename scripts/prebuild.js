/**
 * Builds the addon that ships inside the package: prebuilds/linux-<arch>/zoosync.<libc>.node, for
 * Node-API 8, stripped. It needs no newer libc than the system it was built on: release builds are made
 * on an old one.
 */
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fail, fromRoot, localCommand, quiet } from './support/run.js';
import { nodeHeaders, requireBuildTools } from './support/node-gyp.js';
import { filesBelow, stamp } from './support/stamp.js';

const sources = filesBelow(['binding.gyp', 'native/addon', 'native/core']);
const current = stamp('build/prebuild.stamp', sources);

/** The build deletes its folder first: a copy leaves `build/` to the other commands. */
function stageSources() {
  const stage = fromRoot('build', 'prebuild');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  for (const place of ['binding.gyp', 'package.json', 'native/addon', 'native/core']) {
    cpSync(fromRoot(place), path.join(stage, place), { recursive: true });
  }
  symlinkSync(fromRoot('node_modules'), path.join(stage, 'node_modules'));
  return stage;
}

function build() {
  requireBuildTools();
  const headers = nodeHeaders().map((argument) => argument.replace('--nodedir=', ''));
  quiet(
    localCommand('prebuildify'),
    [
      '--napi',
      '--strip',
      '--tag-libc',
      '--name=zoosync',
      `--target=${process.version}`,
      `--cwd=${stageSources()}`,
      `--out=${fromRoot()}`,
    ],
    {
      env: { ...process.env, ...(headers[0] !== undefined && { npm_config_nodedir: headers[0] }) },
    },
  );
}

/** @param {string} file @returns {string} the newest version of glibc that the file asks for */
function libcFloor(file) {
  const versions =
    quiet('readelf', ['--version-info', '--wide', file]).match(/GLIBC_[\d.]+/g) ?? [];
  const numbers = versions.map((version) => version.slice('GLIBC_'.length));
  return numbers.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1) ?? 'none';
}

/** Two linker options without which the addon fails on some systems only. @param {string} file */
function checkLinkerFlags(file) {
  if (!/FLAGS_1.*NODELETE/.test(quiet('readelf', ['--dynamic', file]))) {
    fail(`${file} is not marked NODELETE: ending a worker thread could unload running code.`);
  }
  if (!/GNU_STACK.* RW /.test(quiet('readelf', ['--program-headers', '--wide', file]))) {
    fail(`${file} asks for an executable stack, which newer systems refuse to load.`);
  }
}

const existing = () => filesBelow(['prebuilds'], (file) => file.includes(`linux-${process.arch}/`));

if (!current.isCurrent() || existing().length === 0) {
  build();
  current.set();
}
if (existing().length === 0) fail('prebuildify made no file in prebuilds.');
for (const file of existing()) {
  checkLinkerFlags(fromRoot(file));
  process.stdout.write(`${file}, needs glibc ${libcFloor(fromRoot(file))}\n`);
}

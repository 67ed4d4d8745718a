/**
 * Makes the tarball that is published: build/package/zoosync-<version>.tgz.
 *
 * It is packed from a folder of its own, which holds what users need and nothing that would make npm
 * run or download something at their side: no install script, and msgpackr without its native part.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fail, fromRoot, quiet } from './support/run.js';

const folder = fromRoot('build', 'package');
const stage = path.join(folder, 'stage');

/** @param {string} file @returns {Record<string, any>} */
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** @param {string} file @param {unknown} value */
const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

/** The manifest as it is published: without what serves development only. */
function publishedManifest() {
  const { devDependencies, scripts, ...manifest } = readJson(fromRoot('package.json'));
  if (!devDependencies || !scripts) fail('package.json has no devDependencies or no scripts.');
  return manifest;
}

/** @param {string} name a dependency that travels inside our tarball */
function bundle(name) {
  const target = path.join(stage, 'node_modules', name);
  cpSync(fromRoot('node_modules', name), target, { recursive: true });
  const { optionalDependencies, ...manifest } = readJson(path.join(target, 'package.json'));
  if (Object.keys(manifest.dependencies ?? {}).length > 0) {
    fail(`${name} has dependencies of its own now, which pack.js does not bundle.`);
  }
  // Its optional native part would be fetched at install time, with a warning about its script.
  if (optionalDependencies) writeJson(path.join(target, 'package.json'), manifest);
}

function stagePackage() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  const manifest = publishedManifest();
  for (const place of [...manifest.files, 'README.md', 'LICENSE']) {
    if (!existsSync(fromRoot(place)))
      fail(`${place} is missing: run npm run build and npm run prebuild.`);
    cpSync(fromRoot(place), path.join(stage, place), { recursive: true });
  }
  writeJson(path.join(stage, 'package.json'), manifest);
  for (const name of manifest.bundleDependencies) bundle(name);
}

stagePackage();
const output = quiet('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
  cwd: stage,
});
const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(output);
const kilobytes = (/** @type {number} */ bytes) => `${Math.ceil(bytes / 1024)} kB`;
process.stdout.write(
  `build/package/${filename}: ${kilobytes(size)}, ` +
    `${kilobytes(unpackedSize)} unpacked, ${entryCount} files\n`,
);

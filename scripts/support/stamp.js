import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fromRoot } from './run.js';

/**
 * All files below the given files and folders of the repository.
 * @param {string[]} places relative to the root folder; absent ones are left out
 * @param {(file: string) => boolean} [wanted]
 * @returns {string[]} relative paths, sorted
 */
export function filesBelow(places, wanted = () => true) {
  /** @type {string[]} */
  const found = [];
  const visit = (/** @type {string} */ place) => {
    const entry = statSync(fromRoot(place), { throwIfNoEntry: false });
    if (entry?.isDirectory()) {
      for (const name of readdirSync(fromRoot(place))) visit(path.join(place, name));
    } else if (entry?.isFile() && wanted(place)) {
      found.push(place);
    }
  };
  places.forEach(visit);
  return found.sort();
}

/**
 * A stamp remembers from which contents something was built.
 * @param {string} name the stamp's file, relative to the root folder
 * @param {string[]} files what it is built from
 * @param {string} [settings] what else the result depends on
 */
export function stamp(name, files, settings = '') {
  const hash = createHash('sha256').update(`${process.version} ${process.arch} ${settings}\n`);
  for (const file of files) {
    const content = readFileSync(fromRoot(file));
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  const digest = hash.digest('hex');
  return {
    /** Whether nothing has changed since the stamp was set. */
    isCurrent() {
      try {
        return readFileSync(fromRoot(name), 'utf8') === digest;
      } catch {
        return false;
      }
    },
    /** To be called after a successful build from exactly these contents. */
    set() {
      mkdirSync(path.dirname(fromRoot(name)), { recursive: true });
      writeFileSync(fromRoot(name), digest);
    },
  };
}

/** Which files there are, and how their hashes are written down. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { Failure } from './failure.js';

/**
 * @param {string} folder
 * @returns {string[]} paths of all regular files below it, sorted; links are not followed
 */
export function filesBelow(folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`The files of ${folder} cannot be listed: ${reason}`);
  }
}

/**
 * A line that `sha256sum --check` reads, escaped as it wants names with line breaks.
 * @param {string} hash
 * @param {string} name
 */
export function checksumLine(hash, name) {
  if (!/[\\\n\r]/.test(name)) return `${hash}  ${name}\n`;
  const escapes = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' };
  const escaped = name.replaceAll(
    /[\\\n\r]/g,
    (letter) => escapes[/** @type {keyof typeof escapes} */ (letter)],
  );
  return `\\${hash}  ${escaped}\n`;
}

/** The figures as files, for programs and for the next report. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { questions } from '../questions/index.js';

/**
 * @typedef {import('../harness/types.d.ts').Result} Result
 * @typedef {import('../harness/types.d.ts').Machine} Machine
 * @typedef {Result & { format: number, machine: Machine }} Stored
 */

/** Files of other formats are not read: they are written anew soon. */
const format = 2;

/** What a run that only sees whether everything works leaves must not hide figures. @param {{ quick: boolean }} pace */
export const folderOf = ({ quick }) =>
  fileURLToPath(new URL(quick ? '../results/quick' : '../results', import.meta.url));

/** @param {string} folder @param {string} name @param {string} text */
export function writeIn(folder, name, text) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, name), text);
}

/** @param {string} folder @param {Machine} machine @param {Result} result */
export function writeResult(folder, machine, result) {
  const text = JSON.stringify({ format, machine, ...result }, undefined, 2);
  writeIn(folder, `${result.id}.json`, `${text}\n`);
}

/** @param {string} file @returns {Stored | undefined} */
function read(file) {
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8'));
    return stored.format === format ? stored : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} folder @returns {Stored[]} those of all questions, in their order */
export const storedResults = (folder) =>
  questions.flatMap(({ id }) => read(path.join(folder, `${id}.json`)) ?? []);

/** Where the figures go. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { markdownOf } from './markdown-report.js';
import { svgOf } from './plot.js';

/**
 * @typedef {import('./types.d.ts').Result} Result
 * @typedef {import('./types.d.ts').Machine} Machine
 */

/** @param {string} name */
const inBench = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** One file per question, for programs. @param {Machine} machine @param {Result} result */
export function writeResult(machine, result) {
  mkdirSync(inBench('results'), { recursive: true });
  const text = JSON.stringify({ machine, ...result }, undefined, 2);
  writeFileSync(inBench(`results/${result.id}.json`), `${text}\n`);
}

/** The page and the picture in the repository. @param {Machine} machine @param {Result[]} results */
export async function writeReport(machine, results) {
  writeFileSync(inBench('report.md'), markdownOf(machine, results));
  writeFileSync(inBench('report.svg'), await svgOf(results));
}

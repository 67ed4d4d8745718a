/** Writes what a run leaves to read. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fromRoot } from '../../scripts/support/run.js';
import { pageOf } from './page.js';
import { plotsOf } from './plots.js';
import { readmeSection, replaceMarked } from './readme.js';
import { storedResults, writeIn } from './results.js';

/** @typedef {import('./plots.js').Plot} Plot */

/** @param {string} folder @param {Plot[]} plots */
async function writePlots(folder, plots) {
  for (const { name, svg } of plots) writeIn(folder, `${name}.svg`, `${await svg()}\n`);
}

/** Of everything that is there, whichever run it is of. @param {string} folder */
export async function writeReport(folder) {
  const stored = storedResults(folder);
  const plots = plotsOf(stored);
  await writePlots(folder, plots);
  writeIn(folder, 'report.md', pageOf(stored, { plots, folder: '' }));
}

/**
 * Into the documents: figures of one run only.
 * @param {string} folder
 * @param {string} date of the run
 * @returns {Promise<void>}
 */
export async function publish(folder, date) {
  const stored = storedResults(folder).filter(({ machine }) => machine.date === date);
  const plots = plotsOf(stored);
  const pictures = fromRoot('docs', 'benchmarks');
  rmSync(pictures, { recursive: true, force: true });
  await writePlots(pictures, plots);
  writeFileSync(
    fromRoot('docs', 'benchmarks.md'),
    pageOf(stored, { plots, folder: 'benchmarks/' }),
  );
  const readme = fromRoot('README.md');
  writeFileSync(readme, replaceMarked(readFileSync(readme, 'utf8'), readmeSection(stored)));
}

/** The figures as a page. */
import { machineLines } from '../harness/machine.js';
import { root } from '../../scripts/support/run.js';
import { comparisonTable, figuresTable, isPresent, targetsTable } from './tables.js';

/**
 * @typedef {import('./results.js').Stored} Stored
 * @typedef {import('./plots.js').Plot} Plot
 */

/** @param {Stored[]} stored @returns {Stored[][]} those of one run together, the newest run first */
function byRun(stored) {
  /** @type {Map<string, Stored[]>} */
  const runs = new Map();
  for (const one of stored)
    runs.set(one.machine.date, [...(runs.get(one.machine.date) ?? []), one]);
  return [...runs].sort(([a], [b]) => b.localeCompare(a)).map(([, run]) => run);
}

/** @param {string} text @returns {string} nothing of where this clone is */
const withoutRoot = (text) => text.replaceAll(root, '');

/** @param {Stored} stored @returns {string} */
function absentees({ outcomes }) {
  const lines = outcomes
    .filter((outcome) => !isPresent(outcome))
    .map(({ name, failed, absent = '' }) => {
      const [reason = ''] = withoutRoot(absent).split('\n');
      return `${name} ${failed ? '**broke off**' : 'is absent'}: ${reason}.`;
    });
  return lines.length > 0 ? `\n\n${lines.join('\n')}` : '';
}

/** @param {Plot[]} plots @param {string} folder @returns {string} */
const pictures = (plots, folder) =>
  plots.map(({ name, title }) => `\n\n![${title}](${folder}${name}.svg)`).join('');

/** @param {Stored} stored @param {{ dated: boolean, plots: Plot[], folder: string }} context */
function section(stored, { dated, plots, folder }) {
  const { id, title, touched, rounds, machine } = stored;
  const own = plots.filter(({ after }) => after === id);
  const date = dated ? ` Measured ${machine.date}, ${rounds} rounds.` : '';
  return `### ${title}

\`${id}\`; touched: ${touched}.${date}

${figuresTable(stored)}${absentees(stored)}${pictures(own, folder)}`;
}

/** @param {string} title @param {string | undefined} content @param {string} [after] */
const titled = (title, content, after = '') =>
  content === undefined ? '' : `## ${title}\n\n${content}${after}\n\n`;

/** @param {Stored[]} run @param {boolean} isOnly */
function describeRun(run, isOnly) {
  const [first] = run;
  const { machine, rounds, long } = first;
  const pace = `${rounds} rounds of each contender${long ? ', long ones' : ''}`;
  const lines = [...machineLines(machine), pace].map((line) => `- ${line}`);
  const which = isOnly ? '' : `${run.map(({ id }) => `\`${id}\``).join(', ')}:\n\n`;
  return `${which}${lines.join('\n')}`;
}

/**
 * @param {Stored[]} stored of all questions
 * @param {{ plots: Plot[], folder: string }} context the plots, and where they are beside the page
 * @returns {string}
 */
export function pageOf(stored, { plots, folder }) {
  const runs = byRun(stored);
  const isMixed = runs.length > 1;
  const mixture = `**These figures are of ${runs.length} runs. What is of one run may be compared.**\n\n`;
  const context = { dated: isMixed, plots, folder };
  const parts = [...new Set(stored.map(({ part }) => part))];
  const sections = parts.map((part) => {
    const own = stored.filter((one) => one.part === part).map((one) => section(one, context));
    const summary = pictures(
      plots.filter(({ after }) => after === part),
      folder,
    );
    return `## Part \`${part}\`${summary}\n\n${own.join('\n\n')}`;
  });
  const overview = pictures(
    plots.filter(({ after }) => after === 'overview'),
    folder,
  );
  return `# Benchmarks

Made by \`npm run bench\`: do not edit. Ours and the others take turns in one run, each in processes of
its own, after a warm-up; where there are enough processors, each side is pinned to one of its own.
Figures are medians of all rounds, percentiles are over all operations of all rounds. Ratios hold for
this machine and this run.

${isMixed ? mixture : ''}${runs.map((run) => describeRun(run, !isMixed)).join('\n\n')}

${titled('Beside the best peer', comparisonTable(stored), overview)}${titled('Targets', targetsTable(stored))}${sections.join('\n\n')}
`;
}

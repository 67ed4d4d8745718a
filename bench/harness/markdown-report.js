/** The figures as a page for the repository. */
import { duration, quantity } from './format.js';
import { machineLines } from './machine.js';

/**
 * @typedef {import('./types.d.ts').Result} Result
 * @typedef {import('./types.d.ts').Machine} Machine
 */

/** @param {string[]} header @param {string[][]} rows @returns {string} */
const table = (header, rows) =>
  [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** @param {Result[]} results @returns {string} */
function summary(results) {
  const rows = results.map(({ title, verdict }) => [
    title,
    verdict?.figure ?? '–',
    verdict?.bar ?? '–',
    verdict?.ratio ?? '–',
    verdict?.target ?? '–',
    verdict?.reached ? 'yes' : 'no',
  ]);
  return table(['what', 'zoosync', 'against', 'ratio', 'target', 'reached'], rows);
}

/** @param {Result} result @returns {string} */
function section({ id, title, touched, unit, outcomes }) {
  const hasLatency = outcomes.some(({ latency }) => latency);
  const rows = outcomes.map(({ name, values, median, lowest, highest, latency }) => {
    if (values.length === 0) return [name, 'absent', '', ...(hasLatency ? [''] : [])];
    const spread = `${quantity(lowest, unit)} – ${quantity(highest, unit)}`;
    const tail = hasLatency ? [latency ? duration(latency.p99) : ''] : [];
    return [name, quantity(median, unit), spread, ...tail];
  });
  const header = ['', 'median', 'lowest – highest', ...(hasLatency ? ['p99'] : [])];
  return `### ${title}\n\n\`${id}\`; touched: ${touched}.\n\n${table(header, rows)}`;
}

/** @param {Machine} machine @param {Result[]} results @returns {string} */
export function markdownOf(machine, results) {
  const rounds = Math.min(...results.map((result) => result.rounds));
  return `# Benchmarks

Made by \`npm run bench\`. Ours and the others take turns in one run, each in processes of its own,
after a warm-up; where there are enough processors, each side is pinned to one of its own. Figures
are medians of ${rounds} rounds. Ratios hold for this machine and this run.

${machineLines(machine)
  .map((line) => `- ${line}`)
  .join('\n')}

${summary(results)}

![Medians of all contenders](report.svg)

## Every contender

${results.map((result) => section(result)).join('\n\n')}
`;
}

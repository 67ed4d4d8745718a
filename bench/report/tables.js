/** The figures as tables in Markdown. */
import { abscissa, duration, quantity } from '../harness/format.js';
import { comparisons, ratioText } from './rows.js';

/**
 * @typedef {import('../harness/types.d.ts').Result} Result
 * @typedef {import('../harness/types.d.ts').Outcome} Outcome
 */

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** @param {string[]} header @param {string[][]} rows @returns {string} */
export const table = (header, rows) =>
  [header, header.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((text) => cell(text)).join(' | ')} |`)
    .join('\n');

/** What a target asks, and whether it is reached. @param {readonly Result[]} results */
export function targetsTable(results) {
  const rows = results.flatMap(({ title, verdict }) => {
    if (!verdict) return [];
    const { figure, bar, ratio, target, reached } = verdict;
    return [[title, figure, bar, ratio, target, reached ? 'yes' : '**no**']];
  });
  if (rows.length === 0) return undefined;
  return table(['what', 'zoosync', 'against', 'ratio', 'target', 'reached'], rows);
}

/** What the README shows. @param {readonly Result[]} results */
export function comparisonTable(results) {
  const rows = comparisons(results).map(({ row, result, ours, peer, ratio }) => [
    row.label,
    quantity(ours.median, result.unit),
    `${quantity(peer.median, result.unit)} (${peer.name})`,
    ratioText(ratio),
  ]);
  return rows.length === 0 ? undefined : table(['', 'zoosync', 'best peer', ''], rows);
}

/** @param {Outcome} outcome @returns {boolean} */
export const isPresent = ({ values }) => values.length > 0;

/** @param {Result} result @returns {string} each contender in a row */
function contendersTable({ unit, outcomes }) {
  const hasLatency = outcomes.some(({ latency }) => latency);
  const rows = outcomes.filter(isPresent).map(({ name, median, lowest, highest, latency }) => {
    const spread = `${quantity(lowest, unit)} – ${quantity(highest, unit)}`;
    const tail = latency ? [latency.p90, latency.p99, latency.p999, latency.highest] : [];
    const tailCells = tail.map((nanoseconds) => duration(nanoseconds));
    return [name, quantity(median, unit), spread, ...(hasLatency ? tailCells : [])];
  });
  const tailHeader = hasLatency ? ['p90', 'p99', 'p99.9', 'highest'] : [];
  return table(['', 'median', 'lowest – highest', ...tailHeader], rows);
}

/** @param {Result} result @returns {string} each x in a row, each contender in a column */
function curveTable({ unit, curve, outcomes }) {
  const lines = outcomes.filter(isPresent);
  const all = lines.flatMap(({ points = [] }) => points.map(({ x }) => x));
  const xs = [...new Set(all)].sort((a, b) => a - b);
  const rows = xs.map((x) => [
    abscissa(x, curve?.x ?? ''),
    ...lines.map(({ points = [] }) => {
      const point = points.find((other) => other.x === x);
      return point ? quantity(point.median, unit) : '';
    }),
  ]);
  return table([curve?.x ?? '', ...lines.map(({ name }) => name)], rows);
}

/** @param {Result} result @returns {string} */
export const figuresTable = (result) =>
  result.curve ? curveTable(result) : contendersTable(result);

/** The figures as text for a terminal. */
import { abscissa, duration, quantity } from './format.js';

/**
 * @typedef {import('./types.d.ts').Result} Result
 * @typedef {import('./types.d.ts').Outcome} Outcome
 */

/** @param {string[][]} rows @returns {string[]} lines with columns of equal width */
function columns(rows) {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** @param {Outcome} outcome @param {{ unit: string }} result @returns {string[]} */
function row({ name, absent, failed, values, median, lowest, highest, latency }, { unit }) {
  if (values.length === 0) {
    return [name, failed ? 'failed' : 'absent', absent?.split('\n')[0] ?? '', ''];
  }
  const spread = `${quantity(lowest, unit)} – ${quantity(highest, unit)}`;
  const tail = latency ? `p99 ${duration(latency.p99)}, p99.9 ${duration(latency.p999)}` : '';
  return [name, quantity(median, unit), spread, tail];
}

/** @param {Result} result @returns {string[]} each contender in a line, with all its points */
function curveLines({ curve, unit, outcomes }) {
  const all = outcomes.flatMap(({ points = [] }) => points.map(({ x }) => x));
  const xs = [...new Set(all)].sort((a, b) => a - b);
  const present = outcomes.filter(({ points = [] }) => points.length > 0);
  const rows = present.map(({ name, points = [] }) => {
    const cells = xs.map((x) => {
      const point = points.find((other) => other.x === x);
      return point ? quantity(point.median, unit) : '';
    });
    return [name, ...cells];
  });
  const header = [curve?.x ?? '', ...xs.map((x) => abscissa(x, curve?.x ?? ''))];
  const absentees = outcomes
    .filter((outcome) => !present.includes(outcome))
    .map((outcome) => row(outcome, { unit }));
  return [...columns([header, ...rows]), ...columns(absentees)];
}

/** @param {Result} result @returns {string} */
export function textOf(result) {
  const table = result.curve
    ? curveLines(result)
    : columns(result.outcomes.map((outcome) => row(outcome, result)));
  const lines = [
    `${result.id}: ${result.title}`,
    `  touched: ${result.touched}`,
    ...table.map((line) => `  ${line}`),
  ];
  const { verdict } = result;
  if (verdict) {
    const { figure, bar, ratio, target, reached } = verdict;
    const mark = reached ? 'reached' : 'MISSED';
    lines.push(`  ${mark}: ${figure} against ${bar}: ${ratio}, wanted ${target}`);
  }
  return `${lines.join('\n')}\n`;
}

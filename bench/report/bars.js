/** Bars: every contender of a question, and how far ours is from the best peer. */
import { quantity } from '../harness/format.js';
import { config, draw, labelExpression, labelRoom, plotWidth, scaleOf } from './drawing.js';
import { ratioText } from './rows.js';

/** @typedef {import('../harness/types.d.ts').Result} Result */

const roleColours = { ours: '#0b6e69', peer: '#98a3af', limit: '#d9822b', beside: '#d3d9df' };
const roleWords = { ours: 'zoosync', peer: 'peer', limit: 'limit', beside: 'for comparison' };

/** @param {Result} result @param {object} nameRoom */
function bars({ title, unit, better, outcomes }, nameRoom) {
  const scale = scaleOf(unit);
  const values = outcomes
    .filter(({ values }) => values.length > 0)
    .map(({ name, role, median, lowest, highest }) => ({
      name,
      role: roleWords[role],
      median: median * scale,
      lowest: lowest * scale,
      highest: highest * scale,
      label: quantity(median, unit),
    }));
  const farthest = Math.max(...values.map(({ highest }) => highest));
  return {
    title: { text: title, subtitle: better === 'more' ? 'more is better' : 'less is better' },
    width: plotWidth,
    height: { step: 22 },
    data: { values },
    encoding: {
      y: {
        field: 'name',
        type: 'nominal',
        sort: null,
        title: null,
        axis: { ...nameRoom, domain: false, ticks: false },
      },
    },
    layer: [
      {
        mark: { type: 'bar', height: 14 },
        encoding: {
          x: {
            field: 'median',
            type: 'quantitative',
            // Room for the numbers behind the bars.
            scale: { domain: [0, farthest * 1.2], nice: false },
            axis: { title: null, labelExpr: labelExpression(unit), tickCount: 5 },
          },
          color: {
            field: 'role',
            type: 'nominal',
            scale: { domain: Object.values(roleWords), range: Object.values(roleColours) },
            legend: { orient: 'top', title: null },
          },
        },
      },
      {
        mark: { type: 'rule', color: '#444', strokeWidth: 1 },
        encoding: { x: { field: 'lowest', type: 'quantitative' }, x2: { field: 'highest' } },
      },
      {
        mark: { type: 'text', align: 'left', baseline: 'middle', dx: 6, color: '#333' },
        encoding: {
          x: { field: 'highest', type: 'quantitative' },
          text: { field: 'label', type: 'nominal' },
        },
      },
    ],
  };
}

/** Every contender of some questions. @param {Result[]} results */
export async function barCharts(results) {
  // The same for all, so that they begin at the same place.
  const nameRoom = labelRoom(
    results.flatMap(({ outcomes }) => outcomes.map(({ name }) => name)),
    config.axis.labelFontSize,
  );
  return draw({
    vconcat: results.map((result) => bars(result, nameRoom)),
    spacing: 26,
    resolve: { scale: { x: 'independent', y: 'independent', color: 'shared' } },
  });
}

/** @param {number} ratio @param {import('./rows.js').Comparison} comparison */
function overviewLabel(ratio, { ours, peer, result: { unit } }) {
  return {
    ratio: ratioText(ratio),
    detail: `${quantity(ours.median, unit)} beside ${quantity(peer.median, unit)}, ${peer.name}`,
  };
}

/**
 * The ratios to the best peers.
 * @param {string} title
 * @param {import('./rows.js').Comparison[]} comparisons
 */
export async function overviewChart(title, comparisons) {
  const values = comparisons.map((comparison) => ({
    label: comparison.row.label.replaceAll('`', ''),
    value: comparison.ratio,
    one: 1,
    isBetter: comparison.ratio >= 1,
    ...overviewLabel(comparison.ratio, comparison),
  }));
  const most = Math.max(10, ...values.map(({ value }) => value));
  const least = Math.min(1, ...values.map(({ value }) => value / 1.3));
  const labels = values.map(({ label }) => label);
  return draw({
    title: { text: title, frame: 'bounds' },
    width: 560,
    height: { step: 40 },
    data: { values },
    encoding: {
      y: {
        field: 'label',
        type: 'nominal',
        sort: null,
        title: null,
        axis: {
          ...labelRoom(labels, 13),
          domain: false,
          ticks: false,
          labelPadding: 8,
          labelFontSize: 13,
        },
      },
    },
    layer: [
      {
        mark: { type: 'bar', height: 18, yOffset: -7 },
        encoding: {
          x: {
            field: 'one',
            type: 'quantitative',
            scale: { type: 'log', domain: [least, most * 1.25], nice: false },
            axis: {
              title: 'times as fast as the best peer, logarithmic',
              values: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500],
              labelExpr: "datum.value + 'x'",
            },
          },
          x2: { field: 'value' },
          color: {
            field: 'isBetter',
            type: 'nominal',
            scale: { domain: [true, false], range: ['#0b6e69', '#b0486a'] },
            legend: null,
          },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 5, dy: -7, fontWeight: 'bold', fontSize: 13 },
        encoding: {
          x: { field: 'value', type: 'quantitative' },
          text: { field: 'ratio', type: 'nominal' },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 2, dy: 11, color: '#555', fontSize: 11 },
        encoding: {
          x: { field: 'one', type: 'quantitative' },
          text: { field: 'detail', type: 'nominal' },
        },
      },
    ],
  });
}

/** Curves: lines over sizes, counts or shares. */
import { abscissa } from '../harness/format.js';
import { draw, labelExpression, plotWidth, scaleOf } from './drawing.js';

/**
 * @typedef {import('../harness/types.d.ts').Result} Result
 * @typedef {import('../harness/types.d.ts').Outcome} Outcome
 * @typedef {import('../harness/types.d.ts').Role} Role
 */

/** Ours, then the limit, then the others; they differ in brightness too. */
const ourColours = ['#0b6e69', '#46b3a8', '#7fbf3f', '#2f4b7c'];
const limitColours = ['#d9822b', '#a65a12', '#f0b878'];
const otherColours = ['#5b6fb0', '#b0486a', '#7a7f87', '#8d5fb3', '#3f8fc4', '#b59a2a'];

/** @param {number[]} values @returns {number[]} powers of ten around them, for a logarithmic axis */
function decades(values) {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: last - first + 1 }, (_, index) => Number(`1e${first + index}`));
}

/** @typedef {{ name: string, role: Role }} Line */

/** @param {Line} line ours too when it is only there for comparison */
const isOurs = ({ name, role }) => role === 'ours' || name.startsWith('zoosync');

/** @param {readonly Line[]} lines @returns {string[]} a colour for each */
function coloursOf(lines) {
  const ours = [...ourColours];
  const limits = [...limitColours];
  const others = [...otherColours];
  return lines.map((line) => {
    const colours = isOurs(line) ? ours : line.role === 'limit' ? limits : others;
    return colours.shift() ?? '#c3c9d0';
  });
}

/** @param {readonly Line[]} lines how each is told apart */
function lineEncoding(lines) {
  const domain = lines.map(({ name }) => name);
  return {
    color: {
      field: 'name',
      type: 'nominal',
      scale: { domain, range: coloursOf(lines) },
      legend: {
        orient: 'bottom',
        columns: 2,
        symbolType: 'stroke',
        symbolStrokeWidth: 3,
        symbolOpacity: 1,
      },
    },
    strokeDash: {
      field: 'name',
      type: 'nominal',
      scale: { domain, range: lines.map(({ role }) => (role === 'limit' ? [6, 4] : [1, 0])) },
      legend: null,
    },
    strokeWidth: {
      field: 'name',
      type: 'nominal',
      scale: { type: 'ordinal', domain, range: lines.map((line) => (isOurs(line) ? 3 : 1.8)) },
      legend: null,
    },
  };
}

/** From this quotient on, the small values of a linear axis could not be read. */
const logFrom = 20;

/** @param {number[]} values @returns {boolean} */
function needsLog(values) {
  const least = Math.min(...values);
  return least > 0 && Math.max(...values) / least > logFrom;
}

/**
 * A curve: medians, and from the lowest to the highest round at each point.
 * @param {Result} result
 */
export async function lineChart({ title, unit, curve, outcomes }) {
  if (!curve) throw new Error(`${title} has no curve`);
  const lines = outcomes.filter(({ points = [] }) => points.length > 0);
  const scale = scaleOf(unit);
  const values = lines.flatMap(({ name, points = [] }) =>
    points.map(({ x, median, lowest, highest }) => ({
      name,
      x,
      median: median * scale,
      lowest: lowest * scale,
      highest: highest * scale,
    })),
  );
  const xs = [...new Set(values.map(({ x }) => x))].sort((a, b) => a - b);
  const all = values.flatMap(({ median, lowest, highest }) => [median, lowest, highest]);
  const isLog = needsLog(all);
  const ticks = curve.scale === 'log' && xs.length > 9 ? everyNth(xs, 9) : xs;
  const names = JSON.stringify(Object.fromEntries(ticks.map((x) => [x, abscissa(x, curve.x)])));
  const x = {
    field: 'x',
    type: 'quantitative',
    scale: curve.scale === 'log' ? { type: 'log', base: 2, nice: false } : { zero: false },
    axis: {
      title: curve.x,
      values: ticks,
      labelExpr: `${names}[datum.value]`,
      labelOverlap: 'greedy',
      grid: false,
    },
  };
  const y = {
    field: 'median',
    type: 'quantitative',
    scale: isLog ? { type: 'log' } : { zero: true },
    axis: {
      title: [curve.y, ...(unit === 'ns' ? [] : [unit]), ...(isLog ? ['logarithmic'] : [])].join(
        ', ',
      ),
      labelExpr: labelExpression(unit),
      ...(isLog ? { values: decades(all) } : { tickCount: 5 }),
    },
  };
  const identity = lineEncoding(lines);
  return draw({
    title: { text: title, subtitle: 'medians; thin: from the lowest to the highest round' },
    width: plotWidth,
    height: 320,
    data: { values },
    encoding: { x },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 1, opacity: 0.45 },
        encoding: {
          y: { ...y, field: 'lowest' },
          y2: { field: 'highest' },
          color: identity.color,
        },
      },
      { mark: { type: 'line' }, encoding: { y, ...identity } },
      {
        mark: { type: 'point', filled: true, size: 34, opacity: 1 },
        encoding: { y, color: identity.color },
      },
    ],
  });
}

/** @param {number[]} xs @param {number} most @returns {number[]} at most so many of them */
function everyNth(xs, most) {
  const step = Math.ceil(xs.length / most);
  return xs.filter((_, index) => index % step === 0);
}

/** @param {number} share @returns {number} 1 for 90 %, 2 for 99 % */
const nines = (share) => -Math.log10(1 - share);

const percentLabels = [
  [nines(0.5), '50 %'],
  [1, '90 %'],
  [2, '99 %'],
  [3, '99.9 %'],
  [4, '99.99 %'],
  [5, '99.999 %'],
  [6, '99.9999 %'],
];

/**
 * How long operations take, the slow ones to the right.
 * @param {string} title
 * @param {Outcome[]} lines
 */
export async function latencyChart(title, lines) {
  const values = lines.flatMap(({ name, latency }) =>
    (latency?.distribution ?? []).map(({ share, nanoseconds }) => ({
      name,
      nines: nines(share),
      seconds: nanoseconds * 1e-9,
    })),
  );
  const names = JSON.stringify(Object.fromEntries(percentLabels));
  return draw({
    title: {
      text: title,
      subtitle: 'so many of all round trips take at most so long',
    },
    width: plotWidth,
    height: 320,
    data: { values },
    mark: { type: 'line' },
    encoding: {
      x: {
        field: 'nines',
        type: 'quantitative',
        scale: { nice: false },
        axis: {
          title: 'share of all round trips',
          values: percentLabels.map(([nine]) => nine),
          labelExpr: `${names}[datum.value]`,
          labelOverlap: false,
        },
      },
      y: {
        field: 'seconds',
        type: 'quantitative',
        scale: { type: 'log' },
        axis: {
          title: 'there and back, logarithmic',
          labelExpr: labelExpression('ns'),
          values: decades(values.map(({ seconds }) => seconds)),
        },
      },
      ...lineEncoding(lines),
    },
  });
}

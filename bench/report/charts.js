/** The figures as pictures, drawn by Vega-Lite. */
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import { abscissa, duration, quantity } from '../harness/format.js';
import { ratioText } from './rows.js';

/**
 * @typedef {import('../harness/types.d.ts').Result} Result
 * @typedef {import('../harness/types.d.ts').Outcome} Outcome
 * @typedef {import('../harness/types.d.ts').Role} Role
 */

/** Ours, then the limit, then the others; they differ in brightness too. */
const ourColours = ['#0b6e69', '#46b3a8', '#7fbf3f', '#2f4b7c'];
const limitColours = ['#d9822b', '#a65a12', '#f0b878'];
const otherColours = ['#5b6fb0', '#b0486a', '#7a7f87', '#8d5fb3', '#3f8fc4', '#b59a2a'];
const roleColours = { ours: '#0b6e69', peer: '#98a3af', limit: '#d9822b', beside: '#d3d9df' };
const roleWords = { ours: 'zoosync', peer: 'peer', limit: 'limit', beside: 'for comparison' };

const plotWidth = 560;

/** Without a canvas Vega guesses the width of texts, and far too wide. */
const characterWidth = 0.57;

/** @param {readonly string[]} labels @param {number} fontSize what an axis leaves for its labels */
function labelRoom(labels, fontSize) {
  const longest = Math.max(0, ...labels.map(({ length }) => length));
  const extent = Math.ceil(longest * fontSize * characterWidth) + 10;
  return { minExtent: extent, maxExtent: extent };
}

/** @param {number[]} values @returns {number[]} powers of ten around them, for a logarithmic axis */
function decades(values) {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: last - first + 1 }, (_, index) => Number(`1e${first + index}`));
}

const config = {
  font: 'Helvetica, Arial, sans-serif',
  title: { anchor: 'start', frame: 'group', fontSize: 15, subtitleFontSize: 12, offset: 12 },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 10,
    labelLimit: 0,
    gridColor: '#e4e7eb',
    labelColor: '#333',
    titleColor: '#333',
  },
  legend: { labelFontSize: 12, labelLimit: 0, symbolSize: 90, title: null },
  text: { fontSize: 12 },
  view: { stroke: null },
};

/** @param {object} specification @returns {Promise<string>} an SVG document */
async function draw(specification) {
  const { spec } = vegaLite.compile(
    /** @type {vegaLite.TopLevelSpec} */ ({
      $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
      // Readable on dark pages too.
      background: 'white',
      padding: 16,
      config,
      ...specification,
    }),
    // Its warnings are about legends that are left out on purpose.
    { logger: vega.logger(vega.Error) },
  );
  return new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG();
}

/** Times are drawn in seconds, so that the axis can say ns, µs and ms. @param {string} unit */
const scaleOf = (unit) => (unit === 'ns' ? 1e-9 : 1);

/** @param {string} unit */
const labelExpression = (unit) => `format(datum.value, '~s') + '${unit === 'ns' ? 's' : ''}'`;

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
  const figure = unit === 'ns' ? duration : (/** @type {number} */ value) => quantity(value, unit);
  return {
    ratio: ratioText(ratio),
    detail: `${figure(ours.median)} beside ${figure(peer.median)}, ${peer.name}`,
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

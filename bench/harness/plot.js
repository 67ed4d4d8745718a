/** The figures as a picture: a bar chart for each question, drawn by Vega-Lite. */
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';

/** @typedef {import('./types.d.ts').Result} Result */

const colours = { ours: '#1b7f79', peer: '#9aa5b1', limit: '#d98a29', beside: '#cfd6dd' };
const words = { ours: 'zoosync', peer: 'peer', limit: 'limit', beside: 'for comparison' };

/** @param {Result} result */
function chart({ title, unit, outcomes }) {
  const isTime = unit === 'ns';
  const values = outcomes
    .filter(({ values }) => values.length > 0)
    .map(({ name, role, median, lowest, highest }) => {
      const scale = isTime ? 1e-9 : 1;
      const bar = { median: median * scale, lowest: lowest * scale, highest: highest * scale };
      return { name, role: words[role], ...bar };
    });
  const axis = {
    labelExpr: `format(datum.value, '~s') + '${isTime ? 's' : ''}'`,
    tickCount: 5,
    grid: true,
  };
  return {
    title: { text: title, anchor: 'start', frame: 'group', fontSize: 12 },
    width: 520,
    height: { step: 18 },
    data: { values },
    encoding: { y: { field: 'name', type: 'nominal', sort: null, title: null } },
    layer: [
      {
        mark: { type: 'bar', height: 12 },
        encoding: {
          x: { field: 'median', type: 'quantitative', title: isTime ? null : unit, axis },
          color: {
            field: 'role',
            type: 'nominal',
            title: null,
            scale: { domain: Object.values(words), range: Object.values(colours) },
          },
        },
      },
      {
        mark: { type: 'rule', color: '#333', strokeWidth: 1 },
        encoding: {
          x: { field: 'lowest', type: 'quantitative' },
          x2: { field: 'highest' },
        },
      },
    ],
  };
}

/** @param {Result[]} results @returns {Promise<string>} an SVG document */
export async function svgOf(results) {
  const specification = /** @type {vegaLite.TopLevelSpec} */ ({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    vconcat: results.map((result) => chart(result)),
    resolve: { scale: { x: 'independent', y: 'independent', color: 'shared' } },
    config: { legend: { orient: 'top' }, axis: { labelLimit: 240 }, axisY: { minExtent: 180 } },
  });
  const { spec } = vegaLite.compile(specification);
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  return view.toSVG();
}

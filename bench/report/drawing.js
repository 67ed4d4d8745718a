/** What all pictures have in common. They are drawn by Vega-Lite. */
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';

export const plotWidth = 560;

/** Without a canvas Vega guesses the width of texts, and far too wide. */
const characterWidth = 0.57;

/** @param {readonly string[]} labels @param {number} fontSize what an axis leaves for its labels */
export function labelRoom(labels, fontSize) {
  const longest = Math.max(0, ...labels.map(({ length }) => length));
  const extent = Math.ceil(longest * fontSize * characterWidth) + 10;
  return { minExtent: extent, maxExtent: extent };
}

export const config = {
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
export async function draw(specification) {
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
export const scaleOf = (unit) => (unit === 'ns' ? 1e-9 : 1);

/** @param {string} unit */
export const labelExpression = (unit) =>
  `format(datum.value, '~s') + '${unit === 'ns' ? 's' : ''}'`;

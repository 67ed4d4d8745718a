/** Whether what was measured stays flat. */

/**
 * @typedef {object} Series one quantity of one process over time
 * @property {string} process
 * @property {string} quantity
 * @property {number[]} seconds
 * @property {number[]} values
 */

/**
 * @typedef {object} Verdict
 * @property {string} process
 * @property {string} quantity
 * @property {number} start median of the first samples after the warm-up
 * @property {number} middle
 * @property {number} end
 * @property {number} growth of the fitted line over the time after the warm-up
 * @property {number} allowed
 * @property {boolean} isFlat
 */

const mebibyte = 2 ** 20;

/** @param {string} quantity */
const isBytes = (quantity) => ['anonymous', 'shared', 'heap', 'external'].includes(quantity);

/** @param {number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2;
}

/**
 * The slope after Theil and Sen: the median of the slopes between all pairs, which single samples
 * that lie far off do not move.
 * @param {number[]} times @param {number[]} values
 */
export function slopeOf(times, values) {
  const slopes = [];
  for (let i = 0; i < values.length; i += 1) {
    for (let j = i + 1; j < values.length; j += 1) {
      slopes.push((values[j] - values[i]) / (times[j] - times[i]));
    }
  }
  return median(slopes);
}

/**
 * What is counted may not grow at all. Memory may, a little: allocators keep what they have, and
 * the collector takes its time, so a short run can only show a large leak.
 * @param {string} quantity @param {number} typical @param {number} seconds
 */
function allowedGrowth(quantity, typical, seconds) {
  const isLong = seconds >= 120;
  switch (quantity) {
    case 'anonymous':
    case 'shared':
      return isLong ? Math.max(8 * mebibyte, typical * 0.05) : 96 * mebibyte;
    case 'heap':
      return isLong ? Math.max(2 * mebibyte, typical * 0.05) : 24 * mebibyte;
    case 'external':
      return isLong ? 1 * mebibyte : 16 * mebibyte;
    default:
      // Bells of those who have left are let go when the next one is opened.
      return isLong ? 0 : 8;
  }
}

/**
 * The first third warms up: caches fill, pools of threads start.
 * @param {Series} series
 * @returns {Verdict}
 */
export function judge({ process, quantity, seconds, values }) {
  const first = Math.floor(values.length / 3);
  const times = seconds.slice(first);
  const judged = values.slice(first);
  const few = Math.max(2, Math.floor(judged.length / 5));
  const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
  const growth = slopeOf(times, judged) * span;
  const typical = median(judged);
  const allowed = allowedGrowth(quantity, typical, seconds.at(-1) ?? 0);
  // What is there goes up and down by what is just being closed. It has grown when its least at the
  // end is more than its most at the beginning, and for memory when the line says so too.
  const risen = Math.max(0, Math.min(...judged.slice(-few)) - Math.max(...judged.slice(0, few)));
  const isFlat = isBytes(quantity) ? risen === 0 || growth <= allowed : risen <= allowed;
  return {
    process,
    quantity,
    start: median(judged.slice(0, few)),
    middle: typical,
    end: median(judged.slice(-few)),
    growth: isBytes(quantity) ? growth : risen,
    allowed,
    isFlat,
  };
}

/** @param {Verdict[]} verdicts */
export function table(verdicts) {
  const show = (/** @type {string} */ quantity, /** @type {number} */ value) =>
    isBytes(quantity)
      ? `${(value / mebibyte).toFixed(1)} MiB`
      : String(Math.round(value * 10) / 10);
  const rows = verdicts.map(
    ({ process, quantity, start, middle, end, growth, allowed, isFlat }) => [
      process,
      quantity,
      ...[start, middle, end, growth, allowed].map((value) => show(quantity, value)),
      isFlat ? '' : 'GROWS',
    ],
  );
  const head = ['process', 'quantity', 'start', 'middle', 'end', 'growth', 'allowed', ''];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

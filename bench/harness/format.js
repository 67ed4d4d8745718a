/** Numbers as a reader wants them. */

const large = /** @type {const} */ ([
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]);

/** @param {number} value @param {number} [digits] @returns {string} with this many digits that count */
function rounded(value, digits = 3) {
  if (value === 0) return '0';
  const decimals = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(Math.max(0, decimals), 3));
}

/** @param {number} nanoseconds @returns {string} */
export function duration(nanoseconds) {
  if (!Number.isFinite(nanoseconds)) return '–';
  if (nanoseconds < 1e3) return `${rounded(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${rounded(nanoseconds / 1e3)} µs`;
  if (nanoseconds < 1e9) return `${rounded(nanoseconds / 1e6)} ms`;
  return `${rounded(nanoseconds / 1e9)} s`;
}

/** @param {number} value @param {string} unit `ns` is shown as a duration @returns {string} */
export function quantity(value, unit) {
  if (unit === 'ns') return duration(value);
  if (!Number.isFinite(value)) return '–';
  const [scale, letter] = large.find(([scale]) => Math.abs(value) >= scale) ?? [1, ''];
  const space = letter === '' || /^B\b/.test(unit) ? '' : ' ';
  return `${rounded(value / scale)} ${letter}${space}${unit}`;
}

/** @param {number} value @param {number} [digits] @returns {string} */
export const times = (value, digits) =>
  Number.isFinite(value) ? `${rounded(value, digits)}x` : '–';

/** @param {number} bytes @returns {string} */
function binary(bytes) {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 2 ** (10 * power);
  const unit = ['B', 'KiB', 'MiB', 'GiB'][power];
  return `${Number.isInteger(value) ? value : rounded(value)} ${unit}`;
}

/** @param {number} x @param {string} axis the title of its axis @returns {string} */
export const abscissa = (x, axis) => (/\bbytes?\b/i.test(axis) ? binary(x) : String(x));

/** @param {number} seconds @returns {string} minutes and seconds */
export function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

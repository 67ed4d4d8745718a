/** Numbers as a reader wants them. */

const large = /** @type {const} */ ([
  [1e9, 'G '],
  [1e6, 'M '],
  [1e3, 'k '],
]);

/** @param {number} value @returns {string} three digits that count */
function threeDigits(value) {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

/** @param {number} nanoseconds @returns {string} */
export function duration(nanoseconds) {
  if (!Number.isFinite(nanoseconds)) return '–';
  if (nanoseconds < 1e3) return `${threeDigits(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${threeDigits(nanoseconds / 1e3)} µs`;
  if (nanoseconds < 1e9) return `${threeDigits(nanoseconds / 1e6)} ms`;
  return `${threeDigits(nanoseconds / 1e9)} s`;
}

/** @param {number} value @param {string} unit `ns` is shown as a duration @returns {string} */
export function quantity(value, unit) {
  if (unit === 'ns') return duration(value);
  if (!Number.isFinite(value)) return '–';
  const [scale, letter] = large.find(([scale]) => Math.abs(value) >= scale) ?? [1, ''];
  return `${threeDigits(value / scale)} ${letter}${unit}`;
}

/** @param {number} value @returns {string} */
export const times = (value) => (Number.isFinite(value) ? `${threeDigits(value)}x` : '–');

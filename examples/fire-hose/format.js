/** Numbers as a reader wants them. */

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** @param {number} value */
export const count = (value) => grouped.format(value);

/** @param {number} bytes */
export const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** @param {number} share from 0 to 1 */
export const percent = (share) => `${Math.round(share * 100)} %`;

/** @param {number} share from 0 to 1 @param {number} width */
export function bar(share, width) {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '#'.repeat(full) + '.'.repeat(width - full);
}

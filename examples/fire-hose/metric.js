/** What the producers send: about 100 bytes each, as msgpack. */

/**
 * @typedef {object} Metric
 * @property {string} source
 * @property {number} sequence counts the metrics of this source, from 0
 * @property {number} at when it was measured, in milliseconds since 1970
 * @property {number} value
 * @property {string} unit
 * @property {string} host
 */

const periodMs = 8000;

/**
 * A load that goes up and down; each source has its peak at another time.
 * @param {{ source: string, phase: number }} where `phase` from 0 to 1
 * @param {number} sequence
 * @returns {Metric}
 */
export function measure({ source, phase }, sequence) {
  const at = Date.now();
  const swing = Math.sin(2 * Math.PI * (at / periodMs + phase));
  const value = 50 + 40 * swing + 10 * (Math.random() - 0.5);
  return { source, sequence, at, value, unit: 'percent', host: 'rack-07.example.net' };
}

/** A table that is drawn again and again, for a terminal. */
import { bar, count, mebibytes, percent } from './format.js';

const escape = '\x1b[';
const red = (/** @type {string} */ text) => `${escape}31;1m${text}${escape}0m`;
const grey = (/** @type {string} */ text) => `${escape}90m${text}${escape}0m`;

const keys = 's slower   f faster   k kill a producer   q quit';

/** @typedef {import('./main.js').Picture} Picture */

/** @param {Picture} picture @returns {string[]} */
function linesOf({ lap, backlog, capacity, delay, producers, status, alertLevel }) {
  const rows = producers.map((producer) => {
    const { source, perSecond, waiting, ownBytes, isAlive } = producer;
    if (!isAlive) return grey(`${source.padEnd(10)} ended`);
    const { average = 0 } = status.find((one) => one.source === source) ?? {};
    const cells = [
      source.padEnd(10),
      count(perSecond).padStart(9),
      percent(waiting).padStart(7),
      mebibytes(ownBytes).padStart(9),
      average.toFixed(1).padStart(8),
      ` ${bar(average / 100, 20)}`,
    ];
    const line = cells.join(' ');
    return average > alertLevel ? red(`${line}  ALERT`) : line;
  });
  return [
    `${count(lap.perSecond)} metrics/s   p99 age ${lap.age} ms   ${
      delay === 0 ? 'at full speed' : `slowed down, ${delay} ms for each batch`
    }`,
    `backlog ${bar(backlog / capacity, 30)} ${mebibytes(backlog)} of ${mebibytes(capacity)}`,
    '',
    grey('source        sent/s   waits    memory  average, last 2 s'),
    ...rows,
    '',
    grey(keys),
  ];
}

export class Board {
  #output;

  /** @param {NodeJS.WriteStream} output */
  constructor(output) {
    this.#output = output;
    output.write(`${escape}?1049h${escape}?25l`);
  }

  /** @param {Picture} picture */
  show(picture) {
    const lines = linesOf(picture).map((line) => `${line}${escape}K`);
    this.#output.write(`${escape}H${lines.join('\n')}${escape}J`);
  }

  close() {
    this.#output.write(`${escape}?25h${escape}?1049l`);
  }
}

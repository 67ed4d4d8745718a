/** The same as the board, as lines that stay. */
import { count, mebibytes, percent } from './format.js';

/** @typedef {import('./main.js').Picture} Picture */

export class Lines {
  #output;
  #isAlerted = new Set();

  /** @param {NodeJS.WritableStream} output */
  constructor(output) {
    this.#output = output;
  }

  /** @param {Picture} picture */
  show({ seconds, lap, backlog, delay, producers, status, alertLevel }) {
    const alive = producers.filter(({ isAlive }) => isAlive);
    const waiting = alive.reduce((sum, producer) => sum + producer.waiting, 0) / alive.length;
    const ownBytes = alive.reduce((sum, producer) => sum + producer.ownBytes, 0);
    this.#output.write(
      `${seconds.toFixed(1).padStart(5)} s  ${count(lap.perSecond).padStart(9)}/s  ` +
        `backlog ${mebibytes(backlog)}  p99 age ${lap.age} ms  ` +
        `${alive.length} producers wait ${percent(waiting)}, have ${mebibytes(ownBytes)}` +
        `${delay > 0 ? '  (slowed down)' : ''}\n`,
    );
    for (const { source, average } of status) {
      if (average > alertLevel === this.#isAlerted.has(source)) continue;
      if (average > alertLevel) this.#isAlerted.add(source);
      else this.#isAlerted.delete(source);
      const word = average > alertLevel ? 'ALERT' : 'ok   ';
      this.#output.write(`         ${word} ${source}: ${average.toFixed(1)} in the last 2 s\n`);
    }
  }

  close() {}
}

/** How far we are, on standard error: a bar on a terminal, otherwise a line now and then. */
import { SingleBar } from 'cli-progress';

const lineMilliseconds = 2000;
/** Looking at the clock for each of many small files would cost more than it tells. */
const filesPerLook = 256;

export class Progress {
  #bar;
  #total;
  #title;
  #done = 0;
  #lastLine = performance.now();

  /** @param {string} title @param {number} total files */
  constructor(title, total) {
    this.#title = title;
    this.#total = total;
    this.#bar = process.stderr.isTTY
      ? new SingleBar({
          format: `${title} {bar} {value}/{total} files, {eta_formatted} to go`,
          stream: process.stderr,
          hideCursor: true,
          clearOnComplete: true,
        })
      : undefined;
    this.#bar?.start(total, 0);
  }

  advance() {
    this.#done++;
    if (this.#done % filesPerLook !== 0) return;
    this.#bar?.update(this.#done);
    if (this.#bar || performance.now() - this.#lastLine < lineMilliseconds) return;
    this.#lastLine = performance.now();
    process.stderr.write(`${this.#title}: ${this.#done} of ${this.#total} files\n`);
  }

  stop() {
    this.#bar?.update(this.#done);
    this.#bar?.stop();
  }
}

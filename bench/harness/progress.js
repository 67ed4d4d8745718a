/** Where we are, on standard error: a bar on a terminal, otherwise a line now and then. */
import { SingleBar } from 'cli-progress';

const quietMilliseconds = 10_000;

export class Progress {
  #bar;
  #total;
  #done = 0;
  #question = '';
  #lastLine = 0;

  /** @param {number} total steps */
  constructor(total) {
    this.#total = total;
    this.#bar = process.stderr.isTTY
      ? new SingleBar({
          format: '{bar} {percentage} % | {duration_formatted} | {question}: {step}',
          stream: process.stderr,
          hideCursor: true,
          clearOnComplete: true,
        })
      : undefined;
    this.#bar?.start(total, 0, { question: 'starting', step: '' });
  }

  /** @param {string} question */
  begin(question) {
    this.#question = question;
    this.#bar?.update({ question, step: 'opening' });
    if (!this.#bar) this.#write('');
  }

  /** @param {string} step what comes now */
  at(step) {
    this.#bar?.update({ step });
    if (!this.#bar && Date.now() - this.#lastLine > quietMilliseconds) this.#write(`: ${step}`);
  }

  /** @param {string} step */
  #write(step) {
    this.#lastLine = Date.now();
    process.stderr.write(`[${this.#done}/${this.#total}] ${this.#question}${step}\n`);
  }

  advance(steps = 1) {
    this.#done += steps;
    this.#bar?.increment(steps);
  }

  /** Clears the bar's line, so that other output can take it; the bar comes back below. */
  makeRoom() {
    if (this.#bar) process.stderr.write('\r\u001B[K');
  }

  stop() {
    this.#bar?.stop();
  }
}

/** Where we are, on standard error: a bar on a terminal, otherwise a line now and then. */
import { SingleBar } from 'cli-progress';
import { clock } from './format.js';

const quietMilliseconds = 10_000;
/** From this share on, what was measured tells the duration better than the forecast. */
const enoughShare = 0.1;

/**
 * How long all of it will take, by what is done.
 * @param {{ forecast: number, done: number, elapsed: number }} seconds `done`: of the forecast
 * @returns {number} seconds
 */
export function expectedTotal({ forecast, done, elapsed }) {
  const share = done / forecast;
  return share < enoughShare ? Math.max(forecast, elapsed) : elapsed / share;
}

export class Progress {
  #bar;
  #forecast;
  #start = performance.now();
  #done = 0;
  #step = 0;
  #question = '';
  #lastLine = 0;

  /** @param {number} forecast seconds */
  constructor(forecast) {
    this.#forecast = forecast;
    this.#bar = process.stderr.isTTY
      ? new SingleBar({
          format: '{bar} {time} | {question}: {step}',
          stream: process.stderr,
          hideCursor: true,
          clearOnComplete: true,
        })
      : undefined;
    this.#bar?.start(forecast, 0, { question: 'starting', step: '', time: this.#time() });
  }

  #time() {
    const elapsed = (performance.now() - this.#start) / 1000;
    const total = expectedTotal({ forecast: this.#forecast, done: this.#done, elapsed });
    return `${clock(elapsed)} of about ${clock(total)}`;
  }

  /** @param {string} question @param {{ seconds: number, steps: number }} size its forecast */
  begin(question, { seconds, steps }) {
    this.#question = question;
    this.#step = seconds / steps;
    this.#bar?.update({ question, step: 'opening', time: this.#time() });
    if (!this.#bar) this.#write('');
  }

  /** @param {string} step what comes now */
  at(step) {
    this.#bar?.update({ step, time: this.#time() });
    if (!this.#bar && Date.now() - this.#lastLine > quietMilliseconds) this.#write(`: ${step}`);
  }

  /** @param {string} step */
  #write(step) {
    this.#lastLine = Date.now();
    process.stderr.write(`[${this.#time()}] ${this.#question}${step}\n`);
  }

  advance() {
    this.#done += this.#step;
    this.#bar?.update(this.#done);
  }

  /** Clears the bar's line, so that other output can take it; the bar comes back below. */
  makeRoom() {
    if (this.#bar) process.stderr.write('\r\u001B[K');
  }

  stop() {
    this.#bar?.stop();
  }
}

/** Shows how far the film is: bars on a terminal, else a line now and then. */
import cliProgress from 'cli-progress';

/**
 * @typedef {object} Now
 * @property {import('./tally.js').Tally} tally
 * @property {number | undefined} expected frames of the whole film
 * @property {number} slots
 * @property {import('zoosync').QueueStats} stats of the frames
 */

const linePause = 1000;
const barPause = 100;

/** @param {boolean} terminal @returns {{ pause: number, show(now: Now): void, end(): void }} */
export function makeProgress(terminal) {
  return terminal ? new Bars() : new Lines();
}

/** @param {Now} now */
function waitingTexts({ stats }) {
  return Object.entries(stats.groups).map(
    ([name, { backlog, dropped }]) => `${name} ${backlog}${dropped ? ` (${dropped} dropped)` : ''}`,
  );
}

class Lines {
  pause = linePause;

  /** @param {Now} now */
  show(now) {
    const { tally, expected, stats, slots } = now;
    process.stdout.write(
      `${tally.frames}${expected ? `/${expected}` : ''} frames, ${tally.framesPerSecond} per second, ` +
        `slots ${stats.messages}/${slots}, waiting: ${waitingTexts(now).join(', ')}; ` +
        `detectors: ${tally.perDetector.join(' ')}\n`,
    );
  }

  end() {}
}

class Bars {
  pause = barPause;
  #bars = new cliProgress.MultiBar(
    {
      format: '{title} {bar} {value}/{total} {text}',
      hideCursor: true,
      barsize: 30,
      clearOnComplete: false,
    },
    cliProgress.Presets.shades_classic,
  );
  /** @type {Map<string, import('cli-progress').SingleBar>} */
  #byTitle = new Map();

  /** @param {Now} now */
  show(now) {
    const { tally, stats, slots } = now;
    const expected = Math.max(now.expected ?? 0, tally.frames, 1);
    const speed = `frames, ${tally.framesPerSecond} per second, ${tally.boxes} moving`;
    this.#set('film', tally.frames, expected, speed);
    this.#set('slots', stats.messages, slots, `waiting: ${waitingTexts(now).join(', ')}`);
    for (const [index, frames] of tally.perDetector.entries()) {
      this.#set(`detector ${index + 1}`, frames, expected, 'frames');
    }
  }

  /** @param {string} title @param {number} value @param {number} total @param {string} text */
  #set(title, value, total, text) {
    const payload = { title: title.padEnd(11), text };
    const bar = this.#byTitle.get(title);
    if (bar === undefined) {
      this.#byTitle.set(title, this.#bars.create(total, value, payload));
    } else {
      bar.setTotal(total);
      bar.update(value, payload);
    }
  }

  end() {
    this.#bars.stop();
  }
}

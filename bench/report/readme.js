/** The part of README.md that a complete run writes. */
import { comparisonTable } from './tables.js';

const begin = '<!-- benchmarks: begin, written by npm run bench -- --publish -->';
const end = '<!-- benchmarks: end -->';

/**
 * @param {string} text
 * @param {string} content what goes between the two marks
 * @returns {string}
 */
export function replaceMarked(text, content) {
  const first = text.indexOf(begin);
  const last = text.indexOf(end);
  const isOnce = first === text.lastIndexOf(begin) && last === text.lastIndexOf(end);
  if (first < 0 || last < first || !isOnce) {
    throw new Error(`README.md needs these two comments once, in this order: ${begin} ${end}`);
  }
  return `${text.slice(0, first + begin.length)}\n\n${content.trim()}\n\n${text.slice(last)}`;
}

/** @param {import('./results.js').Stored[]} stored of one complete run @returns {string} */
export function readmeSection(stored) {
  const [{ machine, rounds }] = stored;
  const day = machine.date.slice(0, 10);
  return `${comparisonTable(stored)}

Medians of ${rounds} rounds, zoosync beside the best of its peers in the same run: ${machine.processor},
${machine.processors} processors, Node ${machine.node}, ${day}.
[Every figure, every contender](docs/benchmarks.md)

![How many times faster than the best peer](docs/benchmarks/overview.svg)`;
}

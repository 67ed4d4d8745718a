/** What a torture program was asked to do, what it did, and what it found. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** @typedef {{ seconds: number, seed: number, report: string, only: string }} Request */

/**
 * Reads the command line: `--seconds`, `--seed`, `--report FILE` and `--only PART`.
 * @param {string} part name of the program, and of its report
 * @returns {Request}
 */
export function readRequest(part) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '20' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      report: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  });
  const seconds = Number(values.seconds);
  const seed = Number(values.seed);
  if (!(seconds > 0) || !Number.isInteger(seed)) {
    process.stderr.write(`${part}: --seconds and --seed are numbers\n`);
    process.exit(2);
  }
  const report = values.report ?? path.join('out', 'torture', `${part}-${seed}.json`);
  return { seconds, seed, report, only: values.only };
}

/** Most violations that are kept whole. */
const mostKept = 50;
const progressEvery = 30_000;
/** Counts that are in the line that sums it up. */
const shown = [
  'tasks',
  'messages',
  'sections',
  'values',
  'kills',
  'stops',
  'terminations',
  'deaths',
];

export class Report {
  /** @param {string} part @param {Request} request */
  constructor(part, request) {
    this.part = part;
    this.request = request;
    this.begun = performance.now();
    /** What was done, and how often. @type {Record<string, number>} */
    this.counts = {};
    /** @type {string[]} */
    this.violations = [];
    this.found = 0;
    /** The longest time that something took which has to be quick. @type {Record<string, number>} */
    this.longest = {};
    setInterval(() => process.stdout.write(`${this.#summary()}\n`), progressEvery).unref();
  }

  /** @param {string} what @param {number} [times] */
  count(what, times = 1) {
    this.counts[what] = (this.counts[what] ?? 0) + times;
  }

  /** @param {string} what @param {number} milliseconds */
  took(what, milliseconds) {
    this.longest[what] = Math.max(this.longest[what] ?? 0, Math.round(milliseconds));
  }

  /** A promise was broken. @param {string} text */
  violation(text) {
    this.found += 1;
    if (this.violations.length < mostKept) this.violations.push(text);
    process.stdout.write(`VIOLATION: ${text}\n`);
  }

  /** One line. */
  #summary() {
    const seconds = Math.round((performance.now() - this.begun) / 1000);
    const done = shown
      .filter((what) => this.counts[what] !== undefined)
      .map((what) => `${this.counts[what]} ${what}`);
    const { part, request, found } = this;
    return `${part}: seed ${request.seed}, ${seconds} s, ${done.join(', ')}, ${found} violations`;
  }

  /** Writes the report, and ends the process with 0 or 1. @returns {never} */
  finish() {
    const { part, request, counts, longest, violations, found } = this;
    const seconds = Math.round((performance.now() - this.begun) / 1000);
    mkdirSync(path.dirname(request.report), { recursive: true });
    writeFileSync(
      request.report,
      `${JSON.stringify({ part, seed: request.seed, seconds, counts, longest, found, violations }, null, 2)}\n`,
    );
    for (const [what, times] of Object.entries(counts).sort()) {
      process.stdout.write(`  ${String(times).padStart(9)} ${what}\n`);
    }
    for (const [what, milliseconds] of Object.entries(longest).sort()) {
      process.stdout.write(`  ${String(milliseconds).padStart(9)} ms at most: ${what}\n`);
    }
    for (const text of violations) process.stdout.write(`  violation: ${text}\n`);
    process.stdout.write(`${this.#summary()}\n`);
    process.exit(found === 0 ? 0 : 1);
  }
}

/** Measures one question: contenders in turn, round after round. */
import { Contender } from './contender.js';
import { LatencyHistogram, median, summarizePoints } from './statistics.js';
import { Unavailable } from './unavailable.js';

/**
 * @typedef {import('./types.d.ts').Question} Question
 * @typedef {import('./types.d.ts').Pace} Pace
 * @typedef {import('./types.d.ts').Sample} Sample
 * @typedef {import('./types.d.ts').Outcome} Outcome
 */

/** A contender in the race, with what it gave so far. */
class Runner {
  /** @type {Sample[]} */
  samples = [];
  /** @type {string | undefined} */
  absent;
  failed = false;
  amount = 1;

  /**
   * @param {import('./types.d.ts').ContenderDescription} description
   * @param {Contender} contender
   */
  constructor(description, contender) {
    this.description = description;
    this.contender = contender;
  }

  /** Keeps what broke one contender away from the others. @param {() => Promise<void>} step */
  async attempt(step) {
    if (this.absent !== undefined) return;
    try {
      await step();
    } catch (error) {
      this.failed = !(error instanceof Unavailable);
      this.absent = error instanceof Error ? error.message : String(error);
      if (this.failed) process.stderr.write(`\n${this.description.name}: ${this.absent}\n`);
    }
  }
}

/**
 * Repeats with growing amounts until warm, then knows how many operations fill a round.
 * @param {Runner} runner
 * @param {Pace} pace
 */
async function warmUp(runner, pace) {
  // The first one waits until the other side has started, and so says nothing about speed.
  await runner.contender.run(1);
  let spent = 0;
  let amount = 16;
  while (true) {
    const { operations, seconds } = await runner.contender.run(amount);
    spent += seconds;
    const needed = Math.max(1, Math.ceil((operations / seconds) * pace.seconds));
    const isLongEnough = seconds >= pace.seconds / 8;
    if (isLongEnough && spent >= pace.warmUpSeconds) {
      runner.amount = needed;
      return;
    }
    // Cold code says little about warm code, so grow step by step.
    amount = Math.min(needed, operations * 8);
  }
}

/** @param {Runner} runner @param {Question} question @returns {Outcome} */
function outcome({ description, absent, failed, samples }, question) {
  const values = samples.map((sample) => question.value(sample));
  const hasLatencies = samples.some(({ latencies }) => latencies !== undefined);
  const histogram = new LatencyHistogram();
  for (const { latencies = [] } of samples) histogram.add(latencies);
  /** @type {Record<string, number[]>} */
  const figures = {};
  for (const sample of samples) {
    for (const [name, figure] of Object.entries(sample.figures ?? {})) {
      (figures[name] ??= []).push(figure);
    }
  }
  return {
    name: description.name,
    role: description.role,
    ...(absent === undefined ? {} : { absent, failed }),
    values,
    median: median(values),
    lowest: Math.min(...values),
    highest: Math.max(...values),
    ...(hasLatencies ? { latency: histogram.summary() } : {}),
    ...(question.curve
      ? { points: summarizePoints(samples.map(({ points }) => points ?? [])) }
      : {}),
    figures,
  };
}

/**
 * @param {Question} question
 * @param {Pace} pace
 * @param {{ prefix: string, processors: number[], progress: import('./progress.js').Progress }} context
 * @returns {Promise<import('./types.d.ts').Result>}
 */
export async function measure(question, pace, { prefix, processors, progress }) {
  const start = performance.now();
  const seconds = Math.max(pace.seconds, question.seconds ?? 0);
  const ownPace = pace.quick ? pace : { ...pace, seconds };
  const amount = question.amount?.(ownPace);
  const patience = amount === undefined ? 120_000 : 900_000;
  const runners = question.contenders.map((description, index) => {
    const names = `${prefix}${question.id}-${index}`;
    const options = { bytes: question.bytes, processors, prefix: names };
    return new Runner(
      description,
      new Contender(description, { ...options, ...description.options }, { patience }),
    );
  });
  try {
    for (const runner of runners) {
      progress.at(`${runner.description.name}, warm-up`);
      await runner.attempt(async () => {
        await runner.contender.open();
        if (amount === undefined) await warmUp(runner, ownPace);
        else runner.amount = amount;
      });
      progress.advance();
    }
    for (let round = 0; round < pace.rounds; round += 1) {
      // Everyone is first once, so that nobody always follows the same neighbour.
      const first = round % runners.length;
      for (const runner of [...runners.slice(first), ...runners.slice(0, first)]) {
        progress.at(`${runner.description.name}, round ${round + 1} of ${pace.rounds}`);
        await runner.attempt(async () => {
          runner.samples.push(await runner.contender.run(runner.amount));
        });
        progress.advance();
      }
    }
  } finally {
    await Promise.all(runners.map(({ contender }) => contender.close()));
  }
  const outcomes = runners.map((runner) => outcome(runner, question));
  const verdict = question.verdict(outcomes);
  return {
    id: question.id,
    part: question.part,
    title: question.title,
    touched: question.touched,
    unit: question.unit,
    better: question.better,
    ...(question.curve ? { curve: question.curve } : {}),
    rounds: pace.rounds,
    quick: pace.quick,
    long: pace.long,
    took: (performance.now() - start) / 1000,
    outcomes,
    ...(verdict ? { verdict } : {}),
  };
}

/** How long is measured, and how long that takes. */

/**
 * @typedef {import('./types.d.ts').Pace} Pace
 * @typedef {import('./types.d.ts').Question} Question
 * @typedef {import('./types.d.ts').Result} Result
 */

/** @type {Record<'quick' | 'usual' | 'long', Pace>} */
export const paces = {
  quick: { rounds: 1, seconds: 0.05, warmUpSeconds: 0.02, quick: true, long: false },
  usual: { rounds: 5, seconds: 0.2, warmUpSeconds: 0.25, quick: false, long: false },
  long: { rounds: 7, seconds: 0.5, warmUpSeconds: 0.5, quick: false, long: true },
};

/** What is published is of at least so many. */
export const roundsToPublish = 5;

/** @param {{ quick?: boolean, long?: boolean, rounds?: number | undefined }} wanted @returns {Pace} */
export function paceOf({ quick = false, long = false, rounds }) {
  const pace = paces[quick ? 'quick' : long ? 'long' : 'usual'];
  return { ...pace, rounds: rounds ?? pace.rounds };
}

/** Until a contender and its partner are there; and until they are gone. */
const openSeconds = 0.5;

/** Seconds of a round where the question says how much is done, not how long. */
const amountSeconds = 1.5;

/** @param {Question} question @param {Pace} pace @returns {number} of one round of one contender */
function roundSeconds({ amount, forecast = amountSeconds, seconds }, pace) {
  if (!amount) return pace.quick ? pace.seconds : Math.max(pace.seconds, seconds ?? 0);
  // Where more is done in a long run, the time grows with it.
  return (forecast * amount(pace)) / amount({ ...paces.usual, rounds: pace.rounds });
}

/** @param {Question} question @param {Pace} pace */
export const stepsOf = ({ contenders }, { rounds }) => contenders.length * (rounds + 1);

/**
 * @param {Question} question
 * @param {Pace} pace
 * @param {Result} [earlier] of the same question, on this machine
 * @returns {number} seconds that the question will take about
 */
export function forecastOf(question, pace, earlier) {
  const isAlike =
    earlier?.rounds === pace.rounds &&
    earlier.long === pace.long &&
    earlier.quick === pace.quick &&
    earlier.outcomes.length === question.contenders.length;
  if (isAlike) return earlier.took;
  const warmUp = question.amount ? 0 : 1.5 * pace.warmUpSeconds;
  const rounds = pace.rounds * roundSeconds(question, pace);
  return question.contenders.length * (openSeconds + warmUp + rounds);
}

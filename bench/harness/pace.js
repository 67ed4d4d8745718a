/** How long is measured, and how long that takes. */

/**
 * @typedef {import('./types.d.ts').Pace} Pace
 * @typedef {import('./types.d.ts').Question} Question
 */

/** @type {Record<'quick' | 'usual' | 'long', Pace>} */
export const paces = {
  quick: { rounds: 1, seconds: 0.05, warmUpSeconds: 0.02, quick: true, long: false },
  usual: { rounds: 5, seconds: 0.2, warmUpSeconds: 0.25, quick: false, long: false },
  long: { rounds: 7, seconds: 0.5, warmUpSeconds: 0.5, quick: false, long: true },
};

/** @param {{ quick?: boolean, long?: boolean, rounds?: number | undefined }} wanted @returns {Pace} */
export function paceOf({ quick = false, long = false, rounds }) {
  const pace = paces[quick ? 'quick' : long ? 'long' : 'usual'];
  return { ...pace, rounds: rounds ?? pace.rounds };
}

/** Until a contender and its partner are there; and until they are gone. */
const openSeconds = 0.5;

/** Seconds of a round where the question says how much is done, not how long. */
const forecastWithoutWord = 1.5;

/** @param {Question} question @param {Pace} pace @returns {number} seconds of one round of one contender */
export function roundSeconds({ amount, forecast, seconds }, pace) {
  if (amount) {
    const usual = forecast ?? forecastWithoutWord;
    // Where more is done in a long run, the time grows with it.
    return (usual * amount(pace)) / amount({ ...paces.usual, rounds: pace.rounds });
  }
  return pace.quick ? pace.seconds : (seconds ?? pace.seconds);
}

/** @param {Question} question @param {Pace} pace @returns {number} seconds until the rounds begin */
export function openingSeconds({ amount }, pace) {
  return openSeconds + (amount ? 0 : 1.5 * pace.warmUpSeconds);
}

/** @param {Question} question @param {Pace} pace @returns {number} seconds */
export const questionSeconds = (question, pace) =>
  question.contenders.length *
  (openingSeconds(question, pace) + pace.rounds * roundSeconds(question, pace));

/** Which plots are drawn of which figures. */
import { barCharts, overviewChart } from './bars.js';
import { latencyChart, lineChart } from './lines.js';
import { comparisons } from './rows.js';

/**
 * @typedef {import('../harness/types.d.ts').Result} Result
 * @typedef {import('../harness/types.d.ts').Outcome} Outcome
 *
 * @typedef {object} Plot
 * @property {string} name of its file
 * @property {string} title
 * @property {string} after a part, the question below whose figures it is shown, or `overview`
 * @property {() => Promise<string>} svg
 */

/** Both kinds of round trips belong into one picture: what waiting costs is the question. */
const roundTrips = [
  { id: 'queue-round-trip-blocking', suffix: 'blocking' },
  { id: 'queue-round-trip-event-loop', suffix: 'event loop' },
];

/** More lines could not be told apart. */
const mostRoundTripPeers = 4;

/** @param {readonly Result[]} results @returns {Outcome[]} ours, the limits, and the best peers */
function roundTripLines(results) {
  const all = roundTrips.flatMap(({ id, suffix }) => {
    const result = results.find((other) => other.id === id);
    return (result?.outcomes ?? [])
      .filter(({ latency, values }) => latency && values.length > 0)
      .map((outcome) =>
        outcome.role === 'ours' ? { ...outcome, name: `${outcome.name}, ${suffix}` } : outcome,
      );
  });
  const peers = all
    .filter(({ role }) => role === 'peer')
    .sort((a, b) => a.median - b.median)
    .slice(0, mostRoundTripPeers);
  return [...all.filter(({ role }) => role === 'ours' || role === 'limit'), ...peers];
}

/** @param {readonly Result[]} results @returns {Plot[]} those for which there are figures */
export function plotsOf(results) {
  const compared = comparisons(results).filter(({ row }) => row.plotted);
  const overviewTitle = 'How many times faster than the best peer';
  const overview = {
    name: 'overview',
    title: overviewTitle,
    after: 'overview',
    svg: () => overviewChart(overviewTitle, compared),
  };

  const lines = roundTripLines(results);
  const roundTripTitle = '64 B there and back: how long the slower ones take';
  const roundTrip = {
    name: 'round-trip',
    title: roundTripTitle,
    after: roundTrips.at(-1)?.id ?? '',
    svg: () => latencyChart(roundTripTitle, lines),
  };

  const curves = results
    .filter(({ curve, outcomes }) => curve && outcomes.some(({ points = [] }) => points.length > 0))
    .map((result) => ({
      name: result.id,
      title: result.title,
      after: result.id,
      svg: () => lineChart(result),
    }));

  const parts = [...new Set(results.map(({ part }) => part))].flatMap((part) => {
    const own = results.filter((result) => result.part === part && !result.curve);
    const title = `Medians of all contenders of the part ${part}`;
    return own.length > 0 ? [{ name: part, title, after: part, svg: () => barCharts(own) }] : [];
  });

  return [
    ...(compared.length > 0 ? [overview] : []),
    ...(lines.length > 0 ? [roundTrip] : []),
    ...curves,
    ...parts,
  ];
}

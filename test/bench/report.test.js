/** What the bench makes of figures, without measuring anything. */
import { describe, expect, it } from 'vitest';
import { clock, duration, quantity, times } from '../../bench/harness/format.js';
import { forecastOf, paceOf } from '../../bench/harness/pace.js';
import { expectedTotal } from '../../bench/harness/progress.js';
import { LatencyHistogram, median, summarizePoints } from '../../bench/harness/statistics.js';
import { questions } from '../../bench/questions/index.js';
import { pageOf } from '../../bench/report/page.js';
import { plotsOf } from '../../bench/report/plots.js';
import { replaceMarked } from '../../bench/report/readme.js';
import { comparisons, ratioText, rows } from '../../bench/report/rows.js';
import { comparisonTable } from '../../bench/report/tables.js';

/** @typedef {import('../../bench/harness/types.d.ts').Outcome} Outcome */
/** @typedef {import('../../bench/report/results.js').Stored} Stored */

/** @param {string} name @param {Outcome['role']} role @param {number[]} values @returns {Outcome} */
const outcome = (name, role, values) => ({
  name,
  role,
  values,
  median: median(values),
  lowest: Math.min(...values),
  highest: Math.max(...values),
  figures: {},
});

/** @param {Partial<Stored>} [more] @returns {Stored} */
const stored = (more = {}) => ({
  format: 2,
  machine: {
    date: '2026-01-02T03:04:05.000Z',
    processor: 'some',
    processors: '2 of 2 usable',
    memory: '8 GiB',
    kernel: 'Linux',
    node: 'v20',
    zoosync: '0.1.0',
    packages: {},
  },
  id: 'queue-single',
  part: 'queue',
  title: 'messages',
  touched: 'everything',
  unit: 'msg/s',
  better: 'more',
  rounds: 5,
  quick: false,
  long: false,
  took: 1,
  outcomes: [outcome('zoosync', 'ours', [40, 50, 60]), outcome('socket', 'peer', [9, 10, 11])],
  ...more,
});

describe('statistics', () => {
  it('take the median of odd, even and no numbers', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('put the points of all rounds together, from the left to the right', () => {
    const rounds = [
      [
        { x: 8, value: 3 },
        { x: 1, value: 10 },
      ],
      [{ x: 1, value: 20 }],
      [{ x: 1, value: 60 }],
    ];
    expect(summarizePoints(rounds)).toEqual([
      { x: 1, median: 20, lowest: 10, highest: 60 },
      { x: 8, median: 3, lowest: 3, highest: 3 },
    ]);
  });

  it('keep the distribution of latencies as far out as there are any', () => {
    const latencies = Array.from({ length: 1000 }, (_, index) => index + 1);
    const { p50, p99, p999, highest, count, distribution } = new LatencyHistogram()
      .add(latencies)
      .summary();
    expect([p50, p99, p999, highest, count]).toEqual([500, 990, 999, 1000, 1000]);
    expect(distribution[0]).toEqual({ share: 0, nanoseconds: 1 });
    expect(distribution.at(-1)).toEqual({ share: 0.999, nanoseconds: 999 });
    const nanoseconds = distribution.map((point) => point.nanoseconds);
    expect(nanoseconds).toEqual(nanoseconds.toSorted((a, b) => a - b));
  });
});

describe('numbers for readers', () => {
  it('have three digits that count', () => {
    expect(quantity(6_270_000, 'msg/s')).toBe('6.27 M msg/s');
    expect(quantity(2_390_000_000, 'B/s')).toBe('2.39 GB/s');
    expect(quantity(64, 'B/s')).toBe('64.0 B/s');
    expect(duration(1470)).toBe('1.47 µs');
    expect(times(10.23)).toBe('10.2x');
    expect([ratioText(34.8), ratioText(8.23), ratioText(0.45)]).toEqual(['35x', '8.2x', '0.45x']);
    expect(clock(452)).toBe('7:32');
  });
});

describe('forecast', () => {
  const [question] = questions;

  it('is what an alike run took, or comes from the pace', () => {
    const pace = paceOf({});
    const outcomes = question.contenders.map(({ name, role }) => outcome(name, role, []));
    const earlier = stored({ rounds: pace.rounds, took: 123, outcomes });
    expect(forecastOf(question, pace, earlier)).toBe(123);
    const unlike = forecastOf(question, paceOf({ long: true }), earlier);
    expect(unlike).toBeGreaterThan(forecastOf(question, pace));
  });

  it('follows what was measured as soon as enough was', () => {
    expect(expectedTotal({ forecast: 100, done: 1, elapsed: 5 })).toBe(100);
    expect(expectedTotal({ forecast: 100, done: 50, elapsed: 60 })).toBe(120);
  });
});

describe('the table of the README', () => {
  it('has rows whose questions and contenders exist', () => {
    for (const { id, ours, also } of rows) {
      const contenders = questions.find((one) => one.id === id)?.contenders ?? [];
      const names = contenders.map(({ name }) => name);
      expect(names, id).toContain(ours);
      if (also) expect(names, id).toContainEqual(expect.stringMatching(also));
    }
  });

  it('compares with the best peer, and keeps what is lost', () => {
    const slower = stored({
      id: 'streams-operators',
      unit: 'ns',
      better: 'less',
      outcomes: [
        outcome('zoosync', 'ours', [30]),
        outcome('slow', 'peer', [300]),
        outcome('fast', 'peer', [15]),
        outcome('limit', 'limit', [1]),
      ],
    });
    const faster = stored({
      id: 'streams-channel',
      outcomes: [outcome('zoosync, to(channel)', 'ours', [5]), outcome('socket', 'peer', [1])],
    });
    const all = comparisons([faster, slower]);
    expect(all.map(({ peer, ratio }) => [peer.name, ratio])).toEqual([
      ['socket', 5],
      ['fast', 0.5],
    ]);
    expect(comparisonTable([slower])).toContain('| 30.0 ns | 15.0 ns (fast) | 0.50x |');
  });

  it('is put between its two marks, again and again', () => {
    const begin = '<!-- benchmarks: begin, written by npm run bench -- --publish -->';
    const end = '<!-- benchmarks: end -->';
    const text = `before\n${begin}\nold\n${end}\nafter\n`;
    const once = replaceMarked(text, 'new\n');
    expect(once).toBe(`before\n${begin}\n\nnew\n\n${end}\nafter\n`);
    expect(replaceMarked(once, 'new')).toBe(once);
    for (const wrong of ['nothing', `${end}${begin}`, `${begin}${begin}${end}`]) {
      expect(() => replaceMarked(wrong, 'new')).toThrow('two comments once');
    }
  });
});

describe('the page', () => {
  it('says which figures are of which run', () => {
    const other = stored();
    const later = { ...stored({ id: 'queue-batch' }), machine: { ...other.machine, date: '2027' } };
    const context = { plots: [], folder: '' };
    expect(pageOf([other], context)).not.toContain('of 2 runs');
    const mixed = pageOf([other, later], context);
    expect(mixed).toContain('These figures are of 2 runs');
    expect(mixed).toContain('Measured 2027');
  });

  it('names those that were absent, without the place of this clone', () => {
    const gone = { ...outcome('gone', 'peer', []), absent: `no ${process.cwd()}/x\nstack` };
    const page = pageOf([stored({ outcomes: [gone] })], { plots: [], folder: '' });
    expect(page).toContain('gone is absent: no x.');
    expect(page).not.toContain(process.cwd());
  });

  it('has plots of curves, contenders and ratios', async () => {
    const points = [1, 64, 2 ** 26].map((x) => ({ x, median: x, lowest: x, highest: 2 * x }));
    const curve = stored({
      id: 'a-curve',
      curve: { x: 'bytes of a message', y: 'throughput', scale: 'log' },
      outcomes: [{ ...outcome('zoosync', 'ours', [1]), points }],
    });
    const plots = plotsOf([stored(), curve]);
    expect(plots.map(({ name }) => name)).toEqual(['overview', 'a-curve', 'queue']);
    for (const { svg } of plots) expect(await svg()).toMatch(/^<svg[^]*<\/svg>$/);
  });
});

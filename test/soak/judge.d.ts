/** The types of judge.js for the tests. */
interface Series {
  process: string;
  quantity: string;
  seconds: number[];
  values: number[];
}

interface Verdict {
  process: string;
  quantity: string;
  start: number;
  middle: number;
  end: number;
  growth: number;
  allowed: number;
  isFlat: boolean;
}

export function slopeOf(times: number[], values: number[]): number;
export function judge(series: Series): Verdict;
export function table(verdicts: Verdict[]): string;

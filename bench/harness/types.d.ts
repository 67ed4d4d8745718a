/** One measurement of one contender. */
export interface Sample {
  /** How many messages, frames, lock pairs or kills were done. */
  operations: number;
  seconds: number;
  /** Nanoseconds of each operation, where latency is the question. */
  latencies?: readonly number[] | Float64Array;
  /** Further figures that belong to the question, by name. */
  figures?: Record<string, number>;
  /** Of a curve: the value at each x, in the unit of the question. */
  points?: readonly Point[];
}

/** A point of a curve. */
export interface Point {
  x: number;
  value: number;
}

/** A point of a curve over all rounds. */
export interface PointSummary {
  x: number;
  median: number;
  lowest: number;
  highest: number;
}

/** What `open` of a contender gives: it stays open over all rounds. */
export interface Session {
  run(amount: number): Sample | Promise<Sample>;
  close(): void | Promise<void>;
}

/** What every contender is given; its question may add more. */
export interface ContenderOptions {
  /** Begins the name of every segment, socket and file that the contender makes. */
  prefix: string;
  /** Processors to use, those that share no core first. */
  processors: readonly number[];
  /** Bytes of a message. */
  bytes: number;
  [name: string]: unknown;
}

/** `ours` is judged; `peer` and `limit` make the bar; `beside` is only shown. */
export type Role = 'ours' | 'peer' | 'limit' | 'beside';

export interface ContenderDescription {
  name: string;
  role: Role;
  /** Below `bench/contenders`. */
  file: string;
  options?: Record<string, unknown>;
  /** The version of Node that runs it, from `out/nodes`; otherwise the one that runs the bench. */
  node?: NodeMajor;
}

export type NodeMajor = '20' | '22' | '24' | '26';

/** How long to measure. */
export interface Pace {
  rounds: number;
  /** Seconds of one round of one contender. */
  seconds: number;
  warmUpSeconds: number;
  quick: boolean;
  /** As long as it takes: long rounds, and as many kills as the targets ask for. */
  long: boolean;
}

/** A row of the summary. */
export interface Verdict {
  /** What was measured, with its unit. */
  figure: string;
  bar: string;
  ratio: string;
  target: string;
  reached: boolean;
}

export interface Question {
  id: string;
  part: string;
  title: string;
  /** What happens to the bytes on both sides. */
  touched: string;
  unit: string;
  better: 'more' | 'less';
  bytes: number;
  contenders: ContenderDescription[];
  /** The figure of one round. */
  value(sample: Sample): number;
  /** Operations per round, when they are too slow to be counted by time. */
  amount?(pace: Pace): number;
  /** Seconds per round, when the usual ones are too short. */
  seconds?: number;
  /** Seconds that a round of one contender takes about, where `amount` decides; for the forecast. */
  forecast?: number;
  /**
   * Each contender is a line: its samples have `points`, and it measures at all x itself. The titles of
   * the axes; y is in the unit of the question, and `scale` is that of x.
   */
  curve?: Curve;
  verdict(outcomes: Outcome[]): Verdict | undefined;
}

export interface Curve {
  x: string;
  y: string;
  scale: 'log' | 'linear';
}

/** Nanoseconds over all rounds. */
export interface LatencySummary {
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  highest: number;
  count: number;
  /** The whole distribution: latencies below which a share of all is. */
  distribution: { share: number; nanoseconds: number }[];
}

/** All that is known about one contender of one question at the end. */
export interface Outcome {
  name: string;
  role: Role;
  /** Why there are no figures. */
  absent?: string;
  /** The contender was there and broke. */
  failed?: boolean;
  values: number[];
  median: number;
  lowest: number;
  highest: number;
  latency?: LatencySummary;
  points?: PointSummary[];
  figures: Record<string, number[]>;
}

export interface Result {
  id: string;
  part: string;
  title: string;
  touched: string;
  unit: string;
  better: 'more' | 'less';
  curve?: Curve;
  rounds: number;
  quick: boolean;
  long: boolean;
  /** Seconds that all of it took. */
  took: number;
  outcomes: Outcome[];
  verdict?: Verdict;
}

export interface Machine {
  date: string;
  processor: string;
  processors: string;
  memory: string;
  kernel: string;
  node: string;
  zoosync: string;
  packages: Record<string, string>;
}

/** One measurement of one contender. */
export interface Sample {
  /** How many messages, frames, lock pairs or kills were done. */
  operations: number;
  seconds: number;
  /** Nanoseconds of each operation, where latency is the question. */
  latencies?: readonly number[] | Float64Array;
  /** Further figures that belong to the question, by name. */
  figures?: Record<string, number>;
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
}

/** How long to measure. */
export interface Pace {
  rounds: number;
  /** Seconds of one round of one contender. */
  seconds: number;
  warmUpSeconds: number;
  quick: boolean;
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
  verdict(outcomes: Outcome[]): Verdict | undefined;
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
  /** Nanoseconds over all rounds. */
  latency?: { p50: number; p90: number; p99: number; highest: number; count: number };
  figures: Record<string, number[]>;
}

export interface Result {
  id: string;
  part: string;
  title: string;
  touched: string;
  unit: string;
  better: 'more' | 'less';
  rounds: number;
  quick: boolean;
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

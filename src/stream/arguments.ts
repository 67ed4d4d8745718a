/** Checks of arguments that several methods of a stream share. */
import { invalidArgumentType, invalidArgumentValue, outOfRange } from '../errors.js';
import { checkOptions, parseCount, parseSignal } from '../options.js';

/** The longest delay that `setTimeout` keeps. */
const longestTimer = 2 ** 31 - 1;

/** What ends an operation early. */
export interface SignalOptions {
  /** Rejects with an `AbortError` and cancels the stream up to its source. */
  signal?: AbortSignal | undefined;
}

/** Refuses what cannot be called. */
export function checkCallback(argument: string, callback: unknown): void {
  if (typeof callback !== 'function') {
    throw invalidArgumentType(argument, 'a function', callback);
  }
}

/** Checks `{ signal }`. */
export function parseSignalOption(options: unknown): AbortSignal | undefined {
  if (options === undefined) return undefined;
  return parseSignal(checkOptions<SignalOptions>('options', options, ['signal']).signal);
}

export function parseNumber(argument: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidArgumentType(argument, 'a number', value);
  return value;
}

/** A whole number, `least` or more, where `Infinity` is one too. */
export function parseAmount(argument: string, value: unknown, least: number): number {
  const amount = parseNumber(argument, value);
  if ((Number.isInteger(amount) || amount === Infinity) && amount >= least) return amount;
  throw outOfRange(argument, `a whole number, ${least} or more`, value);
}

/** Milliseconds of which some have to pass. */
export function parseMilliseconds(option: string, value: unknown): number {
  const milliseconds = parseNumber(option, value);
  if (milliseconds > 0 && milliseconds <= longestTimer) return milliseconds;
  throw outOfRange(option, `a number of milliseconds above 0, up to ${longestTimer}`, value);
}

/** Checks the three numbers of a range. */
export function parseRange(start: unknown, end: unknown, step: unknown): void {
  for (const [argument, value] of Object.entries({ start, step })) {
    if (!Number.isFinite(parseNumber(argument, value))) {
      throw outOfRange(argument, 'a finite number', value);
    }
  }
  if (Number.isNaN(parseNumber('end', end))) throw outOfRange('end', 'a number', end);
  if (step === 0) throw outOfRange('step', 'a number other than 0', step);
}

/** Overlapping groups by number, or by the time of the items. */
export type WindowOptions<T> =
  | {
      /** Items in a window: 1 or more. */
      size: number;
      /** Items from the beginning of one window to that of the next: 1 or more, default 1. */
      step?: number | undefined;
    }
  | {
      /** Milliseconds that a window reaches back from its last item, which are included. */
      ms: number;
      /** The time of an item, in milliseconds. */
      at: (item: T) => number;
    };

type WindowPlan<T> =
  | { readonly kind: 'count'; readonly size: number; readonly step: number }
  | { readonly kind: 'time'; readonly ms: number; readonly at: (item: T) => number };

/** Checks the options of `window`. */
export function parseWindow<T>(options: unknown): WindowPlan<T> {
  if (options === undefined) throw invalidArgumentType('options', 'an object', options);
  type All = { size: number; step: number; ms: number; at: (item: T) => number };
  const { size, step, ms, at } = checkOptions<All>('options', options, [
    'size',
    'step',
    'ms',
    'at',
  ]);
  const byTime = ms !== undefined || at !== undefined;
  if (byTime && (size !== undefined || step !== undefined)) {
    throw invalidArgumentValue('options', options, 'give { size, step } or { ms, at }, not both');
  }
  if (!byTime) return { kind: 'count', size: parseCount('size', size), step: parseStep(step) };
  checkCallback('at', at);
  return { kind: 'time', ms: parseMilliseconds('ms', ms), at: at! };
}

function parseStep(step: unknown): number {
  return step === undefined ? 1 : parseCount('step', step);
}

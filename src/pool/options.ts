/** Options of a pool and of its calls: what a user writes, checked and with its defaults. */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ResourceLimits } from 'node:worker_threads';
import { parseCodec, type ValueCodec } from '../codec.js';
import { ZooError, invalidArgumentType, invalidArgumentValue, outOfRange } from '../errors.js';
import { checkOptions, parseBytes, parseInteger, parseSignal } from '../options.js';
import type { HostOptions } from './host.js';
import type { WorkerLimits } from './lifecycle.js';
import { placeOfKey } from './scheduler.js';
import type { TaskDemands } from './task.js';
import type { MapOptions, PoolOptions, RunOptions } from './types.js';

const poolOptionNames = [
  'kind',
  'workers',
  'idleTimeout',
  'data',
  'retries',
  'timeout',
  'queueTimeout',
  'killAfter',
  'maxQueue',
  'overflow',
  'concurrency',
  'maxTasksPerWorker',
  'maxMemory',
  'size',
  'codec',
  'env',
  'argv',
  'execArgv',
  'cwd',
  'nice',
  'resourceLimits',
  'stdio',
] as const;
const runOptionNames = [
  'signal',
  'timeout',
  'queueTimeout',
  'priority',
  'key',
  'retries',
  'onProgress',
] as const;
const mapOptionNames = ['concurrency', 'ordered', 'chunk', ...runOptionNames] as const;

const largest = Number.MAX_SAFE_INTEGER;
const mostWorkers = 1024;
const smallestRing = 64 * 1024;

/** Everything that a pool was told, checked. */
export interface PoolSettings {
  /** The module as workers import it. */
  readonly module: string;
  readonly limits: WorkerLimits;
  readonly idleTimeout: number;
  readonly data: unknown;
  readonly killAfter: number;
  readonly maxQueue: number;
  readonly overflow: 'reject' | 'wait';
  readonly concurrency: number;
  readonly maxTasksPerWorker: number;
  readonly maxMemory: number | undefined;
  readonly ringBytes: number;
  readonly codec: string;
  readonly codecModule: string | undefined;
  readonly nice: number | undefined;
  readonly host: HostOptions;
  /** What calls get that do not say otherwise. */
  readonly defaults: Pick<TaskDemands, 'timeout' | 'queueTimeout' | 'retries'>;
}

export function parsePoolOptions(module: unknown, options: unknown): PoolSettings {
  const given = checkOptions<PoolOptions>('options', options, poolOptionNames);
  const kind = parseChoice('kind', given.kind, ['process', 'thread']);
  const { codec, codecModule } = parsePoolCodec(given.codec);
  const cwd = parseText('cwd', given.cwd);
  if (cwd !== undefined && kind === 'thread') {
    throw invalidArgumentValue('cwd', cwd, 'threads share the directory of their process');
  }
  return {
    module: parseModule('module', module),
    limits: parseWorkers(given.workers),
    idleTimeout: parseTime('idleTimeout', given.idleTimeout) ?? 30_000,
    data: given.data,
    killAfter: parseTime('killAfter', given.killAfter) ?? 500,
    maxQueue: parseMaximum('maxQueue', given.maxQueue, 0),
    overflow: parseChoice('overflow', given.overflow, ['reject', 'wait']),
    concurrency: parseInteger('concurrency', given.concurrency, 1, 65_536) ?? 1,
    maxTasksPerWorker: parseMaximum('maxTasksPerWorker', given.maxTasksPerWorker, 1),
    maxMemory: given.maxMemory === undefined ? undefined : parseBytes('maxMemory', given.maxMemory),
    ringBytes: parseRing(given.size),
    codec,
    codecModule,
    nice: parseInteger('nice', given.nice, -20, 19),
    host: {
      kind,
      env: parseEnvironment(given.env),
      argv: parseTexts('argv', given.argv) ?? [],
      execArgv: parseTexts('execArgv', given.execArgv),
      cwd,
      resourceLimits: parseLimits(given.resourceLimits),
      stdio: parseChoice('stdio', given.stdio, ['inherit', 'ignore', 'pipe']),
    },
    defaults: {
      timeout: parseTime('timeout', given.timeout) ?? Infinity,
      queueTimeout: parseTime('queueTimeout', given.queueTimeout) ?? Infinity,
      retries: parseInteger('retries', given.retries, 0, largest) ?? 0,
    },
  };
}

/** What a task needs; `places` are those that a key can stand for. */
export function parseRunOptions(
  options: unknown,
  defaults: PoolSettings['defaults'],
  places: number,
): { demands: TaskDemands; onProgress: ((value: unknown) => void) | undefined } {
  const given = checkOptions<RunOptions>('options', options, runOptionNames);
  const { key, onProgress, priority } = given;
  if (priority !== undefined && typeof priority !== 'number')
    throw invalidArgumentType('priority', 'a number', priority);
  if (priority !== undefined && !Number.isFinite(priority))
    throw outOfRange('priority', 'a finite number', priority);
  if (key !== undefined && typeof key !== 'string')
    throw invalidArgumentType('key', 'a string', key);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalidArgumentType('onProgress', 'a function', onProgress);
  const demands: TaskDemands = {
    priority: priority ?? 0,
    key,
    place: key === undefined ? -1 : placeOfKey(key, places),
    timeout: parseTime('timeout', given.timeout) ?? defaults.timeout,
    queueTimeout: parseTime('queueTimeout', given.queueTimeout) ?? defaults.queueTimeout,
    retries: parseInteger('retries', given.retries, 0, largest) ?? defaults.retries,
    signal: parseSignal(given.signal),
  };
  return { demands, onProgress };
}

/** How `map` goes about it, and what is left for each of its calls. */
export function parseMapOptions(
  options: unknown,
  workers: number,
): { concurrency: number; ordered: boolean; chunk: number; run: RunOptions } {
  const given = checkOptions<MapOptions>('options', options, mapOptionNames);
  const { concurrency, ordered, chunk, ...run } = given;
  if (ordered !== undefined && typeof ordered !== 'boolean')
    throw invalidArgumentType('ordered', 'true or false', ordered);
  return {
    concurrency: parseInteger('concurrency', concurrency, 1, largest) ?? 2 * workers,
    ordered: ordered ?? true,
    chunk: parseInteger('chunk', chunk, 1, largest) ?? 1,
    run,
  };
}

/** A number of workers, or two. */
export function parseWorkers(workers: unknown): WorkerLimits {
  if (workers === undefined) return { min: 0, max: availableParallelism() };
  if (typeof workers !== 'object' || workers === null) {
    if (typeof workers !== 'number')
      throw invalidArgumentType('workers', 'a number or { min, max }', workers);
    const count = parseInteger('workers', workers, 1, mostWorkers) as number;
    return { min: count, max: count };
  }
  const given = checkOptions<WorkerLimits>('workers', workers, ['min', 'max']);
  const max = parseInteger('workers.max', given.max, 1, mostWorkers) ?? availableParallelism();
  const min = parseInteger('workers.min', given.min, 0, mostWorkers) ?? 0;
  if (min > max) throw outOfRange('workers.min', `at most workers.max, which is ${max}`, min);
  return { min, max };
}

function parseChoice<C extends string>(
  option: string,
  value: unknown,
  choices: readonly [C, ...C[]],
): C {
  if (value === undefined) return choices[0];
  if (choices.includes(value as C)) return value as C;
  const known = choices.map((choice) => `'${choice}'`).join(', ');
  throw invalidArgumentValue(option, value, `it must be one of ${known}`);
}

/** Milliseconds; undefined stays. */
export function parseTime(option: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number')
    throw invalidArgumentType(option, 'a number of milliseconds', value);
  if (!(value >= 0)) throw outOfRange(option, 'a number of milliseconds from 0 to Infinity', value);
  return value;
}

function parseMaximum(option: string, value: unknown, least: number): number {
  if (value === undefined || value === Infinity) return Infinity;
  return parseInteger(option, value, least, largest) as number;
}

function parseText(option: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw invalidArgumentType(option, 'a string', value);
}

function parseTexts(option: string, value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((text) => typeof text === 'string'))
    throw invalidArgumentType(option, 'an array of strings', value);
  return value as string[];
}

function parseEnvironment(env: unknown): NodeJS.ProcessEnv | undefined {
  if (env === undefined) return undefined;
  if (typeof env !== 'object' || env === null || Array.isArray(env))
    throw invalidArgumentType('env', 'an object', env);
  return env as NodeJS.ProcessEnv;
}

function parseLimits(limits: unknown): ResourceLimits | undefined {
  if (limits === undefined) return undefined;
  return checkOptions<ResourceLimits>('resourceLimits', limits, [
    'maxOldGenerationSizeMb',
    'maxYoungGenerationSizeMb',
    'codeRangeSizeMb',
    'stackSizeMb',
  ]);
}

function parseRing(size: unknown): number {
  const bytes = size === undefined ? 4 * 1024 * 1024 : parseBytes('size', size, 2);
  if (bytes < smallestRing) throw outOfRange('size', `at least ${smallestRing} bytes`, size);
  return bytes;
}

const hasScheme = /^[a-z][a-z0-9+.-]+:/i;

/** A module as `import()` takes it: a URL as it is, a path as seen from the working directory. */
export function parseModule(argument: string, module: unknown): string {
  if (module instanceof URL) return module.href;
  if (typeof module !== 'string')
    throw invalidArgumentType(argument, 'a URL or the path of a file', module);
  if (module === '') throw invalidArgumentValue(argument, module, 'it is empty');
  return hasScheme.test(module) ? module : pathToFileURL(path.resolve(module)).href;
}

const namedCodecs = ['msgpack', 'json', 'v8', 'bytes'] as const;

function parsePoolCodec(codec: unknown): { codec: string; codecModule: string | undefined } {
  if (codec === undefined) return { codec: 'msgpack', codecModule: undefined };
  if (typeof codec === 'string' && (namedCodecs as readonly string[]).includes(codec))
    return { codec, codecModule: undefined };
  if (typeof codec === 'object' && codec !== null && 'module' in codec) {
    const { module } = checkOptions<{ module: unknown }>('codec', codec, ['module']);
    return { codec: 'module', codecModule: parseModule('codec.module', module) };
  }
  throw invalidArgumentValue(
    'codec',
    codec,
    "it must be 'msgpack', 'json', 'v8', 'bytes' or { module }, a module with encode and decode, " +
      'since functions cannot travel to a worker',
  );
}

/** The codec at this end of the pool. */
export async function loadCodec(name: string, module: string | undefined): Promise<ValueCodec> {
  if (module === undefined) return parseCodec(name);
  const found = (await import(module)) as { encode?: unknown; decode?: unknown };
  if (typeof found.encode !== 'function' || typeof found.decode !== 'function') {
    throw new ZooError(
      'ERR_ZOO_POOL_BROKEN',
      `the codec module '${module}' must export the functions encode and decode`,
    );
  }
  return parseCodec({ name: module, encode: found.encode, decode: found.decode });
}

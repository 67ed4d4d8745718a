/** The examples of effectpy's guide to streams and channels. */
import { describe, expect, it } from 'vitest';
import { Channel, ChannelClosed, Stream, ZooPool } from 'zoosync';
import type { StageError } from 'zoosync';
import {
  afterThisTest,
  failureOf,
  isPending,
  startPeers,
  uniqueName,
  within,
} from '../support/index.js';
import { drain, feed, kinds, makeChannel } from './channels.js';

describe.each(kinds)('channels: %s', (kind) => {
  it('basic usage: a producer, a consumer, and ChannelClosed at the end', async () => {
    const channel = makeChannel<string>(kind, 3);
    const producing = feed(
      channel,
      Array.from({ length: 5 }, (_, index) => `Message ${index + 1}`),
    );

    const received: string[] = [];
    const closed = await failureOf(async () => {
      for (;;) received.push(await channel.receive());
    });
    await producing;

    expect(received).toEqual(['Message 1', 'Message 2', 'Message 3', 'Message 4', 'Message 5']);
    expect(closed).toBeInstanceOf(ChannelClosed);
    expect(closed.code).toBe('ERR_ZOO_ENDED');
  });

  it('backpressure in action: the third send waits for the first receive', async () => {
    const channel = makeChannel<number>(kind, 2);
    await channel.send(0);
    await channel.send(1);
    const third = channel.send(2);

    expect(await isPending(third)).toBe(true);
    expect(channel.trySend(99)).toBe(false);
    expect(await channel.receive()).toBe(0);
    await within(third, 'the third send');
    await channel.close();
    expect(await drain(channel)).toEqual([1, 2]);
  });

  it('a stream from a channel: squares, the even ones, five of them', async () => {
    const channel = makeChannel<number>(kind, 5);
    const producing = feed(channel, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);

    const results = await channel
      .map((x) => x ** 2)
      .filter((x) => x % 2 === 0)
      .take(5)
      .toArray();
    await producing;

    expect(results).toEqual([4, 16, 36, 64, 100]);
  });

  it('clean-up: a disposed channel leaves nothing, and says so when it is used', async () => {
    const channel = makeChannel<string>(kind, 5);
    await channel.send('data');
    expect(await channel.receive()).toBe('data');
    await channel[Symbol.asyncDispose]();

    expect((await failureOf(channel.send('more'))).code).toBe('ERR_ZOO_CLOSED');
    expect((await failureOf(channel.receive())).code).toBe('ERR_ZOO_CLOSED');
  });
});

it.each([0, -1, NaN, 1.5])('buffer sizes: a capacity of %s is refused', async (capacity) => {
  const refused = { code: 'ERR_OUT_OF_RANGE' };
  expect(() => Channel.local(capacity)).toThrow(expect.objectContaining(refused));
  expect(() => Channel.create(uniqueName(), { capacity })).toThrow(
    expect.objectContaining(refused),
  );
});

describe('streams', () => {
  it('basics: the same stream collected, and then run item by item', async () => {
    const processed = Stream.range(1, 6)
      .map((x) => x * 2)
      .filter((x) => x > 5)
      .map((x) => `Result: ${x}`);
    const expected = ['Result: 6', 'Result: 8', 'Result: 10'];

    expect(await processed.toArray()).toEqual(expected);
    const streamed: string[] = [];
    for await (const item of processed) streamed.push(item);
    expect(streamed).toEqual(expected);
  });

  it('StreamE with error handling: results and failures stay apart', async () => {
    const risky = (x: number): number => {
      if (x % 3 === 0) throw new Error(`Error processing ${x}`);
      return x * 2;
    };

    const successes: number[] = [];
    const failures: string[] = [];
    for await (const result of Stream.range(1, 10).attempt(risky)) {
      if (result.ok) successes.push(result.value);
      else failures.push(result.error.message);
    }

    expect(successes).toEqual([2, 4, 8, 10, 14, 16]);
    expect(failures).toEqual(['Error processing 3', 'Error processing 6', 'Error processing 9']);
  });

  it('error recovery: failures become fallbacks, in their place', async () => {
    interface Answer {
      url: string;
      status?: number;
      error?: string;
    }
    const urls = Array.from({ length: 7 }, (_, index) => `https://api.example.com/${index + 1}`);
    const isDown = (url: string): boolean => /[257]$/.test(url);
    const fetchPage = async (url: string): Promise<Answer> => {
      if (isDown(url)) throw new Error(`Network error for ${url}`);
      return { url, status: 200 };
    };

    const results = await Stream.from(urls)
      .attempt(fetchPage, { workers: 4 })
      .mapError((error) => `Handled: ${error.message}`)
      .recover((error): Answer => ({ url: 'fallback', error }))
      .toArray();

    expect(results.map(({ url }) => url)).toEqual(
      urls.map((url) => (isDown(url) ? 'fallback' : url)),
    );
    expect(results[1]).toEqual({
      url: 'fallback',
      error: 'Handled: Network error for https://api.example.com/2',
    });
  });

  it('testing with controlled data: ten results and two errors', async () => {
    const halve = (x: number): number => {
      if (x === 0) throw new Error('Division by zero');
      if (x < 0) throw new Error(`Negative number: ${x}`);
      return x / 2;
    };

    const outcomes = await Stream.from([1, 2, 3, 4, 5, -1, 6, 7, 0, 8, 9, 10])
      .attempt(halve)
      .mapOk((x) => Number(x.toFixed(1)))
      .toArray();
    const results = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
    const errors = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));

    expect(results).toEqual([0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]);
    expect(errors.map(({ message }) => message)).toEqual([
      'Negative number: -1',
      'Division by zero',
    ]);
  });
});

describe.each(kinds)('pipelines: %s', (kind) => {
  it('basic: two stages with workers, in order, and an output that ends', async () => {
    const input = makeChannel<number>(kind, 10);
    const output = makeChannel<string>(kind, 10);
    const double = async (x: number): Promise<number> => x * 2;
    const format = async (x: number): Promise<string> => `Processed: ${x}`;

    const running = input.stage(double, { workers: 2 }).stage(format, { workers: 3 }).to(output);
    const [, delivered, results] = await Promise.all([
      feed(input, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
      running,
      drain(output),
    ]);

    expect(delivered).toBe(10);
    expect(results).toEqual(
      Array.from({ length: 10 }, (_, index) => `Processed: ${2 * index + 2}`),
    );
  });

  it('with an error channel: six results, four errors with stage and item', async () => {
    const input = makeChannel<number>(kind, 5);
    const output = makeChannel<string>(kind, 5);
    const errors = makeChannel<StageError<unknown>>(kind, 5);
    const validate = async (x: number): Promise<number> => {
      if (x < 0) throw new RangeError(`Negative number: ${x}`);
      return x;
    };
    const process = async (x: number): Promise<string> => {
      if (x % 7 === 0) throw new Error(`Cannot process multiple of 7: ${x}`);
      return `Processed: ${x}`;
    };

    const run = input
      .stage(validate, { workers: 2 })
      .stage(process, { workers: 2 })
      .errorsTo(errors)
      .to(output);
    const [, delivered, successes, failures] = await Promise.all([
      feed(input, [-5, 1, 2, 7, -3, 4, 14, 5, 6, 8]),
      run,
      drain(output),
      drain(errors),
    ]);

    expect(delivered).toBe(6);
    expect(successes).toEqual([1, 2, 4, 5, 6, 8].map((x) => `Processed: ${x}`));
    const found = failures.map(({ stage, item, error }) => {
      return `${stage} ${item}: ${(error as Error).message}`;
    });
    expect(found.toSorted()).toEqual([
      'process 14: Cannot process multiple of 7: 14',
      'process 7: Cannot process multiple of 7: 7',
      'validate -3: Negative number: -3',
      'validate -5: Negative number: -5',
    ]);
    expect(failures.every(({ error }) => error instanceof Error)).toBe(true);
  });

  it('monitoring: the statistics of a run count what was done and what failed', async () => {
    const input = makeChannel<number>(kind, 4);
    const failed: number[] = [];
    const run = input
      .stage(
        async (x: number) => {
          if (x === 3) throw new Error('three');
          return x;
        },
        { workers: 2, name: 'monitored' },
      )
      .errorsTo(({ item }: StageError<unknown>) => {
        failed.push(item as number);
      })
      .subscribe(() => {});
    await feed(input, [1, 2, 3, 4, 5]);

    expect(await within(Promise.resolve(run), 'the run')).toBe(4);
    expect(failed).toEqual([3]);
    const stage = run.stats().find(({ name }) => name === 'monitored');
    expect(stage).toMatchObject({ workers: 2, busy: 0, waiting: 0, done: 4, failed: 1 });
  });

  it('event enrichment: four stages from raw events to processed ones', async () => {
    interface WebEvent {
      timestamp: number;
      userId: string;
      type: string;
      data: Record<string, unknown>;
    }
    interface ProcessedEvent {
      userId: string;
      type: string;
      enriched: Record<string, unknown>;
    }
    const raw = [
      '{"timestamp":1634567890,"userId":"user1","type":"click","data":{"page":"home"}}',
      '{"timestamp":1634567891,"userId":"user2","type":"purchase","data":{"amount":29.99}}',
      '{"timestamp":1634567892,"userId":"user1","type":"view","data":{"page":"products"}}',
      '{"timestamp":1634567893,"userId":"","type":"click","data":{"page":"about"}}',
      '{"timestamp":1634567894,"userId":"user2","type":"purchase","data":{"amount":15.99}}',
    ];
    const segments = new Map([
      ['user1', 'premium'],
      ['user2', 'standard'],
    ]);
    const input = makeChannel<string>(kind, 10);
    const output = makeChannel<ProcessedEvent>(kind, 10);
    const rejected: StageError<unknown>[] = [];

    const run = input
      .stage(async function parse(line: string): Promise<WebEvent> {
        return JSON.parse(line) as WebEvent;
      })
      .stage(async function validate(event: WebEvent) {
        if (!event.userId || !event.type) throw new Error('missing user or type');
        return event;
      })
      .stage(
        async function enrich({ data, ...event }: WebEvent) {
          return { ...event, data: { ...data, segment: segments.get(event.userId) ?? 'unknown' } };
        },
        { workers: 3 },
      )
      .stage(async function transform({ userId, type, data }): Promise<ProcessedEvent> {
        return { userId, type, enriched: data };
      })
      .errorsTo((failure: StageError<unknown>) => {
        rejected.push(failure);
      })
      .to(output);
    const [, , processed] = await Promise.all([feed(input, raw), run, drain(output)]);

    expect(processed.map(({ type }) => type)).toEqual(['click', 'purchase', 'view', 'purchase']);
    expect(processed[1]).toEqual({
      userId: 'user2',
      type: 'purchase',
      enriched: { amount: 29.99, segment: 'standard' },
    });
    expect(rejected.map(({ stage }) => stage)).toEqual(['validate']);
  });

  it('sliding windows: for each metric the last two seconds, and alerts from them', async () => {
    interface Metric {
      timestamp: number;
      value: number;
      source: string;
    }
    const metrics: Metric[] = Array.from({ length: 50 }, (_, index) => ({
      timestamp: 1_000 + index * 200,
      value: index < 30 ? 20 : 90,
      source: `server${(index % 3) + 1}`,
    }));
    const input = makeChannel<Metric>(kind, 10);
    const average = (values: readonly Metric[]): number =>
      values.reduce((sum, { value }) => sum + value, 0) / values.length;

    const windows = input.window({ ms: 2_000, at: ({ timestamp }) => timestamp }).map((window) => ({
      start: window[0]?.timestamp,
      end: window.at(-1)?.timestamp,
      count: window.length,
      average: average(window),
      sources: new Set(window.map(({ source }) => source)).size,
    }));
    const [, results] = await Promise.all([feed(input, metrics), windows.toArray()]);

    expect(results).toHaveLength(50);
    expect(results.slice(0, 3).map(({ count }) => count)).toEqual([1, 2, 3]);
    // A metric that is exactly two seconds old still counts.
    expect(results[20]).toEqual({ start: 3_000, end: 5_000, count: 11, average: 20, sources: 3 });
    const alerts = results.filter(({ average, count }) => average > 75 && count >= 5);
    expect(alerts[0]?.end).toBe(1_000 + 38 * 200);
    expect(alerts).toHaveLength(12);
  });
});

it('a pipeline whose workers are processes of a pool: in order, failures beside it', async () => {
  const tasks = new URL('../fixtures/square-tasks.js', import.meta.url);
  const pool = new ZooPool<{
    square: (number: number) => Promise<{ square: number; by: number }>;
  }>(tasks, { workers: 2 });
  afterThisTest(() => pool.close());
  const input = makeChannel<number>('shared', 4);
  const failures: StageError[] = [];

  const [results] = await Promise.all([
    input
      .stage(pool.task('square'), { workers: 4, name: 'square' })
      .errorsTo((failure) => {
        failures.push(failure);
      })
      .toArray(),
    feed(
      input,
      Array.from({ length: 30 }, (_, index) => index + 1),
    ),
  ]);

  const kept = Array.from({ length: 30 }, (_, index) => index + 1).filter((n) => n % 7 !== 0);
  expect(results.map(({ square }) => square)).toEqual(kept.map((n) => n * n));
  expect(results.every(({ by }) => by !== process.pid)).toBe(true);
  expect(failures.map(({ stage, item }) => `${stage} ${item}`)).toEqual([
    'square 7',
    'square 14',
    'square 21',
    'square 28',
  ]);
  expect(failures[0]?.error).toBeInstanceOf(RangeError);
});

it('a pipeline whose stages are processes: the same line in each of them, no hub', async () => {
  const names: [string, string] = [uniqueName('raw'), uniqueName('squares')];
  const input = Channel.create<number>(names[0], { capacity: 10 });
  const output = Channel.create<number>(names[1], { capacity: 10 });
  try {
    const workers = await startPeers(2);
    const working = workers.map((worker) =>
      worker.run(
        async ({ zoosync }, from, to) => {
          const source = await zoosync.Channel.open<number>(from, { timeout: 30_000 });
          const sink = await zoosync.Channel.open<number>(to, { timeout: 30_000 });
          return source.stage(async (x) => x * x).to(sink);
        },
        ...names,
      ),
    );
    const feeding = feed(
      input,
      Array.from({ length: 100 }, (_, index) => index),
    );
    // This process made the output channel, so it counts as one who may still send.
    const closing = Promise.all(working).then(() => output.close());
    const results = await drain(output);
    await Promise.all([feeding, closing]);

    expect(results.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, index) => index * index),
    );
    const delivered = await Promise.all(working);
    expect(delivered.reduce((sum, count) => sum + count, 0)).toBe(100);
    for (const worker of workers) await worker.leave();
  } finally {
    await input[Symbol.asyncDispose]();
    await output[Symbol.asyncDispose]();
  }
});

/** The boundary rows about runs: leaving, aborting, failing, and who is told. */
import { getEventListeners } from 'node:events';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Broadcast, Channel, Stream, ZooPool, type Run } from 'zoosync';
import {
  codeOf,
  failureOf,
  isPending,
  runProgram,
  turns,
  uniqueName,
  until,
  within,
} from '../support/index.js';
import { disposeAfter } from './conformance-sources.js';
import { RecordingSink, recordingWritable } from './recording-sinks.js';

/** A promise that is resolved from outside. */
class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/** The numbers from 0 on, counted as they are asked for; `left` when it has been let go of. */
class Counter implements AsyncIterable<number> {
  given = 0;
  left = false;
  readonly #count: number;

  constructor(count = Infinity) {
    this.#count = count;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    try {
      while (this.given < this.#count) {
        this.given += 1;
        yield this.given - 1;
      }
    } finally {
      this.left = true;
    }
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function settled(run: PromiseLike<unknown>, what: string): Promise<unknown> {
  return within(Promise.resolve(run), what);
}

/** The failure of a run. Asked for at once, so that it is never unhandled. */
function failing(run: PromiseLike<unknown>): ReturnType<typeof failureOf> {
  return within(failureOf(Promise.resolve(run)), 'the failure of a run');
}

describe('consumer breaks, returns, throws in the body', () => {
  it('channel: the handle stays open, and the next loop goes on where the last one left', async () => {
    const writer = disposeAfter(
      Channel.create<number>(uniqueName('channel'), { bytes: '16KiB', capacity: 32 }),
    );
    const reader = disposeAfter(await Channel.open<number>(writer.name, { prefetch: 8 }));
    for (const value of numbers(10)) await writer.send(value);
    const first: number[] = [];
    for await (const value of reader) {
      first.push(value);
      if (first.length === 3) break;
    }
    const second: number[] = [];
    await expect(async () => {
      for await (const value of reader) {
        second.push(value);
        if (second.length === 2) throw new Error('in the body');
      }
    }).rejects.toThrow('in the body');
    await writer.close();
    const third = await within(reader.toArray());
    expect([first, second, third]).toEqual([
      [0, 1, 2],
      [3, 4],
      [5, 6, 7, 8, 9],
    ]);
    expect(reader.closed).toBe(false);
  });

  it('channel: two loops at once on one handle share the work', async () => {
    const channel = disposeAfter(Channel.local<number>(4));
    const shares = [channel.toArray(), channel.toArray()];
    for (const value of numbers(20)) await channel.send(value);
    await channel.close();
    const taken = (await within(Promise.all(shares))).flat();
    expect(taken.toSorted((one, other) => one - other)).toEqual(numbers(20));
  });

  it('take stops asking as soon as it has enough, and lets go of the source', async () => {
    const channel = disposeAfter(Channel.local<number>(4));
    await channel.send(0);
    await channel.send(1);
    // A third item would never come.
    expect(await within(channel.take(2).toArray(), 'two items')).toEqual([0, 1]);
    const counter = new Counter();
    expect(await within(Stream.from(counter).take(3).toArray())).toEqual([0, 1, 2]);
    await until(() => counter.left, 'the source to be let go of');
    expect(counter.given).toBe(3);
    const untouched = new Counter();
    expect(await within(Stream.from(untouched).take(0).toArray())).toEqual([]);
    expect(untouched.given).toBe(0);
  });

  it('merge lets go of every source, also of those that wait', async () => {
    const [ready, waiting] = [Channel.local<number>(4), Channel.local<number>(4)];
    disposeAfter(ready);
    disposeAfter(waiting);
    const counter = new Counter();
    await ready.send(-1);
    for await (const value of Stream.merge(waiting, counter, ready)) {
      expect(value).toBeLessThan(1);
      break;
    }
    await until(() => counter.left, 'the source to be let go of');
    await waiting.send(5);
    expect(await within(waiting.receive(), 'what nobody took')).toBe(5);
  });

  it('merge and priority lose nothing that they had asked for', async () => {
    for (const combine of ['merge', 'priority'] as const) {
      const channels = [1, 2, 3].map(() => disposeAfter(Channel.local<string>(4)));
      for (const [index, channel] of channels.entries()) {
        for (const item of ['a', 'b']) await channel.send(`${index}${item}`);
        await channel.close();
      }
      const taken: string[] = [];
      for await (const item of Stream[combine](...channels)) {
        taken.push(item);
        if (taken.length === 2) break;
      }
      for (const channel of channels) taken.push(...(await within(channel.toArray())));
      expect(taken.toSorted()).toEqual(['0a', '0b', '1a', '1b', '2a', '2b']);
    }
  });

  it('operators give back what they did not use', async () => {
    const { signal } = new AbortController();
    const uses: [string, number, (stream: Stream<number>) => Stream<unknown>][] = [
      ['with', 1, (stream) => stream.with({ signal })],
      ['take', 1, (stream) => stream.take(100)],
      ['errorsTo', 1, (stream) => stream.errorsTo(() => undefined)],
      // What a task was given is used: the one delivered, and the next in the hands of the worker.
      ['stage', 2, (stream) => stream.stage((value) => value)],
      ['flatMap', 1, (stream) => stream.flatMap((value) => [value])],
      ['batch', 3, (stream) => stream.batch(3)],
    ];
    const channel = disposeAfter(
      Channel.create<number>(uniqueName('channel'), { bytes: '16KiB', prefetch: 8 }),
    );
    for (const [name, used, apply] of uses) {
      for (const value of numbers(6)) await channel.send(value);
      for await (const item of apply(channel)) {
        expect(item, name).toBeDefined();
        break;
      }
      const rest: number[] = [];
      while (rest.length < 6 - used) rest.push(await within(channel.receive(), name));
      expect(rest, name).toEqual(numbers(6).slice(used));
    }
  });

  it('what was left while it waited does not keep the process alive', async () => {
    const { code, stdout, stderr } = await runProgram(
      `const { Channel, ZooPipe } = zoosync;
      const channel = Channel.create(args[0], { bytes: '16KiB' });
      const pipe = ZooPipe.create(args[0] + '.pipe', { memoryLimit: '16KiB', as: 'reader' });
      const other = Channel.create(args[0] + '.other', { bytes: '16KiB' });
      await other.send('only one');
      const batches = other.batch(2, { ms: 3_600_000 })[Symbol.asyncIterator]();
      const waiting = [batches.next()];
      for (const stream of [channel, channel.map((value) => value), pipe]) {
        const iterator = stream[Symbol.asyncIterator]();
        waiting.push(iterator.next());
        setTimeout(() => iterator.return(), 10);
      }
      setTimeout(() => batches.return(), 20);
      console.log((await Promise.all(waiting)).map(({ done }) => done).join());`,
      { args: [uniqueName('left')] },
    );
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'true,true,true,true\n',
      stderr: '',
    });
  });

  it('flatMap lets go of the inner stream that waits', async () => {
    const inner = disposeAfter(Channel.local<number>(1));
    const stream = Stream.from([1]).flatMap(() => inner);
    const iterator = stream[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await turns(3);
    await within(iterator.return!(), 'return()');
    expect((await within(waiting)).done).toBe(true);
    await inner.send(5);
    expect(await within(inner.receive(), 'what nobody took')).toBe(5);
  });

  it('priority takes the more urgent first, and loses nothing', async () => {
    const urgent = disposeAfter(Channel.local<string>(8));
    const normal = disposeAfter(Channel.local<string>(8));
    for (const value of [1, 2, 3]) await normal.send(`normal ${value}`);
    for (const value of [1, 2, 3]) await urgent.send(`urgent ${value}`);
    const taken: string[] = [];
    for await (const job of Stream.priority(urgent, normal)) {
      taken.push(job);
      if (taken.length === 4) break;
    }
    expect(taken).toEqual(['urgent 1', 'urgent 2', 'urgent 3', 'normal 1']);
    await normal.close();
    await urgent.close();
    expect(await within(Stream.priority(urgent, normal).toArray())).toEqual([
      'normal 2',
      'normal 3',
    ]);
  });
});

describe('signal aborts', () => {
  it('a pending receive rejects at once, and leaves no listener behind', async () => {
    const channel = disposeAfter(Channel.local<number>(1));
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('shutting down');
    const receiving = failureOf(channel.receive({ signal }));
    expect(getEventListeners(signal, 'abort').length).toBeGreaterThan(0);
    controller.abort(reason);
    const failure = await within(receiving);
    expect(failure).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    expect(failure.cause).toBe(reason);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(await codeOf(channel.receive({ signal }))).toBe('ABORT_ERR');
  });

  it.each(['local', 'shared'])('%s: a pending send has sent nothing', async (kind) => {
    const channel = disposeAfter(
      kind === 'local'
        ? Channel.local<number>(1)
        : Channel.create<number>(uniqueName('channel'), { bytes: '16KiB', capacity: 1 }),
    );
    await channel.send(1);
    const controller = new AbortController();
    const sending = failureOf(channel.send(2, { signal: controller.signal }));
    await turns(3);
    controller.abort();
    expect(await within(sending)).toMatchObject({ name: 'AbortError' });
    expect(await channel.receive()).toBe(1);
    expect(channel.tryReceive()).toBeUndefined();
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('one signal for many runs gathers no listeners', async () => {
    const { signal } = new AbortController();
    for (let round = 0; round < 50; round += 1) {
      const stream = Stream.range(0, 5).map((value) => value + 1);
      expect(await stream.toArray({ signal })).toEqual([1, 2, 3, 4, 5]);
      await stream.with({ signal }).reduce((sum, value) => sum + value, 0);
      await stream.to(new RecordingSink<number>(), { signal });
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('of two signals either one counts', async () => {
    for (const which of [0, 1]) {
      const controllers = [new AbortController(), new AbortController()] as const;
      const channel = disposeAfter(Channel.local<number>(1));
      const taking = channel
        .with({ signal: controllers[0].signal })
        .toArray({ signal: controllers[1].signal });
      const failure = failing(taking);
      await turns(3);
      controllers[which]?.abort(which);
      expect(await failure).toMatchObject({ name: 'AbortError', cause: which });
    }
  });
});

describe('signal aborted during to(sink)', () => {
  it('the sink is closed with the reason, so that who reads it sees a failure', async () => {
    const source = disposeAfter(Channel.local<number>(1));
    const target = disposeAfter(Channel.local<number>(4));
    const controller = new AbortController();
    const failure = failing(source.to(target, { signal: controller.signal }));
    await source.send(1);
    expect(await within(target.receive())).toBe(1);
    const reading = failureOf(target.receive());
    controller.abort(new RangeError('enough is enough'));
    expect(await failure).toMatchObject({ name: 'AbortError' });
    const read = await within(reading, 'the failure on the other side');
    expect([read.message, (read.cause as Error | undefined)?.message]).toContain(
      'enough is enough',
    );
  });

  it('every sink is closed once, with an error', async () => {
    const source = disposeAfter(Channel.local<number>(1));
    const sinks = [new RecordingSink<number>(), new RecordingSink<number>()];
    const writable = recordingWritable<number>(() => undefined);
    const writableFailure = new Promise<Error>((resolve) => writable.once('error', resolve));
    const controller = new AbortController();
    const failure = failing(source.to(...sinks, writable, { signal: controller.signal }));
    await turns(3);
    controller.abort('enough');
    await failure;
    for (const sink of sinks) {
      expect(sink.closings).toHaveLength(1);
      expect(sink.closings[0]).toBeDefined();
    }
    expect(await within(writableFailure)).toBeInstanceOf(Error);
    expect(writable.destroyed).toBe(true);
  });

  it('the tasks of a stage get the signal, and the run awaits them before it settles', async () => {
    const controller = new AbortController();
    const finish = new Gate();
    const seen: unknown[] = [];
    let running = 0;
    const run = Stream.range(0, 10)
      .stage(
        async (_value, { signal }) => {
          running += 1;
          signal.addEventListener('abort', () => seen.push(signal.reason), { once: true });
          await finish.opened;
          running -= 1;
        },
        { workers: 3 },
      )
      .to(new RecordingSink<void>(), { signal: controller.signal });
    const failure = failing(run);
    await until(() => running === 3, 'three tasks');
    controller.abort('enough');
    await until(() => seen.length === 3, 'the tasks to hear of it');
    expect(await isPending(failure)).toBe(true);
    finish.open();
    expect(await failure).toMatchObject({ name: 'AbortError', cause: 'enough' });
    expect(running).toBe(0);
  });

  it('the callback under way is awaited before the run settles', async () => {
    for (const end of ['signal', 'cancel'] as const) {
      const controller = new AbortController();
      const finish = new Gate();
      let running = 0;
      const run = Stream.range(0, 10).subscribe(
        async () => {
          running += 1;
          await finish.opened;
          running -= 1;
        },
        { signal: controller.signal },
      );
      const failure = failing(run);
      await until(() => running === 1, 'the callback');
      const ended = end === 'cancel' ? run.cancel('enough') : failure;
      controller.abort('enough');
      expect(await isPending(ended)).toBe(true);
      finish.open();
      expect(await failure).toMatchObject({ name: 'AbortError', cause: 'enough' });
      await within(Promise.resolve(ended));
      expect(running).toBe(0);
    }
  });

  it('a Writable that does not finish is left at once', async () => {
    for (const end of ['signal', 'cancel'] as const) {
      const writable = new Writable({
        objectMode: true,
        write() {
          // Never says that it is done.
        },
      });
      writable.on('error', () => undefined);
      const controller = new AbortController();
      const run = Stream.from([1, 2]).to(writable, { signal: controller.signal });
      const failure = failing(run);
      await until(() => writable.writableEnded, 'everything to be written');
      if (end === 'cancel') await within(run.cancel('enough'), 'cancel()');
      else controller.abort('enough');
      expect(await failure).toMatchObject({ name: 'AbortError', cause: 'enough' });
      expect(writable.destroyed).toBe(true);
    }
  });

  it('a sink that waits for room is left at once', async () => {
    const target = disposeAfter(Channel.local<number>(1));
    const counter = new Counter();
    const controller = new AbortController();
    const failure = failing(Stream.from(counter).to(target, { signal: controller.signal }));
    await until(() => target.stats().depth === 1, 'a full channel');
    await turns(5);
    controller.abort('enough');
    expect(await failure).toMatchObject({ name: 'AbortError' });
    await until(() => counter.left, 'the source to be let go of');
    expect(await target.receive()).toBe(0);
    expect(target.tryReceive()).toBeUndefined();
  });
});

describe('data that never ends', () => {
  it('never keeps the event loop to itself: timers fire, and a signal stops it', async () => {
    // In a process of its own, where a loop that never turns can be ended from outside.
    const { code, stdout, stderr } = await runProgram(`
      const { Broadcast, Channel, Stream } = zoosync;
      const endless = () => Stream.range(0, Infinity);
      const fail = () => { throw new Error('always'); };
      async function* copy(source) { for await (const value of source) yield value; }
      async function* generate() { for (let value = 0; ; value += 1) yield value; }
      const sink = { send: async () => {}, trySend: () => true, close: async () => {} };
      const circle = Channel.local(1);
      await circle.send(1);
      const shapes = {
        source: (signal) => loop(endless().with({ signal })),
        generator: (signal) => loop(Stream.from(generate()).with({ signal })),
        map: (signal) => loop(endless().map(async (value) => value).with({ signal })),
        filter: (signal) => endless().filter(() => false).toArray({ signal }),
        flatMap: (signal) => endless().flatMap(() => []).toArray({ signal }),
        batch: (signal) => loop(endless().batch(3).with({ signal })),
        window: (signal) => loop(endless().window({ size: 3 }).with({ signal })),
        through: (signal) => endless().through(copy).reduce(() => 0, 0, { signal }),
        stage: (signal) => endless().stage((value) => value).reduce(() => 0, 0, { signal }),
        errorsTo: (signal) => endless().stage(fail).errorsTo(() => {}).toArray({ signal }),
        attempt: (signal) => endless().attempt(fail).recover(() => 1).reduce(() => 0, 0, { signal }),
        merge: (signal) => Stream.merge(endless(), generate()).reduce(() => 0, 0, { signal }),
        priority: (signal) => Stream.priority(endless(), generate()).reduce(() => 0, 0, { signal }),
        to: (signal) => endless().to(sink, { signal }),
        subscribe: (signal) => endless().subscribe(() => {}, { signal }),
        broadcast: (signal) => {
          const broadcast = new Broadcast(endless());
          broadcast.subscribe(() => {}).then(undefined, () => {});
          return broadcast.run({ signal });
        },
        channel: (signal) => circle.subscribe((value) => circle.send(value), { signal }),
      };
      async function loop(stream) { for await (const item of stream); }
      for (const [name, run] of Object.entries(shapes)) {
        const { name: error } = await Promise.resolve(run(AbortSignal.timeout(10))).catch((e) => e);
        if (error !== 'AbortError') console.log(name, error);
      }
      console.log('done');`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
  });
});

describe('the end and the failure of a run', () => {
  it('the sink is closed without an error at the end', async () => {
    const sink = new RecordingSink<number>();
    expect(await settled(Stream.range(0, 5).to(sink), 'a run')).toBe(5);
    expect(sink.items).toEqual([0, 1, 2, 3, 4]);
    expect(sink.closings).toEqual([undefined]);
  });

  it('the sink is closed with the error of the source', async () => {
    const thrown = new Error('broken');
    const sink = new RecordingSink<number>();
    const run = Stream.range(0, 5)
      .map((value) => {
        if (value === 3) throw thrown;
        return value;
      })
      .to(sink);
    expect(await failing(run)).toBe(thrown);
    expect(sink.items).toEqual([0, 1, 2]);
    expect(sink.closings).toEqual([thrown]);
  });

  it('a sink that fails ends the run, and the other sinks hear of it', async () => {
    const thrown = new Error('no room for threes');
    const counter = new Counter();
    const bad = new RecordingSink<number>((value) => {
      if (value === 3) throw thrown;
    });
    const good = new RecordingSink<number>();
    expect(await failing(Stream.from(counter).to(good, bad))).toBe(thrown);
    expect(good.closings).toEqual([thrown]);
    await until(() => counter.left, 'the source to be let go of');
  });

  it('a sink that fails ends the run, also when another one has no room', async () => {
    const thrown = new Error('no room for ones');
    const full = disposeAfter(Channel.local<number>(1));
    const bad = new RecordingSink<number>((value) => {
      if (value === 1) throw thrown;
    });
    expect(await failing(Stream.range(0, 10).to(full, bad))).toBe(thrown);
    expect(await full.receive()).toBe(0);
    expect(await failureOf(within(full.receive()))).toBe(thrown);
  });

  it('a Writable that fails ends the run', async () => {
    const thrown = new Error('no room for threes');
    const counter = new Counter();
    const writable = recordingWritable<number>((value) => {
      if (value === 3) throw thrown;
    });
    expect(await failing(Stream.from(counter).to(writable))).toBe(thrown);
    await until(() => counter.left, 'the source to be let go of');
  });

  it('runs start by themselves, and their number is of what was delivered', async () => {
    const taken: number[] = [];
    const run = Stream.range(0, 7)
      .filter((value) => value % 2 === 0)
      .subscribe((value) => void taken.push(value));
    await until(() => taken.length === 4, 'the run to do its work by itself');
    expect(await settled(run, 'a run')).toBe(4);
  });

  it('a stream is lazy: nothing is touched before the first pull', async () => {
    const counter = new Counter();
    const stream = Stream.from(counter)
      .map((value) => value)
      .stage((value) => value, { workers: 4 })
      .batch(2);
    await turns(5);
    expect(counter.given).toBe(0);
    expect(stream).toBeInstanceOf(Stream);
  });

  it('a stream over an array can be run again', async () => {
    const stream = Stream.from([1, 2, 3]).map((value) => value + 1);
    expect([await stream.toArray(), await stream.toArray()]).toEqual([
      [2, 3, 4],
      [2, 3, 4],
    ]);
  });
});

describe('error thrown in map or filter', () => {
  it.each([
    ['map', (stream: Stream<number>, check: (value: number) => number) => stream.map(check)],
    [
      'filter',
      (stream: Stream<number>, check: (value: number) => number) =>
        stream.filter((value) => check(value) >= 0),
    ],
  ] as const)(
    '%s: what came before it in the batch first, then the error',
    async (_name, apply) => {
      const thrown = new Error('five');
      const taken: number[] = [];
      const stream = apply(Stream.range(0, 100), (value) => {
        if (value === 5) throw thrown;
        return value;
      });
      const run = stream.subscribe((value) => void taken.push(value));
      expect(await failing(run)).toBe(thrown);
      expect(taken).toEqual([0, 1, 2, 3, 4]);
    },
  );

  it('the source is cancelled at once, before the items before it are used', async () => {
    const channel = disposeAfter(Channel.local<number>(1));
    const stream = channel.map(() => {
      throw new Error('always');
    });
    const failure = failing(stream.toArray());
    await channel.send(1);
    expect((await failure).message).toBe('always');
    await channel.send(2);
    expect(await within(channel.receive(), 'what the failed run must not have taken')).toBe(2);
  });

  it('what is no Error arrives as it is', async () => {
    let caught: unknown;
    try {
      await Stream.range(0, 3)
        .map(() => {
          // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error -- what users do
          throw 'a string';
        })
        .toArray();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe('a string');
  });
});

describe('error of one of several sources', () => {
  it('merge and priority let go of the others', async () => {
    for (const combine of ['merge', 'priority'] as const) {
      const broken = disposeAfter(Channel.local<number>(1));
      const waiting = disposeAfter(Channel.local<number>(1));
      const counter = new Counter();
      const failure = failing(Stream[combine](broken, waiting, counter).subscribe(() => turns(1)));
      await turns(3);
      await broken.close(new Error('one of them'));
      expect((await failure).message).toBe('one of them');
      await until(() => counter.left, 'the source to be let go of');
      await waiting.send(5);
      expect(await within(waiting.receive(), 'what nobody took')).toBe(5);
    }
  });

  it('of none there is nothing to wait for', async () => {
    expect(await within(Stream.merge<number>().toArray())).toEqual([]);
    expect(await within(Stream.priority<number>().toArray())).toEqual([]);
  });
});

describe('error in a stage with workers', () => {
  it('no new items, tasks in flight finish, and everything before it is delivered', async () => {
    const counter = new Counter(50);
    const gates = numbers(50).map(() => new Gate());
    let finished = 0;
    const taken: number[] = [];
    const run = Stream.from(counter)
      .stage(
        async (value) => {
          await gates[value]?.opened;
          if (value === 2) throw new Error('two');
          finished += 1;
          return value;
        },
        { workers: 4 },
      )
      .subscribe((value) => void taken.push(value));
    const failure = failing(run);
    await until(() => counter.given >= 4, 'four tasks');
    gates[2]?.open();
    await turns(10);
    expect(counter.given).toBeLessThanOrEqual(5);
    expect(await isPending(failure)).toBe(true);
    for (const gate of gates) gate.open();
    expect((await failure).message).toBe('two');
    expect(taken).toEqual([0, 1]);
    expect(finished).toBe(counter.given - 1);
    await until(() => counter.left, 'the source to be let go of');
  });

  it('further failures are told together or dropped, never unhandled', async () => {
    const gate = new Gate();
    let running = 0;
    const run = Stream.range(0, 4)
      .stage(
        async (value) => {
          running += 1;
          await gate.opened;
          throw new Error(`task ${value}`);
        },
        { workers: 4, ordered: false },
      )
      .to(new RecordingSink<never>());
    const failure = failing(run);
    await until(() => running === 4, 'four tasks');
    gate.open();
    const error = await failure;
    const told = error instanceof AggregateError ? (error.errors as Error[]) : [error];
    expect(told[0]?.message).toMatch(/^task \d$/);
    // Whatever was not handled would be reported by now.
    await turns(5);
  });

  it('a stage with N workers holds at most N, and refills as tasks complete', async () => {
    const counter = new Counter(100);
    let running = 0;
    let most = 0;
    const stream = Stream.from(counter).stage(
      async (value) => {
        running += 1;
        most = Math.max(most, running);
        await turns(1 + (value % 3));
        running -= 1;
        return value;
      },
      { workers: 4 },
    );
    const taken: number[] = [];
    for await (const value of stream) {
      taken.push(value);
      // Pulled and not yet delivered, and the one in the body.
      expect(counter.given - taken.length).toBeLessThanOrEqual(4);
      await turns(2);
    }
    expect(taken).toEqual(numbers(100));
    expect(most).toBe(4);
  });

  it('work goes on while the consumer is busy', async () => {
    let started = 0;
    const stream = Stream.range(0, 10).stage(
      async (value) => {
        started += 1;
        await turns(1);
        return value;
      },
      { workers: 3, ordered: false },
    );
    const iterator = stream[Symbol.asyncIterator]();
    await within(iterator.next());
    // Nobody asks for more, and still the workers have something to do.
    await until(() => started >= 3, 'the workers to go on');
    await iterator.return!();
  });

  it('unordered: a slow item holds nobody up', async () => {
    const gate = new Gate();
    const taken: number[] = [];
    const run = Stream.range(0, 20)
      .stage(
        async (value) => {
          if (value === 0) await gate.opened;
          return value;
        },
        { workers: 2, ordered: false },
      )
      .subscribe((value) => void taken.push(value));
    await until(() => taken.length === 19, 'everything but the slow one');
    gate.open();
    await settled(run, 'the run');
    expect(taken.at(-1)).toBe(0);
  });
});

describe('error in a stage, errorsTo', () => {
  it('the run goes on, and each failure names its stage and its item', async () => {
    const failures: unknown[] = [];
    const sink = new RecordingSink<number>();
    async function refuseOdd(value: number): Promise<number> {
      if (value % 2 === 1) throw new Error(`odd: ${value}`);
      return value;
    }
    const run = Stream.range(0, 6)
      .stage(refuseOdd, { workers: 2 })
      .stage(
        (value) => {
          if (value === 4) throw new RangeError('four');
          return value;
        },
        { name: 'no fours' },
      )
      .errorsTo((failure) => {
        const { stage, item, error } = failure;
        failures.push([stage, item, (error as Error).message]);
      })
      .to(sink);
    expect(await settled(run, 'the run')).toBe(2);
    expect(sink.items).toEqual([0, 2]);
    expect(failures.toSorted()).toEqual(
      [
        ['refuseOdd', 1, 'odd: 1'],
        ['refuseOdd', 3, 'odd: 3'],
        ['refuseOdd', 5, 'odd: 5'],
        ['no fours', 4, 'four'],
      ].toSorted(),
    );
    const stats = run.stats();
    expect(stats.map(({ name, done, failed }) => ({ name, done, failed }))).toEqual([
      { name: 'refuseOdd', done: 3, failed: 3 },
      { name: 'no fours', done: 2, failed: 1 },
    ]);
  });

  it('a full error sink makes the pipeline wait', async () => {
    const counter = new Counter(50);
    const errors = disposeAfter(Channel.local<unknown>(2));
    const run = Stream.from(counter)
      .stage(
        () => {
          throw new Error('always');
        },
        { workers: 4 },
      )
      .errorsTo(errors)
      .to(new RecordingSink<never>());
    const ending = settled(run, 'the run');
    await until(() => errors.stats().depth === 2, 'a full error channel');
    await turns(20);
    expect(counter.given).toBeLessThanOrEqual(8);
    expect(await isPending(ending)).toBe(true);
    let told = 0;
    for await (const _ of errors) told += 1;
    expect(told).toBe(50);
    expect(await ending).toBe(0);
  });

  it('the error sink is closed at the end of the run, also when it fails', async () => {
    const atTheEnd = new RecordingSink<unknown>();
    await settled(
      Stream.range(0, 3)
        .stage((value) => value)
        .errorsTo(atTheEnd)
        .to(new RecordingSink<number>()),
      'the run',
    );
    expect(atTheEnd.closings).toHaveLength(1);
    const atFailure = new RecordingSink<unknown>();
    const run = Stream.range(0, 3)
      .stage((value) => value)
      .errorsTo(atFailure)
      .to(
        new RecordingSink<number>(() => {
          throw new Error('the sink broke');
        }),
      );
    expect((await failing(run)).message).toBe('the sink broke');
    expect(atFailure.closings).toHaveLength(1);
    const controller = new AbortController();
    const atAbort = new RecordingSink<unknown>();
    const waiting = disposeAfter(Channel.local<number>(1));
    const aborted = failing(
      waiting
        .stage((value) => value)
        .errorsTo(atAbort)
        .to(new RecordingSink<number>(), { signal: controller.signal }),
    );
    await turns(3);
    controller.abort();
    await aborted;
    await until(() => atAbort.closings.length === 1, 'the error sink to be closed');
  });

  it('an error sink that fails ends the run', async () => {
    const run = Stream.range(0, 3)
      .stage(() => {
        throw new Error('the item');
      })
      .errorsTo(() => {
        throw new Error('the error sink');
      })
      .to(new RecordingSink<never>());
    expect((await failing(run)).message).toBe('the error sink');
  });
});

describe('worker process of a stage dies', () => {
  const tasks = new URL('../fixtures/stream-tasks.js', import.meta.url);

  function createPool(): ZooPool {
    return disposeAfter(new ZooPool(tasks, { workers: 2 }));
  }

  it('its item runs again while retries allow', async () => {
    const pool = createPool();
    const marker = uniqueName('marker');
    const stream = Stream.range(0, 12)
      .map((value) => ({ value, marker: value === 5 ? marker : undefined }))
      .stage(pool.task('dieOnce', { retries: 2 }) as (job: unknown) => Promise<number>, {
        workers: 4,
      });
    expect(await within(stream.toArray(), 'the film to be complete')).toEqual(numbers(12));
  });

  it('without retries it fails with WorkerDied, and goes to errorsTo', async () => {
    const pool = createPool();
    const failures: unknown[] = [];
    const stream = Stream.range(0, 8)
      .stage(pool.task('dieAtFive') as (value: number) => Promise<number>, {
        workers: 2,
        name: 'five',
      })
      .errorsTo(({ stage, item, error }) => {
        failures.push([stage, item, (error as { code?: string }).code]);
      });
    expect(await within(stream.toArray(), 'the end')).toEqual([0, 1, 2, 3, 4, 6, 7]);
    expect(failures).toEqual([['five', 5, 'ERR_ZOO_WORKER_DIED']]);
  });
});

describe('Broadcast', () => {
  it('everybody gets everything, callbacks and iterators beside each other', async () => {
    const broadcast = new Broadcast(Stream.range(0, 20));
    const heard: number[] = [];
    const subscription = broadcast.subscribe((value) => void heard.push(value));
    const stream = broadcast.stream({ buffer: 3 });
    const run = broadcast.run();
    expect(await within(stream.toArray())).toEqual(numbers(20));
    expect(await settled(subscription, 'the subscriber')).toBe(20);
    expect(await settled(run, 'the broadcast')).toBe(20);
    expect(heard).toEqual(numbers(20));
  });

  it("subscriber slow, 'wait': the source waits for it", async () => {
    const counter = new Counter(50);
    const broadcast = new Broadcast(Stream.from(counter));
    const slow = broadcast.stream({ buffer: 2 })[Symbol.asyncIterator]();
    const heard: number[] = [];
    const subscription = broadcast.subscribe((value) => void heard.push(value));
    const run = broadcast.run();
    expect((await within(slow.next())).value).toBe(0);
    await turns(20);
    expect(counter.given).toBeLessThanOrEqual(6);
    const rest: unknown[] = [];
    for (;;) {
      const next = await within(slow.next());
      if (next.done === true) break;
      rest.push(next.value);
    }
    expect(rest).toEqual(numbers(50).slice(1));
    await settled(run, 'the broadcast');
    await settled(subscription, 'the subscriber');
    expect(heard).toEqual(numbers(50));
  });

  it.each([
    ['drop-oldest', [7, 8, 9]],
    ['drop-newest', [0, 1, 2]],
  ] as const)("subscriber slow, '%s': what does not fit is dropped", async (whenFull, left) => {
    const broadcast = new Broadcast(Stream.range(0, 10));
    const stream = broadcast.stream({ buffer: 3, whenFull });
    expect(await settled(broadcast.run(), 'the broadcast, which nobody holds up')).toBe(10);
    expect(broadcast.stats().subscribers[0]).toMatchObject({ waiting: 3, dropped: 7 });
    expect(await within(stream.toArray())).toEqual(left);
  });

  it('subscriber throws: only that run rejects', async () => {
    const broadcast = new Broadcast(Stream.range(0, 50));
    const thrown = new Error('I am out');
    const bad = failing(
      broadcast.subscribe((value) => {
        if (value === 3) throw thrown;
      }),
    );
    const heard: number[] = [];
    const good = broadcast.subscribe((value) => void heard.push(value));
    const run = broadcast.run();
    expect(await bad).toBe(thrown);
    expect(await settled(good, 'the other subscriber')).toBe(50);
    // What the failed one would still have got holds nobody up: its buffer is freed.
    expect(await settled(run, 'the broadcast')).toBe(50);
    expect(heard).toEqual(numbers(50));
  });

  it('a subscriber that never began holds nobody up', async () => {
    const broadcast = new Broadcast(Stream.range(0, 20));
    const aborted = failing(
      broadcast.subscribe(() => undefined, { signal: AbortSignal.abort('not today') }),
    );
    const subscription = broadcast.subscribe(() => undefined);
    const cancelled = failing(subscription);
    await within(subscription.cancel('nor tomorrow'));
    const all = broadcast.stream();
    const run = broadcast.run();
    expect(await within(all.toArray())).toEqual(numbers(20));
    expect(await settled(run, 'the broadcast')).toBe(20);
    expect([(await aborted).cause, (await cancelled).cause]).toEqual(['not today', 'nor tomorrow']);
  });

  it('a stream that is left holds nobody up', async () => {
    const broadcast = new Broadcast(Stream.range(0, 50));
    const left = broadcast.stream({ buffer: 1 });
    const all = broadcast.stream({ buffer: 1 });
    const run = broadcast.run();
    const loop = async (): Promise<void> => {
      for await (const value of left) if (value === 2) break;
    };
    const [, rest] = await within(Promise.all([loop(), all.toArray()]));
    expect(rest).toEqual(numbers(50));
    expect(await settled(run, 'the broadcast')).toBe(50);
  });

  it('source fails: everybody gets the error after the items before it', async () => {
    const thrown = new Error('the source broke');
    const broadcast = new Broadcast(
      Stream.range(0, 10).map((value) => {
        if (value === 4) throw thrown;
        return value;
      }),
    );
    const heard: number[] = [];
    const subscription = failing(broadcast.subscribe((value) => void heard.push(value)));
    const stream = broadcast.stream({ buffer: 10 });
    const run = failing(broadcast.run());
    expect(await run).toBe(thrown);
    const taken: number[] = [];
    expect(await failing(stream.subscribe((value) => void taken.push(value)))).toBe(thrown);
    expect(await subscription).toBe(thrown);
    expect([heard, taken]).toEqual([numbers(4), numbers(4)]);
  });

  it('cancel() of its run lets go of the source, and nobody takes that for an end', async () => {
    const channel = disposeAfter(Channel.local<number>(1));
    const broadcast = new Broadcast(channel);
    const subscription = failing(broadcast.subscribe(() => undefined));
    const taking = failing(broadcast.stream().toArray());
    const run: Run = broadcast.run();
    const failure = failing(run);
    await turns(3);
    await within(run.cancel('enough'));
    expect(await failure).toMatchObject({ name: 'AbortError', cause: 'enough' });
    await subscription;
    await taking;
    await channel.send(1);
    expect(await within(channel.receive(), 'what nobody took')).toBe(1);
  });
});

describe('batch with a time', () => {
  it('a short batch is given after the time, and at the end', async () => {
    const channel = disposeAfter(Channel.local<number>(8));
    const iterator = channel.batch(100, { ms: 10 })[Symbol.asyncIterator]();
    await channel.send(1);
    await channel.send(2);
    const first: number[] = [];
    while (first.length < 2) first.push(...((await within(iterator.next())).value as number[]));
    expect(first).toEqual([1, 2]);
    await channel.send(3);
    await channel.close();
    expect((await within(iterator.next())).value).toEqual([3]);
    expect((await within(iterator.next())).done).toBe(true);
  });
});

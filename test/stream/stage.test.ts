import { Err, Ok, Stream } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { isPending, runProgram, thrownBy, turns, until, within } from '../support/index.js';
import { iterate, collect, gate, probe, Recorder, type Gate } from './probes.js';

/** A task that waits until the test lets it go, for each item. */
class Tasks {
  readonly started: number[] = [];
  readonly gates = new Map<number, Gate<string>>();
  readonly signals: AbortSignal[] = [];

  readonly task = (item: number, { signal }: { signal: AbortSignal }): Promise<string> => {
    this.started.push(item);
    this.signals.push(signal);
    const opened = gate<string>();
    this.gates.set(item, opened);
    return opened.promise;
  };

  finish(...items: number[]): void {
    for (const item of items) this.gates.get(item)!.open(`done ${item}`);
  }

  fail(item: number, message = `failed ${item}`): void {
    this.gates.get(item)!.fail(new Error(message));
  }
}

const items = [1, 2, 3, 4, 5, 6, 7, 8];

describe('a stage', () => {
  it('runs as many tasks as it has workers, and pulls no more items', async () => {
    for (const ordered of [true, false]) {
      const tasks = new Tasks();
      const source = probe(items);
      const stream = Stream.from(source).stage(tasks.task, { workers: 3, ordered });
      const iterator = iterate(stream);
      expect(source.pulled).toBe(0);
      const first = iterator.next();
      await turns();
      expect(tasks.started).toEqual([1, 2, 3]);
      expect(source.pulled).toBe(3);
      tasks.finish(1);
      expect((await first).value).toBe('done 1');
      await turns();
      expect(source.pulled).toBe(4);
      // Two more are done, but nobody has taken them.
      tasks.finish(2, 3);
      await turns();
      expect(source.pulled).toBe(4);
      await iterator.return!();
    }
  });

  it('delivers in the order of the items', async () => {
    const tasks = new Tasks();
    const iterator = iterate(Stream.from(items).stage(tasks.task, { workers: 3 }));
    const first = iterator.next();
    await turns();
    tasks.finish(3, 2);
    expect(await isPending(first)).toBe(true);
    tasks.finish(1);
    expect((await first).value).toBe('done 1');
    expect((await iterator.next()).value).toBe('done 2');
    expect((await iterator.next()).value).toBe('done 3');
    await iterator.return!();
  });

  it('delivers what is ready first when it need not keep the order', async () => {
    const tasks = new Tasks();
    const stream = Stream.from(items).stage(tasks.task, { workers: 3, ordered: false });
    const iterator = iterate(stream);
    const first = iterator.next();
    await turns();
    tasks.finish(3);
    expect((await first).value).toBe('done 3');
    await turns();
    // The slow one does not keep its neighbours from going on.
    expect(tasks.started).toEqual([1, 2, 3, 4]);
    tasks.finish(4);
    expect((await iterator.next()).value).toBe('done 4');
    tasks.finish(1);
    expect((await iterator.next()).value).toBe('done 1');
    await iterator.return!();
  });

  it('starts the next task when one is over, without being asked for more', async () => {
    const delivered: string[] = [];
    const tasks = new Tasks();
    const consumer = gate();
    const run = Stream.from(items)
      .stage(tasks.task, { workers: 2, ordered: false })
      .subscribe((item) => {
        delivered.push(item);
        return consumer.promise;
      });
    await until(() => tasks.started.length === 2);
    tasks.finish(1);
    await until(() => delivered.length === 1);
    expect(tasks.started).toEqual([1, 2, 3]);
    const cancelled = run.cancel();
    expect(await isPending(cancelled)).toBe(true);
    consumer.open();
    tasks.finish(2, 3);
    await within(cancelled);
  });

  it('takes tasks that answer at once', async () => {
    for (const ordered of [true, false]) {
      const stream = Stream.range(0, 500).stage((n) => n * 2, { workers: 7, ordered });
      expect(await stream.toArray()).toEqual(Array.from({ length: 500 }, (_, i) => i * 2));
    }
  });

  it('delivers all before the first failure, waits for the others, then fails', async () => {
    const tasks = new Tasks();
    const source = probe(items, 'never');
    const outcome = collect(Stream.from(source).stage(tasks.task, { workers: 4 }));
    await until(() => tasks.started.length === 4);
    tasks.fail(3);
    await turns();
    expect(source.returned).toBe(1);
    expect(tasks.signals[0]!.aborted).toBe(false);
    tasks.finish(1);
    tasks.fail(2);
    expect(await isPending(outcome)).toBe(true);
    tasks.finish(4);
    const { items: delivered, failure } = await within(outcome);
    expect(delivered).toEqual(['done 1']);
    expect(failure).toMatchObject({ message: 'failed 2' });
    expect(tasks.started).toEqual([1, 2, 3, 4]);
  });

  it('without order delivers what succeeded before it fails', async () => {
    const tasks = new Tasks();
    const stream = Stream.from(items).stage(tasks.task, { workers: 3, ordered: false });
    const outcome = collect(stream);
    await until(() => tasks.started.length === 3);
    tasks.fail(1);
    tasks.finish(2, 3);
    const { items: delivered, failure } = await within(outcome);
    expect(delivered).toEqual(['done 2', 'done 3']);
    expect(failure).toMatchObject({ message: 'failed 1' });
  });

  it('delivers what was under way when its source fails', async () => {
    const source = probe([1, 2], new Error('broken'));
    const { items: delivered, failure } = await collect(
      Stream.from(source).stage(async (n) => n, { workers: 4 }),
    );
    expect(delivered).toEqual([1, 2]);
    expect(failure).toMatchObject({ message: 'broken' });
  });

  it('tells its tasks when nobody wants their results any more', async () => {
    const tasks = new Tasks();
    const source = probe(items);
    const iterator = iterate(Stream.from(source).stage(tasks.task, { workers: 2 }));
    const next = iterator.next();
    await turns();
    await within(iterator.return!());
    expect((await next).done).toBe(true);
    expect(tasks.signals.every((signal) => signal.aborted)).toBe(true);
    expect(source.returned).toBe(1);
    // Late failures concern nobody, and are no unhandled rejections.
    tasks.fail(1);
    tasks.fail(2);
    await turns();
  });

  it('lets many tasks listen to its signal without a warning', async () => {
    const { stderr, code } = await runProgram(`
      await zoosync.Stream.range(0, 60).stage((n, { signal }) => {
        signal.addEventListener('abort', () => {});
        return n;
      }, { workers: 20 }).toArray();
    `);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  });

  it('refuses options that make no sense', () => {
    const stream = Stream.from([1]);
    for (const workers of [0, -1, NaN, 1.5, Infinity]) {
      expect(thrownBy(() => stream.stage((n) => n, { workers })).code).toBe('ERR_OUT_OF_RANGE');
      expect(thrownBy(() => stream.attempt((n) => n, { workers })).code).toBe('ERR_OUT_OF_RANGE');
    }
    for (const options of [{ workers: '2' }, { ordered: 1 }, { name: 5 }, 7]) {
      expect(thrownBy(() => stream.stage((n) => n, options as never)).code).toBe(
        'ERR_INVALID_ARG_TYPE',
      );
    }
    expect(thrownBy(() => stream.stage((n) => n, { worker: 2 } as never)).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
  });
});

describe('errorsTo', () => {
  const oddFails = async function check(n: number): Promise<number> {
    if (n % 2 === 1) throw new Error(`${n} is odd`);
    return n;
  };

  it('lets failed items leave with stage and error, and goes on', async () => {
    const errors = new Recorder<{ stage: string; item: unknown; error: unknown }>();
    const half = (n: number): number => {
      if (n === 4) throw new Error('four');
      return n / 2;
    };
    const delivered = await Stream.from(items)
      .stage(oddFails, { workers: 2 })
      .stage(half, { name: 'half' })
      .errorsTo(errors)
      .toArray();
    expect(delivered).toEqual([1, 3, 4]);
    expect(errors.items).toHaveLength(5);
    expect(errors.items.find(({ item }) => item === 4)).toMatchObject({
      stage: 'half',
      error: { message: 'four' },
    });
    expect(errors.items.filter(({ stage }) => stage === 'check').map(({ item }) => item)).toEqual([
      1, 3, 5, 7,
    ]);
    expect(errors.closings).toEqual([[]]);
  });

  it('concerns the stages before it, the nearest one first', async () => {
    const first: unknown[] = [];
    const second: unknown[] = [];
    await Stream.from([1, 2])
      .stage(oddFails)
      .errorsTo((failure) => first.push(failure.item))
      .stage((n) => {
        throw new Error(String(n));
      })
      .errorsTo((failure) => second.push(failure.item))
      .toArray();
    expect([first, second]).toEqual([[1], [2]]);
    const { failure } = await collect(
      Stream.from([1])
        .errorsTo(() => {})
        .stage(oddFails),
    );
    expect(failure).toMatchObject({ message: '1 is odd' });
  });

  it('makes the stage wait while the error sink is full', async () => {
    const errors = new Recorder<unknown>(2);
    const source = probe(Array.from({ length: 20 }, (_, i) => i * 2 + 1));
    const outcome = Stream.from(source).stage(oddFails, { workers: 4 }).errorsTo(errors).toArray();
    await until(() => source.pulled >= 6);
    await turns(10);
    expect(source.pulled).toBe(6);
    errors.makeRoom(100);
    expect(await within(outcome)).toEqual([]);
    expect(errors.items).toHaveLength(20);
  });

  it('closes the error sink when the run fails, is left or is aborted', async () => {
    for (const end of [
      (stream: Stream<number>) => collect(Stream.merge(stream, probe<number>([], new Error('x')))),
      (stream: Stream<number>) => stream.take(1).toArray(),
      (stream: Stream<number>) => collect(stream.with({ signal: AbortSignal.timeout(10) })),
    ]) {
      const errors = new Recorder<unknown>();
      await end(
        Stream.from(probe([2], 'never'))
          .stage(oddFails)
          .errorsTo(errors),
      );
      await until(() => errors.closings.length > 0);
      expect(errors.closings).toEqual([[]]);
    }
  });

  it('lets a signal fire while every task fails at once, without end', async () => {
    const { failure } = await collect(
      Stream.range(0, Infinity)
        .stage(() => {
          throw new Error('always');
        })
        .errorsTo(() => {})
        .with({ signal: AbortSignal.timeout(30) }),
    );
    expect(failure).toMatchObject({ code: 'ABORT_ERR' });
  });

  it('ends the run when the error sink refuses', async () => {
    const errors = new Recorder<unknown>();
    errors.refusal = new Error('no room for errors');
    const { failure } = await collect(Stream.from([1, 2]).stage(oddFails).errorsTo(errors));
    expect(failure).toBe(errors.refusal);
  });
});

describe('results', () => {
  const parse = (text: string): number => {
    const number = Number(text);
    if (Number.isNaN(number)) throw new Error(`'${text}' is no number`);
    return number;
  };

  it('keep one bad item from stopping the rest', async () => {
    const results = await Stream.from(['1', 'x', '3']).attempt(parse, { workers: 2 }).toArray();
    expect(results).toEqual([
      { ok: true, value: 1 },
      { ok: false, error: new Error("'x' is no number") },
      { ok: true, value: 3 },
    ]);
  });

  it('are changed on either side and become values again', async () => {
    const stream = Stream.from(['1', 'x', '3'])
      .attempt(async (text) => parse(text))
      .mapOk(async (n) => n * 10)
      .mapOk((n) => n + 1)
      .mapError((error) => `Handled: ${error.message}`);
    expect(await stream.toArray()).toEqual([Ok(11), Err("Handled: 'x' is no number"), Ok(31)]);
    expect(await stream.recover((message) => message.length).toArray()).toEqual([11, 25, 31]);
    expect(await stream.recover(async () => 0).toArray()).toEqual([11, 0, 31]);
  });

  it('do not hide what a change throws', async () => {
    const { failure } = await collect(
      Stream.from([Err(1)]).mapError(() => {
        throw new Error('worse');
      }),
    );
    expect(failure).toMatchObject({ message: 'worse' });
  });

  it('are plain objects', () => {
    expect(structuredClone([Ok(1), Err('no')])).toEqual([
      { ok: true, value: 1 },
      { ok: false, error: 'no' },
    ]);
  });
});

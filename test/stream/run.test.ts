import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { Stream } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  failureOf,
  isPending,
  runProgram,
  thrownBy,
  turns,
  until,
  within,
} from '../support/index.js';
import { gate, probe, Recorder } from './probes.js';

describe('to', () => {
  it('delivers every item to every sink, closes them, and counts', async () => {
    const sinks = [new Recorder<number>(), new Recorder<number>()] as const;
    const written: number[] = [];
    const writable = new Writable({
      objectMode: true,
      write: (n: number, _encoding, finish) => {
        written.push(n);
        finish();
      },
    });
    expect(await Stream.range(0, 300).to(...sinks, writable)).toBe(300);
    const all = Array.from({ length: 300 }, (_, i) => i);
    expect([sinks[0].items, sinks[1].items, written]).toEqual([all, all, all]);
    expect([sinks[0].closings, sinks[1].closings]).toEqual([[[]], [[]]]);
    expect(writable.writableFinished).toBe(true);
  });

  it('begins by itself, after the code that called it has gone on', async () => {
    const sink = new Recorder<number>();
    const source = probe([1, 2]);
    void Stream.from(source).to(sink);
    expect(source.pulled).toBe(0);
    await until(() => sink.closings.length === 1);
    expect(sink.items).toEqual([1, 2]);
  });

  it('waits while a sink has no room', async () => {
    const sink = new Recorder<number>(2);
    const source = probe([1, 2, 3, 4, 5]);
    const run = Stream.from(source).to(sink, new Recorder());
    await until(() => sink.items.length === 2);
    await turns();
    expect(source.pulled).toBe(3);
    sink.makeRoom(10);
    expect(await run).toBe(5);
  });

  it('hands many over at once to a sink that takes many', async () => {
    const calls: number[] = [];
    const sink = Object.assign(new Recorder<number>(), {
      async sendMany(values: readonly number[]): Promise<void> {
        calls.push(values.length);
      },
    });
    expect(await Stream.range(0, 1000).to(sink)).toBe(1000);
    expect(calls.length).toBeLessThan(20);
    expect(calls.reduce((sum, n) => sum + n, sink.items.length)).toBe(1000);
  });

  it('tells the sinks of a failure, after the items before it', async () => {
    const broken = new Error('broken');
    const sink = new Recorder<number>();
    const writable = new PassThrough({ objectMode: true });
    const closed = once(writable, 'error');
    const run = Stream.from(probe([1, 2], broken)).to(sink, writable);
    expect(await failureOf(Promise.resolve(run))).toBe(broken);
    expect(sink.items).toEqual([1, 2]);
    expect(sink.closings).toEqual([[broken]]);
    expect(await closed).toEqual([broken]);
  });

  it('ends when a sink refuses: the source is let go of and the others are told', async () => {
    const refusing = new Recorder<number>();
    refusing.refusal = new Error('no more');
    const full = new Recorder<number>(0);
    const source = probe([1, 2], 'never');
    const run = Stream.from(source).to(full, refusing);
    expect(await failureOf(within(Promise.resolve(run)))).toBe(refusing.refusal);
    expect(source.returned).toBe(1);
    expect(full.closings).toEqual([[refusing.refusal]]);
  });

  it('ends when a Writable is destroyed, before or during the run', async () => {
    const destroyed = new PassThrough();
    destroyed.destroy();
    expect(await codeOf(Promise.resolve(Stream.from(['x']).to(destroyed)))).toBe(
      'ERR_STREAM_PREMATURE_CLOSE',
    );
    expect(await codeOf(Promise.resolve(Stream.from<string>([]).to(destroyed)))).toBe(
      'ERR_STREAM_PREMATURE_CLOSE',
    );

    const full = new PassThrough({ highWaterMark: 1 });
    const source = probe(['a', 'b', 'c', 'd'], 'never');
    const run = Stream.from(source).to(full);
    await until(() => full.writableNeedDrain);
    full.destroy(new Error('EPIPE or so'));
    expect((await failureOf(Promise.resolve(run))).message).toBe('EPIPE or so');
    expect(source.returned).toBe(1);
  });

  it('keeps no more than its high water mark in a Writable', async () => {
    const writable = new PassThrough({ objectMode: true, highWaterMark: 3 });
    const source = probe(Array.from({ length: 50 }, (_, i) => i));
    const run = Stream.from(source).to(writable);
    await until(() => writable.writableNeedDrain || writable.readableLength >= 3);
    await turns(10);
    expect(source.pulled).toBeLessThan(10);
    writable.resume();
    expect(await run).toBe(50);
    expect(writable.listenerCount('error')).toBe(0);
  });

  it('leaves stdout open, as pipe does', async () => {
    const { stdout, code } = await runProgram(`
      await zoosync.Stream.from(['a', 'b']).to(process.stdout);
      await zoosync.Stream.from(['c']).to(process.stdout);
      console.log('d');
    `);
    expect({ stdout, code }).toEqual({ stdout: 'abcd\n', code: 0 });
  });

  it('refuses what is no sink, and options in the wrong place', () => {
    const stream = Stream.from([1]);
    const sink = new Recorder<number>();
    for (const call of [
      () => stream.to(),
      () => stream.to({} as never),
      () => stream.to({ send: () => {} } as never),
      () => stream.to(5 as never, sink),
      () => stream.to({ signal: undefined } as never),
    ]) {
      expect(thrownBy(call).code).toBe('ERR_INVALID_ARG_TYPE');
    }
    expect(thrownBy(() => stream.to(sink, { timeout: 5 } as never)).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
  });
});

describe('a run', () => {
  it('that is aborted closes its sinks with the reason and awaits its tasks', async () => {
    const controller = new AbortController();
    const task = gate<number>();
    let signalOfTask: AbortSignal | undefined;
    const sink = new Recorder<number>();
    const source = probe([1], 'never');
    const run = Stream.from(source)
      .stage((_item: number, { signal }) => {
        signalOfTask = signal;
        return task.promise;
      })
      .to(sink, { signal: controller.signal });
    const outcome = failureOf(Promise.resolve(run));
    await until(() => signalOfTask);
    const reason = new Error('enough');
    controller.abort(reason);
    await until(() => sink.closings.length === 1);
    expect(sink.closings).toEqual([[reason]]);
    expect(signalOfTask!.reason).toBe(reason);
    expect(await isPending(outcome)).toBe(true);
    task.fail(new Error('late'));
    expect(await within(outcome)).toMatchObject({ name: 'AbortError', cause: reason });
  });

  it('interrupts a send that waits for room', async () => {
    const sink = new Recorder<number>(0);
    const run = Stream.from([1]).to(sink, { signal: AbortSignal.timeout(10) });
    expect(await codeOf(within(Promise.resolve(run)))).toBe('ABORT_ERR');
    expect(sink.items).toEqual([]);
  });

  it('can be cancelled while its sink takes for ever to finish', async () => {
    const stuck = new Writable({
      objectMode: true,
      write: (_item, _encoding, finish) => finish(),
      final() {},
    });
    const run = Stream.from([1]).to(stuck);
    await until(() => stuck.writableEnded);
    await within(run.cancel());
    expect(stuck.destroyed).toBe(true);
    expect(await codeOf(Promise.resolve(run))).toBe('ABORT_ERR');
  });

  it('can be cancelled, before and after it began', async () => {
    const source = probe([1, 2], 'never');
    const sink = new Recorder<number>();
    const run = Stream.from(source).to(sink);
    await until(() => sink.items.length === 2);
    await within(run.cancel('because'));
    expect(source.returned).toBe(1);
    expect(sink.closings).toEqual([['because']]);
    expect(await failureOf(Promise.resolve(run))).toMatchObject({
      code: 'ABORT_ERR',
      cause: 'because',
    });

    const early = new Recorder<number>();
    const second = Stream.from([1]).to(early);
    await within(second.cancel());
    expect(early.items).toEqual([]);
    expect(early.closings).toHaveLength(1);
    expect(await codeOf(Promise.resolve(second))).toBe('ABORT_ERR');
  });

  it('shows what its stages do', async () => {
    const open = gate();
    const sink = new Recorder<number>();
    const run = Stream.range(0, 6)
      .stage(async function parse(n: number) {
        if (n === 1) throw new Error('one');
        return n;
      })
      .stage(
        async (n) => {
          await open.promise;
          return n;
        },
        { workers: 2, name: 'slow' },
      )
      .errorsTo(() => {})
      .to(sink);
    await until(() => run.stats()[1]?.busy === 2);
    await turns();
    expect(run.stats()).toMatchObject([
      { name: 'parse', workers: 1, busy: 0, done: 3, failed: 1, waiting: 1 },
      { name: 'slow', workers: 2, busy: 2, done: 0, failed: 0, waiting: 0 },
    ]);
    expect(run.stats()[0]!.perSecond).toBeGreaterThanOrEqual(0);
    open.open();
    expect(await run).toBe(5);
    expect(run.stats()).toMatchObject([
      { name: 'parse', busy: 0, done: 5, failed: 1, waiting: 0 },
      { name: 'slow', busy: 0, done: 5, failed: 0, waiting: 0 },
    ]);
  });

  it('that fails with nobody awaiting it warns, and does not end the process', async () => {
    const { code, stderr } = await runProgram(`
      const failing = async function* () { throw new Error('nobody listens'); };
      zoosync.Stream.from(failing()).subscribe(() => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
    `);
    expect(code).toBe(0);
    expect(stderr).toContain('ZOO_RUN_FAILED');
    expect(stderr).toContain('nobody listens');
  });
});

describe('subscribe', () => {
  it('calls for one item at a time, and waits', async () => {
    const seen: number[] = [];
    let running = 0;
    const run = Stream.range(0, 5).subscribe(async (n) => {
      expect((running += 1)).toBe(1);
      await turns(1);
      running -= 1;
      seen.push(n);
    });
    expect(await run).toBe(5);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it('ends with what the callback throws, and lets go of the source', async () => {
    const source = probe([1, 2, 3]);
    const run = Stream.from(source).subscribe((n) => {
      if (n === 2) throw new Error('two');
    });
    expect((await failureOf(Promise.resolve(run))).message).toBe('two');
    expect(source).toMatchObject({ pulled: 2, returned: 1 });
  });

  it('waits for the call that is under way when it is aborted', async () => {
    const call = gate();
    const controller = new AbortController();
    const seen: number[] = [];
    const run = Stream.from([1, 2]).subscribe(
      (n) => {
        seen.push(n);
        return call.promise;
      },
      { signal: controller.signal },
    );
    await until(() => seen.length === 1);
    controller.abort();
    const outcome = codeOf(Promise.resolve(run));
    expect(await isPending(outcome)).toBe(true);
    call.open();
    expect(await within(outcome)).toBe('ABORT_ERR');
    expect(seen).toEqual([1]);
  });
});

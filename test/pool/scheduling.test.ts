import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { codeOf, failureOf, isPending, turns, until, within } from '../support/index.js';
import { describeEachKind, makeGate, type Gate } from '../support/pools.js';

const started = (gate: Gate): string[] => gate.log().filter((line) => !/^(start|end) /.test(line));

describeEachKind('order', (pools) => {
  const shared = pools.share();

  it('is first in, first out', async () => {
    const gate = makeGate();
    const pool = shared();
    const names = Array.from({ length: 50 }, (_, i) => `${i}`);
    await Promise.all(names.map((name) => pool.run('note', [gate.directory, name])));
    expect(gate.log()).toEqual(names);
  });

  it('begins, and goes on, while the program still makes its calls', async () => {
    const gate = makeGate();
    const pool = shared();
    await pool.ready();
    const pause = new Int32Array(new SharedArrayBuffer(4));
    const calls: Promise<unknown>[] = [];
    // The event loop gets no turn meanwhile.
    const deadline = performance.now() + 10_000;
    while (gate.log().length < 10 && performance.now() < deadline) {
      for (let i = 0; i < 32; i++) {
        calls.push(pool.run('note', [gate.directory, `${calls.length}`]));
      }
      Atomics.wait(pause, 0, 0, 5);
    }
    expect(gate.log().length).toBeGreaterThanOrEqual(10);
    await Promise.all(calls);
    expect(gate.log()).toEqual(calls.map((_, i) => `${i}`));
  });

  it('goes by priority first, and inside one first in, first out', async () => {
    const gate = makeGate();
    const pool = shared();
    const held = pool.run('hold', [gate.directory, 'first']);
    await gate.logged('start first');
    const priorities = [0, 5, 1, 5, -1, 0, 1, 5, 2.5, -1];
    const calls = priorities.map((priority, i) =>
      pool.run('note', [gate.directory, `${priority}: ${i}`], { priority }),
    );
    gate.open();
    await Promise.all([held, ...calls]);
    expect(started(gate)).toEqual([
      '5: 1',
      '5: 3',
      '5: 7',
      '2.5: 8',
      '1: 2',
      '1: 6',
      '0: 0',
      '0: 5',
      '-1: 4',
      '-1: 9',
    ]);
  });

  it('lets an urgent task overtake what was sent to a worker ahead of it', async () => {
    const gate = makeGate();
    const pool = shared();
    // Many short tasks: the pool sends them ahead.
    await Promise.all(Array.from({ length: 500 }, (_, i) => pool.run('add', [i, 1])));
    const held = pool.run('hold', [gate.directory, 'first']);
    const usual = Array.from({ length: 20 }, (_, i) => pool.run('note', [gate.directory, `${i}`]));
    await gate.logged('start first');
    const urgent = pool.run('note', [gate.directory, 'urgent'], { priority: 1 });
    gate.open();
    await Promise.all([held, urgent, ...usual]);
    expect(started(gate)[0]).toBe('urgent');
  });

  it('does not make the tasks behind a slow one wait while another worker is free', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    await Promise.all(Array.from({ length: 500 }, (_, i) => pool.run('add', [i, 1])));
    const held = pool.run('hold', [gate.directory, 'slow']);
    const others = Array.from({ length: 100 }, (_, i) => pool.run('add', [i, 1]));
    await within(Promise.all(others), 'the tasks behind a slow one');
    expect(await isPending(held)).toBe(true);
    gate.open();
    expect(await held).toBe('slow');
  });

  it('lets a task that does not let go of its worker hold up nobody else', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    await Promise.all(Array.from({ length: 500 }, (_, i) => pool.run('add', [i, 1])));
    const stuck = pool.run('stuck', [gate.directory, 'stuck']);
    const others = Array.from({ length: 100 }, (_, i) => pool.run('add', [i, 1]));
    await within(Promise.all(others), 'the tasks behind a stuck one');
    gate.open();
    expect(await stuck).toBe('stuck');
  });
});

describeEachKind('a key', (pools) => {
  it('keeps tasks on one worker', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 3 });
    await pool.ready();
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const rounds = await Promise.all(
      Array.from({ length: 10 }, () =>
        Promise.all(
          keys.map((key) => pool.run('whoAmI', [], { key }).then(({ worker }) => worker)),
        ),
      ),
    );
    for (const round of rounds) expect(round).toEqual(rounds[0]);
    expect(new Set(rounds[0]).size).toBeGreaterThan(1);
  });

  it('keeps the order of its tasks', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    const lines = Array.from({ length: 30 }, (_, i) => `${i}`);
    await Promise.all(lines.map((line) => pool.run('note', [gate.directory, line], { key: 'k' })));
    expect(gate.log()).toEqual(lines);
  });

  it('waits for its worker, while others do not', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    await pool.ready();
    const held = pool.run('hold', [gate.directory, 'held'], { key: 'k' });
    await gate.logged('start held');
    const behind = pool.run('whoAmI', [], { key: 'k' });
    await Promise.all(Array.from({ length: 20 }, (_, i) => pool.run('add', [i, 1])));
    expect(await isPending(behind)).toBe(true);
    gate.open();
    await Promise.all([held, behind]);
  });

  it('moves when its worker dies', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    await pool.ready();
    const first = await pool.run('whoAmI', [], { key: 'k' });
    expect(await codeOf(pool.run('die', ['kill'], { key: 'k' }))).toBe('ERR_ZOO_WORKER_DIED');
    const second = await pool.run('whoAmI', [], { key: 'k' });
    expect(second.worker).not.toBe(first.worker);
    expect((await pool.run('whoAmI', [], { key: 'k' })).worker).toBe(second.worker);
  });
});

describeEachKind('concurrency', (pools) => {
  it('is one task at a time per worker unless asked for', async () => {
    const gate = makeGate();
    const pool = pools.open();
    const held = pool.run('hold', [gate.directory, 'a']);
    await gate.logged('start a');
    const second = pool.run('hold', [gate.directory, 'b']);
    await pool.ready();
    expect(gate.log()).toEqual(['start a']);
    gate.open();
    await Promise.all([held, second]);
    expect(gate.log()).toEqual(['start a', 'end a', 'start b', 'end b']);
  });

  it('is so many at a time, and not one more', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { concurrency: 3 });
    const held = ['a', 'b', 'c', 'd', 'e'].map((name) => pool.run('hold', [gate.directory, name]));
    await gate.logged('start a', 'start b', 'start c');
    expect(pool.stats.running + pool.stats.queued).toBe(5);
    expect(gate.log()).toEqual(['start a', 'start b', 'start c']);
    gate.open('b');
    await gate.logged('start d');
    expect(gate.log()).not.toContain('start e');
    gate.open();
    expect(await Promise.all(held)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('answers in whatever order the tasks end', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { concurrency: 2 });
    const slow = pool.run('hold', [gate.directory, 'slow']);
    expect(await pool.run('add', [1, 2])).toBe(3);
    expect(await isPending(slow)).toBe(true);
    gate.open();
    expect(await slow).toBe('slow');
  });
});

describeEachKind('a full queue', (pools) => {
  it('refuses the next task', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { maxQueue: 2 });
    const held = pool.run('hold', [gate.directory, 'a']);
    await gate.logged('start a');
    expect(pool.needsDrain).toBe(false);
    const waiting = [pool.run('add', [1, 1]), pool.run('add', [2, 2])];
    expect(pool.needsDrain).toBe(true);
    const error = await failureOf(() => pool.run('add', [3, 3]));
    expect(error.code).toBe('ERR_ZOO_FULL');
    const drained = once(pool, 'drain');
    gate.open();
    expect(await Promise.all([held, ...waiting])).toEqual(['a', 2, 4]);
    await within(drained, "the event 'drain'");
    expect(pool.needsDrain).toBe(false);
    expect(await pool.run('add', [4, 4])).toBe(8);
  });

  it('makes the next task wait, when asked to', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { maxQueue: 1, overflow: 'wait' });
    const held = pool.run('hold', [gate.directory, 'a']);
    await gate.logged('start a');
    const names = Array.from({ length: 10 }, (_, i) => `${i}`);
    const waiting = names.map((name) => pool.run('note', [gate.directory, name]));
    const controller = new AbortController();
    const given = pool.run('note', [gate.directory, 'never'], { signal: controller.signal });
    await turns();
    controller.abort('changed my mind');
    expect(await failureOf(given)).toMatchObject({ code: 'ABORT_ERR', cause: 'changed my mind' });
    gate.open();
    await Promise.all([held, ...waiting]);
    expect(started(gate)).toEqual(names);
  });

  it('with no room at all still takes what a worker can start', async () => {
    const pool = pools.open('pool-tasks.js', { maxQueue: 1 });
    for (let i = 0; i < 20; i += 1) expect(await pool.run('add', [i, 1])).toBe(i + 1);
  });

  it("ends in 'drain' once it is empty again", async () => {
    const gate = makeGate();
    const pool = pools.open();
    let drains = 0;
    pool.on('drain', () => (drains += 1));
    const held = pool.run('hold', [gate.directory, 'a']);
    const behind = pool.run('add', [1, 1]);
    await gate.logged('start a');
    expect(drains).toBe(0);
    gate.open();
    await Promise.all([held, behind]);
    await until(() => drains === 1, "the event 'drain'");
    for (let i = 0; i < 10; i += 1) await pool.run('add', [i, 1]);
    // Nothing had to wait since.
    expect(drains).toBe(1);
  });
});

describeEachKind('queueTimeout', (pools) => {
  const shared = pools.share();

  it('ends the wait of a task that was not started in time, and only that', async () => {
    const gate = makeGate();
    const pool = shared();
    const held = pool.run('hold', [gate.directory, 'a'], { queueTimeout: 20_000 });
    await gate.logged('start a');
    const late = pool.run('note', [gate.directory, 'late'], { queueTimeout: 30 });
    const patient = pool.run('note', [gate.directory, 'patient']);
    const error = await failureOf(late);
    expect(error.code).toBe('ERR_ZOO_TIMEOUT');
    expect(await isPending(held)).toBe(true);
    gate.open();
    expect(await Promise.all([held, patient])).toEqual(['a', 'patient']);
    expect(gate.log()).not.toContain('late');
  });

  it('can be set for the whole pool, and lifted for one task', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { queueTimeout: 30 });
    await pool.ready();
    const held = pool.run('hold', [gate.directory, 'a'], { queueTimeout: Infinity });
    await gate.logged('start a');
    const late = pool.run('note', [gate.directory, 'late']);
    const patient = pool.run('note', [gate.directory, 'patient'], { queueTimeout: 60_000 });
    expect(await codeOf(late)).toBe('ERR_ZOO_TIMEOUT');
    gate.open();
    expect(await Promise.all([held, patient])).toEqual(['a', 'patient']);
  });

  it('does not touch a task that runs', async () => {
    const gate = makeGate();
    const pool = shared();
    await pool.ready();
    const held = pool.run('hold', [gate.directory, 'a'], { queueTimeout: 5000 });
    await gate.logged('start a');
    const witness = pool.run('add', [1, 1], { queueTimeout: 40 });
    expect(await codeOf(witness)).toBe('ERR_ZOO_TIMEOUT');
    await sleep(40);
    expect(await isPending(held)).toBe(true);
    gate.open();
    expect(await held).toBe('a');
  });
});

describeEachKind('retries', (pools) => {
  it('are none by default: a task whose worker died has run once', async () => {
    const gate = makeGate();
    const pool = pools.open();
    const error = await failureOf(pool.run('dieAtFirst', [gate.directory, 1]));
    expect(error).toMatchObject({
      name: 'WorkerDied',
      code: 'ERR_ZOO_WORKER_DIED',
      attempts: 1,
      started: true,
    });
    expect(await pool.run('add', [1, 1])).toBe(2);
    expect(gate.log()).toEqual(['attempt 1']);
  });

  it('run it again in another worker, and say so', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { retries: 2 });
    const events: unknown[] = [];
    pool.on('retry', (event) => events.push(event));
    const { pid } = await pool.run('whoAmI', []);
    expect(await pool.run('dieAtFirst', [gate.directory, 2])).toBe(3);
    expect(gate.log()).toEqual(['attempt 1', 'attempt 2', 'attempt 3']);
    expect(events).toMatchObject([
      { name: 'dieAtFirst', attempt: 2, pid },
      { name: 'dieAtFirst', attempt: 3 },
    ]);
    expect(pool.stats.retried).toBe(2);
  });

  it('come to an end: a poison task costs retries + 1 workers', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { retries: 1 });
    let exits = 0;
    pool.on('worker:exit', () => (exits += 1));
    const error = await failureOf(pool.run('dieAtFirst', [gate.directory, 10]));
    expect(error).toMatchObject({ code: 'ERR_ZOO_WORKER_DIED', attempts: 2, started: true });
    expect(await pool.run('add', [1, 1])).toBe(2);
    expect(exits).toBe(2);
  });

  it('of a task override those of the pool', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { retries: 1 });
    const error = await failureOf(pool.run('dieAtFirst', [gate.directory, 1], { retries: 0 }));
    expect(error).toMatchObject({ code: 'ERR_ZOO_WORKER_DIED', attempts: 1 });
    expect(await pool.run('dieAtFirst', [gate.directory, 2], { retries: 2 })).toBe(3);
  });

  it('put the task before those that came later', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { retries: 1 });
    const dying = pool.run('dieAtFirst', [gate.directory, 1]);
    const later = ['x', 'y', 'z'].map((line) => pool.run('note', [gate.directory, line]));
    expect(await dying).toBe(2);
    await Promise.all(later);
    expect(gate.log()).toEqual(['attempt 1', 'attempt 2', 'x', 'y', 'z']);
  });
});

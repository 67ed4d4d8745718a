import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { codeOf, failureOf, isPending, until, within } from '../support/index.js';
import { describeEachKind, makeGate } from '../support/pools.js';

describeEachKind('an abort', (pools) => {
  const shared = pools.share();

  it('before the call starts nothing', async () => {
    const gate = makeGate();
    const pool = shared();
    const reason = new Error('too late');
    const error = await failureOf(
      pool.run('note', [gate.directory, 'x'], { signal: AbortSignal.abort(reason) }),
    );
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    expect(error.cause).toBe(reason);
    expect(await pool.run('add', [1, 1])).toBe(2);
    expect(gate.log()).toEqual([]);
  });

  it('of a waiting task rejects at once, and it never runs', async () => {
    const gate = makeGate();
    const pool = shared();
    const held = pool.run('hold', [gate.directory, 'a']);
    await gate.logged('start a');
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = pool.run('note', [gate.directory, 'never'], { signal });
    const behind = pool.run('note', [gate.directory, 'behind']);
    controller.abort('not needed');
    expect(await failureOf(waiting)).toMatchObject({ code: 'ABORT_ERR', cause: 'not needed' });
    expect(await isPending(held)).toBe(true);
    gate.open();
    await Promise.all([held, behind]);
    expect(gate.log()).toEqual(['start a', 'end a', 'behind']);
    expect(pool.workers).toHaveLength(1);
  });

  it('reaches tasks that were sent to the worker ahead', async () => {
    const gate = makeGate();
    const pool = shared();
    await Promise.all(Array.from({ length: 500 }, (_, i) => pool.run('add', [i, 1])));
    const { worker } = await pool.run('whoAmI', []);
    const held = pool.run('hold', [gate.directory, 'a']);
    const controller = new AbortController();
    const ahead = Array.from({ length: 20 }, (_, i) =>
      pool.run('note', [gate.directory, `${i}`], i % 2 === 0 ? {} : { signal: controller.signal }),
    );
    await gate.logged('start a');
    controller.abort();
    const answers = Promise.allSettled(ahead);
    gate.open();
    expect((await answers).map(({ status }) => status)).toEqual(
      ahead.map((_, i) => (i % 2 === 0 ? 'fulfilled' : 'rejected')),
    );
    await held;
    expect(gate.log().slice(2)).toEqual(['0', '2', '4', '6', '8', '10', '12', '14', '16', '18']);
    expect((await pool.run('whoAmI', [])).worker).toBe(worker);
  });

  it('reaches the signal of a running task, whose worker stays when it obeys', async () => {
    const gate = makeGate();
    const pool = shared();
    const { worker } = await pool.run('whoAmI', []);
    const controller = new AbortController();
    const running = pool.run('cooperate', [gate.directory, 'a'], { signal: controller.signal });
    await gate.logged('start a');
    const reason = new RangeError('enough');
    controller.abort(reason);
    const error = await failureOf(running);
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    expect(error.cause).toBe(reason);
    await gate.logged('aborted a');
    expect((await pool.run('whoAmI', [])).worker).toBe(worker);
  });

  it('of a task that does not listen costs one worker, and nobody else anything', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2, killAfter: 60 });
    await pool.ready();
    const exits: number[] = [];
    pool.on('worker:exit', ({ id }: { id: number }) => exits.push(id));
    const other = pool.run('hold', [gate.directory, 'other']);
    await gate.logged('start other');
    const controller = new AbortController();
    const deaf = pool.run('hold', [gate.directory, 'deaf'], { signal: controller.signal });
    await gate.logged('start deaf');
    const waiting = pool.run('add', [1, 1]);
    controller.abort();
    expect(await codeOf(deaf)).toBe('ABORT_ERR');
    expect(await within(waiting, 'the task behind')).toBe(2);
    expect(exits).toHaveLength(1);
    gate.open();
    expect(await other).toBe('other');
    expect(gate.log()).not.toContain('end deaf');
  });

  it('of a task that never lets go rejects at once, and its worker is replaced', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { killAfter: 60 });
    const { worker } = await pool.run('whoAmI', []);
    const [info] = pool.workers;
    const controller = new AbortController();
    const stuck = pool.run('stuck', [gate.directory, 'a'], { signal: controller.signal });
    await gate.logged('start a');
    const behind = pool.run('whoAmI', []);
    controller.abort();
    expect(await codeOf(stuck)).toBe('ABORT_ERR');
    expect((await within(behind, 'the task behind')).worker).not.toBe(worker);
    if (info) await pools.untilGone(info);
    expect(gate.log()).not.toContain('end a');
  });

  it('never makes a task run again, whatever its retries', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { killAfter: 20, retries: 3 });
    const controller = new AbortController();
    const stuck = pool.run('stuck', [gate.directory, 'a'], { signal: controller.signal });
    await gate.logged('start a');
    controller.abort();
    expect(await codeOf(stuck)).toBe('ABORT_ERR');
    expect(await pool.run('add', [1, 1])).toBe(2);
    expect(gate.log()).toEqual(['start a']);
    expect(pool.stats.retried).toBe(0);
  });

  it('after the answer changes nothing, and no listener stays behind', async () => {
    const pool = shared();
    const controller = new AbortController();
    const { signal } = controller;
    const { worker } = await pool.run('whoAmI', [], { signal });
    await Promise.all(Array.from({ length: 50 }, (_, i) => pool.run('add', [i, 1], { signal })));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    controller.abort();
    expect((await pool.run('whoAmI', [])).worker).toBe(worker);
  });

  it('of many at once settles each of them', async () => {
    const pool = pools.open('pool-tasks.js', { workers: 2 });
    await pool.ready();
    const controller = new AbortController();
    const calls = Array.from({ length: 2000 }, (_, i) =>
      pool
        .run('add', [i, 1], { signal: controller.signal })
        .catch((error: { code: string }) => error.code),
    );
    await calls[100];
    controller.abort();
    const answers = await within(Promise.all(calls), 'all to settle');
    for (const [i, answer] of answers.entries()) expect([i + 1, 'ABORT_ERR']).toContain(answer);
    expect(await pool.run('add', [1, 1])).toBe(2);
  });
});

describeEachKind('a timeout', (pools) => {
  const shared = pools.share();

  it('ends a task, whose worker stays when it obeys its signal', async () => {
    const gate = makeGate();
    const pool = shared();
    const { worker } = await pool.run('whoAmI', []);
    const error = await failureOf(pool.run('cooperate', [gate.directory, 'a'], { timeout: 40 }));
    expect(error.code).toBe('ERR_ZOO_TIMEOUT');
    expect(error.message).toContain('40');
    await gate.logged('aborted a');
    expect((await pool.run('whoAmI', [])).worker).toBe(worker);
  });

  it('ends a task that never lets go, and its worker is replaced', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { timeout: 40, killAfter: 40 });
    const { worker } = await pool.run('whoAmI', []);
    expect(await codeOf(pool.run('stuck', [gate.directory, 'a']))).toBe('ERR_ZOO_TIMEOUT');
    const { worker: next } = await pool.run('whoAmI', [], { timeout: 30_000 });
    expect(next).not.toBe(worker);
  });

  it('counts from the start of the task, and not from the call', async () => {
    const gate = makeGate();
    const pool = shared();
    const held = pool.run('hold', [gate.directory, 'a']);
    await gate.logged('start a');
    const waiting = pool.run('note', [gate.directory, 'b'], { timeout: 700 });
    await sleep(900);
    expect(await isPending(waiting)).toBe(true);
    gate.open();
    expect(await Promise.all([held, waiting])).toEqual(['a', 'b']);
  });

  it('of a task overrides that of the pool', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { timeout: 40 });
    const held = pool.run('hold', [gate.directory, 'a'], { timeout: 30_000 });
    await sleep(100);
    expect(await isPending(held)).toBe(true);
    gate.open();
    expect(await held).toBe('a');
  });

  it('leaves the other tasks alone', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { workers: 2, killAfter: 30 });
    await pool.ready();
    const other = pool.run('hold', [gate.directory, 'other']);
    await gate.logged('start other');
    expect(await codeOf(pool.run('stuck', [gate.directory, 'a'], { timeout: 30 }))).toBe(
      'ERR_ZOO_TIMEOUT',
    );
    expect(await pool.run('add', [1, 1])).toBe(2);
    gate.open();
    expect(await other).toBe('other');
  });

  it('applies with several tasks at a time in one worker', async () => {
    const gate = makeGate();
    const pool = pools.open('pool-tasks.js', { concurrency: 2 });
    const { worker } = await pool.run('whoAmI', []);
    const other = pool.run('hold', [gate.directory, 'other']);
    const error = await failureOf(pool.run('cooperate', [gate.directory, 'a'], { timeout: 40 }));
    expect(error.code).toBe('ERR_ZOO_TIMEOUT');
    gate.open('other');
    expect(await other).toBe('other');
    expect((await pool.run('whoAmI', [])).worker).toBe(worker);
  });

  it('is no limit for a task that ends in time', async () => {
    const pool = pools.open('pool-tasks.js', { timeout: 30_000, queueTimeout: 30_000 });
    const calls = Array.from({ length: 1000 }, (_, i) => pool.run('add', [i, 1]));
    expect(await Promise.all(calls)).toEqual(calls.map((_, i) => i + 1));
    await until(() => pool.stats.running === 0 && pool.stats.queued === 0);
  });
});

import { ZooError, ZooMemory, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { failureOf, thrownBy, track, uniqueName } from './support/index.js';

describe('errors', () => {
  it('are ZooErrors, with their class in the name and the stack', async () => {
    const queue = track(ZooQueue.create(uniqueName()));
    const failure = await failureOf(queue.get({ timeout: 1 }));
    expect(failure).toBeInstanceOf(ZooError);
    expect(failure).toBeInstanceOf(Error);
    expect(failure.name).toBe('ZooError');
    expect(failure.stack).toMatch(/^ZooError: get on queue/);
    expect(thrownBy(() => queue.getSync({ timeout: 0 })).stack).toContain('errors.test');
    expect(Object.prototype.toString.call(failure)).toBe('[object Error]');
  });

  it('say what failed, with which name and values', async () => {
    const queue = track(ZooQueue.create(uniqueName('orders'), { size: 4096 }));
    const absent = uniqueName('absent');
    for (const [action, words] of [
      [() => queue.get({ timeout: 7 }), ['orders', '7', 'get']],
      [() => queue.getSync({ timeout: 7 }), ['orders', '7']],
      [() => ZooQueue.open(absent), [absent]],
      [() => ZooQueue.create(queue.name), ['orders']],
      [() => queue.tryPutBytes(Buffer.alloc(100_000)), ['orders', '100000']],
      [() => ZooMemory.open(absent), [absent]],
      [() => ZooMemory.open(queue.name), ['orders', 'queue']],
      [() => ZooQueue.waitFor(absent, { timeout: 9 }), [absent, '9']],
    ] as const) {
      const failure = await failureOf(action as () => unknown);
      expect(failure).toBeInstanceOf(ZooError);
      for (const word of words) expect(failure.message).toContain(word);
      expect(failure.message.length).toBeGreaterThan(30);
    }
  });

  it('of arguments are the ones Node has', () => {
    const wrongType = thrownBy(() => new ZooQueue(5 as never));
    expect(wrongType).toBeInstanceOf(TypeError);
    expect(wrongType.code).toBe('ERR_INVALID_ARG_TYPE');
    expect(wrongType.message).toContain('name');
    const wrongRange = thrownBy(() => new ZooQueue(uniqueName(), { size: -1 }));
    expect(wrongRange).toBeInstanceOf(RangeError);
    expect(wrongRange.code).toBe('ERR_OUT_OF_RANGE');
    expect(wrongRange.message).toContain('-1');
  });

  it('of aborts are the ones Node has', async () => {
    const queue = track(ZooQueue.create(uniqueName()));
    const failure = await failureOf(queue.get({ signal: AbortSignal.abort() }));
    expect([failure.name, failure.code]).toEqual(['AbortError', 'ABORT_ERR']);
    expect((failure.cause as DOMException).name).toBe('AbortError');
    const late = await failureOf(queue.get({ signal: AbortSignal.timeout(5) }));
    expect([late.name, late.code]).toEqual(['AbortError', 'ABORT_ERR']);
    expect((late.cause as DOMException).name).toBe('TimeoutError');
  });

  it('can be made by users as well, for their tests', () => {
    const error = new ZooError('ERR_ZOO_FULL', 'no room', { segment: 'x', size: 5 });
    expect(error).toMatchObject({
      code: 'ERR_ZOO_FULL',
      message: 'no room',
      segment: 'x',
      size: 5,
    });
    expect('limit' in error).toBe(false);
    expect('cause' in error).toBe(false);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: 'ERR_ZOO_FULL',
      segment: 'x',
      size: 5,
    });
  });

  it('of too many participants say so, and a place that is left can be taken again', () => {
    const queue = track(ZooQueue.create(uniqueName(), { size: 4096 }));
    const handles: ZooQueue[] = [];
    try {
      const failure = thrownBy(() => {
        for (let i = 0; i < 5000; i += 1) handles.push(ZooQueue.open(queue.name));
      });
      expect(failure.code).toBe('ERR_ZOO_FULL');
      expect(failure.segment).toBe(queue.name);
      expect(handles.length).toBeGreaterThanOrEqual(15);
      handles.pop()?.close();
      handles.push(ZooQueue.open(queue.name));
      expect(queue.stats().participants).toHaveLength(handles.length + 1);
    } finally {
      for (const handle of handles) handle.close();
    }
    queue.putSync(1);
    expect(queue.getSync()).toBe(1);
  });
});

import { ZooQueue, type QueueOptions } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { failureOf, thrownBy, track, uniqueName } from './support/index.js';

describe('options of a queue', () => {
  it.each<[unknown, string, string]>([
    [{ siz: 4096 }, 'ERR_INVALID_ARG_VALUE', 'siz'],
    [{ Size: 4096 }, 'ERR_INVALID_ARG_VALUE', 'Size'],
    [{ timeout: 5 }, 'ERR_INVALID_ARG_VALUE', 'timeout'],
    [{ size: 0 }, 'ERR_OUT_OF_RANGE', 'size'],
    [{ size: -4096 }, 'ERR_OUT_OF_RANGE', 'size'],
    [{ size: 4096.5 }, 'ERR_OUT_OF_RANGE', 'size'],
    [{ size: Number.NaN }, 'ERR_OUT_OF_RANGE', 'size'],
    [{ size: Number.POSITIVE_INFINITY }, 'ERR_OUT_OF_RANGE', 'size'],
    [{ size: '10000TiB' }, 'ERR_OUT_OF_RANGE', 'size'],
    [{ size: '10MB' }, 'ERR_INVALID_ARG_VALUE', 'size'],
    [{ size: 'MiB' }, 'ERR_INVALID_ARG_VALUE', 'size'],
    [{ size: '-1MiB' }, 'ERR_INVALID_ARG_VALUE', 'size'],
    [{ size: '' }, 'ERR_INVALID_ARG_VALUE', 'size'],
    [{ size: null }, 'ERR_INVALID_ARG_TYPE', 'size'],
    [{ size: 4096n }, 'ERR_INVALID_ARG_TYPE', 'size'],
    [{ slots: 4 }, 'ERR_INVALID_ARG_VALUE', 'slotSize'],
    [{ slotSize: 4096 }, 'ERR_INVALID_ARG_VALUE', 'slots'],
    [{ slots: 4, slotSize: 64, size: 4096 }, 'ERR_INVALID_ARG_VALUE', 'size'],
    [{ slots: 0, slotSize: 64 }, 'ERR_OUT_OF_RANGE', 'slots'],
    [{ slots: 1.5, slotSize: 64 }, 'ERR_OUT_OF_RANGE', 'slots'],
    [{ slots: '4', slotSize: 64 }, 'ERR_INVALID_ARG_TYPE', 'slots'],
    [{ slots: 4, slotSize: 0 }, 'ERR_OUT_OF_RANGE', 'slotSize'],
    [{ slots: 4, slotSize: '4KB' }, 'ERR_INVALID_ARG_VALUE', 'slotSize'],
    [{ slots: 4, slotSize: {} }, 'ERR_INVALID_ARG_TYPE', 'slotSize'],
    [{ maxDeliveries: 0 }, 'ERR_OUT_OF_RANGE', 'maxDeliveries'],
    [{ maxDeliveries: 2.5 }, 'ERR_OUT_OF_RANGE', 'maxDeliveries'],
    [{ maxDeliveries: '5' }, 'ERR_INVALID_ARG_TYPE', 'maxDeliveries'],
    [{ mode: -1 }, 'ERR_OUT_OF_RANGE', 'mode'],
    [{ mode: 0o10000 }, 'ERR_OUT_OF_RANGE', 'mode'],
    [{ mode: '0600' }, 'ERR_INVALID_ARG_TYPE', 'mode'],
    [{ reserve: 'yes' }, 'ERR_INVALID_ARG_TYPE', 'reserve'],
    [{ prefault: 1 }, 'ERR_INVALID_ARG_TYPE', 'prefault'],
    [{ persist: null }, 'ERR_INVALID_ARG_TYPE', 'persist'],
    [{ writer: 'me' }, 'ERR_INVALID_ARG_TYPE', 'writer'],
    [{ label: 5 }, 'ERR_INVALID_ARG_TYPE', 'label'],
    [{ group: 5 }, 'ERR_INVALID_ARG_TYPE', 'group'],
    [{ group: 'nobody' }, 'ERR_INVALID_ARG_VALUE', 'nobody'],
    [{ groups: { a: {} }, group: 'b' }, 'ERR_INVALID_ARG_VALUE', 'b'],
    ['fast', 'ERR_INVALID_ARG_TYPE', 'options'],
    [5, 'ERR_INVALID_ARG_TYPE', 'options'],
    [null, 'ERR_INVALID_ARG_TYPE', 'options'],
  ])('%o are refused with %s', async (options, code, word) => {
    const name = uniqueName();
    for (const make of [
      () => new ZooQueue(name, options as QueueOptions),
      () => ZooQueue.create(name, options as QueueOptions),
    ]) {
      const failure = await failureOf(make);
      expect(failure.code).toBe(code);
      expect(failure.message).toContain(word);
      expect(failure).toBeInstanceOf(code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError);
    }
    expect(ZooQueue.unlink(name)).toBe(false);
  });

  it('say the value that was wrong', () => {
    expect(thrownBy(() => new ZooQueue(uniqueName(), { size: '10MB' })).message).toContain('10MB');
    expect(thrownBy(() => new ZooQueue(uniqueName(), { maxDeliveries: -7 })).message).toContain(
      '-7',
    );
  });

  it('may be undefined one by one', () => {
    const queue = track(
      ZooQueue.create(uniqueName(), {
        size: undefined,
        slots: undefined,
        slotSize: undefined,
        groups: undefined,
        maxDeliveries: undefined,
        mode: undefined,
        reserve: undefined,
        prefault: undefined,
        persist: undefined,
        group: undefined,
        codec: undefined,
        writer: undefined,
        label: undefined,
      } as never),
    );
    queue.putSync(1);
    expect(queue.getSync()).toBe(1);
  });

  it('are read once and not kept: changing them later changes nothing', () => {
    const options: QueueOptions = { size: 8192, label: 'before' };
    const queue = track(ZooQueue.create(uniqueName(), options));
    options.label = 'after';
    expect(queue.stats().participants[0]?.label).toBe('before');
  });

  it('of a text that is too long for tools are refused or cut, never damaged', () => {
    const name = uniqueName();
    try {
      const queue = track(ZooQueue.create(name, { label: 'ä'.repeat(200) }));
      expect('ä'.repeat(200).startsWith(queue.stats().participants[0]?.label ?? '?')).toBe(true);
    } catch (error) {
      expect((error as { code: string }).code).toBe('ERR_INVALID_ARG_VALUE');
    }
  });
});

import { tableFromArrays, type Table } from 'apache-arrow';
import { ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { putTable, readTable } from 'zoosync/arrow';
import { codeOf, thrownBy, track, uniqueName } from '../support/index.js';

const rows = 1000;

function sample(): Table {
  return tableFromArrays({
    id: Int32Array.from({ length: rows }, (_, row) => row),
    score: Float64Array.from({ length: rows }, (_, row) => row / 2),
    name: Array.from({ length: rows }, (_, row) => `name ${row % 7}`),
  });
}

describe('an Arrow table', () => {
  it.each([
    ['ring', { size: '1MiB' }],
    ['frames', { slots: 3, slotSize: '256KiB' }],
  ])('comes back as it was put, in place (%s)', async (_, store) => {
    const queue = track(ZooQueue.create(uniqueName(), store));
    for (let round = 0; round < 5; round += 1) {
      await putTable(queue, sample());
      const view = await queue.recvView();
      const table = readTable(view.view);
      expect(table.numRows).toBe(rows);
      expect(table.toArray().map((row) => row.toJSON())).toEqual(
        sample()
          .toArray()
          .map((row) => row.toJSON()),
      );
      const scores: unknown = table.getChild('score')?.data[0]?.values;
      expect(scores).toBeInstanceOf(Float64Array);
      expect((scores as Float64Array).buffer).toBe(view.view.buffer);
      queue.commitRead(view.cursor);
    }
  });

  it('that does not fit is refused, and nothing is put', async () => {
    const queue = track(ZooQueue.create(uniqueName(), { slots: 2, slotSize: 1000 }));
    expect(await codeOf(putTable(queue, sample()))).toBe('ERR_ZOO_TOO_LARGE');
    expect(queue.stats().messages).toBe(0);
  });

  it('waits for room, and is not put when the wait is given up', async () => {
    const queue = track(ZooQueue.create(uniqueName(), { slots: 1, slotSize: '256KiB' }));
    await putTable(queue, sample());
    expect(await codeOf(putTable(queue, sample(), { timeout: 1 }))).toBe('ERR_ZOO_TIMEOUT');
    expect(queue.length).toBe(1);
  });

  it('is told from what is none', async () => {
    const queue = track(ZooQueue.create(uniqueName(), { size: '1MiB' }));
    await putTable(queue, sample());
    const whole = await queue.getBytes();
    for (const bytes of [
      Buffer.from('no table at all'),
      Buffer.alloc(0),
      whole.subarray(0, 2000),
    ]) {
      expect(thrownBy(() => readTable(bytes)).code).toBe('ERR_ZOO_CORRUPT');
    }
  });
});

import { expect, it } from 'vitest';
import type { PackedMessages } from '../../src/index.js';
import { describeEachStore, failureOf } from '../support/index.js';

/** Messages of these sizes; each byte of message i is i. */
function packed(...sizes: number[]): PackedMessages {
  const bytes = Buffer.concat(sizes.map((size, i) => Buffer.alloc(size, i)));
  return { bytes, sizes: Uint32Array.from(sizes) };
}

function unpacked({ bytes, sizes }: PackedMessages): Buffer[] {
  let at = 0;
  return [...sizes].map((size) => Buffer.from(bytes.subarray(at, (at += size))));
}

describeEachStore('packed messages', (store) => {
  it('come out of each form as they went in', async () => {
    const queue = store.create({ messages: 64, bytes: 2048 });
    const messages = packed(3, 0, 64, 1, 1024, 1025, 7, 2048);
    const expected = unpacked(messages);
    await queue.putPacked(messages);
    expect(unpacked(await queue.getPacked(100))).toEqual(expected);
    queue.putPackedSync(messages);
    expect(unpacked(queue.getPackedSync(100))).toEqual(expected);
    expect(queue.tryPutPacked(messages)).toBe(expected.length);
    expect(unpacked(queue.tryGetPacked(3))).toEqual(expected.slice(0, 3));
    expect(unpacked(queue.tryGetPacked(100))).toEqual(expected.slice(3));
    expect(queue.tryGetPacked(100)).toEqual({
      bytes: new Uint8Array(0),
      sizes: new Uint32Array(0),
    });
    expect(queue.stats()).toMatchObject({ puts: 24, gets: 24, messages: 0 });
  });

  it('are messages like any others', async () => {
    const queue = store.create({ messages: 8, bytes: 64 });
    queue.putPackedSync(packed(5, 6, 7));
    queue.putBytesSync(Buffer.from('last'));
    expect(queue.getBytesSync()).toEqual(Buffer.alloc(5, 0));
    using view = queue.recvViewSync();
    expect([...view.view]).toEqual(Array.from({ length: 6 }, () => 1));
    expect([...queue.getPackedSync(10).sizes]).toEqual([7, 4]);
  });

  it('what was given stays as it is, and is the taker’s own', async () => {
    const queue = store.create();
    queue.putPackedSync(packed(8, 8));
    const first = queue.getPackedSync(2);
    const before = unpacked(first);
    queue.putPackedSync({ bytes: Buffer.alloc(12, 99), sizes: Uint32Array.of(4, 8) });
    const second = queue.getPackedSync(2);
    expect(unpacked(first)).toEqual(before);
    first.bytes.fill(1);
    first.sizes.fill(1);
    expect([...second.sizes]).toEqual([4, 8]);
    expect(second.bytes.every((byte) => byte === 99)).toBe(true);
    queue.close();
    expect(second.bytes.length).toBe(12);
  });

  it('flow through a small queue, in order', async () => {
    const queue = store.create({ messages: 5, bytes: 512 });
    const messages = packed(...Array.from({ length: 3000 }, (_, i) => (i * 37) % 513));
    const sending = queue.putPacked(messages);
    const seen: Buffer[] = [];
    while (seen.length < messages.sizes.length) seen.push(...unpacked(await queue.getPacked(50)));
    await sending;
    expect(seen.map((one) => one.length)).toEqual([...messages.sizes]);
    expect(Buffer.compare(Buffer.concat(seen), messages.bytes)).toBe(0);
  });

  it('more than fit into one block come in several', () => {
    const queue = store.create({ messages: 200, bytes: 1000 });
    const messages = packed(...Array.from({ length: 200 }, () => 1000));
    queue.putPackedSync(messages);
    const parts: PackedMessages[] = [];
    while (queue.length > 0) parts.push(queue.getPackedSync(200));
    expect(parts.length).toBeGreaterThan(1);
    expect(Buffer.compare(Buffer.concat(parts.map(({ bytes }) => bytes)), messages.bytes)).toBe(0);
  });

  it('a large one among them comes alone', () => {
    const large = 300_000;
    const queue = store.create({ messages: 4, bytes: large });
    const messages = packed(10, large, 20);
    queue.putPackedSync(messages);
    const sizes: number[][] = [];
    while (queue.length > 0) sizes.push([...queue.getPackedSync(10).sizes]);
    expect(sizes).toEqual([[10], [large], [20]]);
  });

  it('as many go in as there is room for, and the error says how many', async () => {
    const queue = store.create({ messages: 4, bytes: 4000 });
    const messages = packed(...Array.from({ length: 40 }, () => 4000));
    const put = queue.tryPutPacked(messages);
    expect(put).toBeGreaterThanOrEqual(4);
    expect(put).toBeLessThan(40);
    expect(queue.tryPutPacked(messages)).toBe(0);
    const late = await failureOf(() => queue.putPacked(messages, { timeout: 20 }));
    expect(late).toMatchObject({ code: 'ERR_ZOO_TIMEOUT', sent: 0 });
    queue.getBytesSync();
    const later = await failureOf(() => queue.putPackedSync(messages, { timeout: 20 }));
    expect(later).toMatchObject({ code: 'ERR_ZOO_TIMEOUT', sent: 1 });
    expect(queue.length).toBe(put);
  });

  it('one that can never fit ends the batch, those before it are in', async () => {
    const queue = store.create({ messages: 4, bytes: 64 });
    const limit = queue.capacity;
    const failure = await failureOf(() => queue.putPacked(packed(8, 8, limit, 8)));
    expect(failure).toMatchObject({ code: 'ERR_ZOO_TOO_LARGE', sent: 2 });
    expect([...queue.tryGetPacked(10).sizes]).toEqual([8, 8]);
  });

  it('have to fit together', async () => {
    const queue = store.create();
    for (const wrong of [undefined, null, 5, {}, { bytes: 'text', sizes: Uint32Array.of(4) }]) {
      const failure = await failureOf(() => queue.putPacked(wrong as never));
      expect(failure.code, String(wrong)).toBe('ERR_INVALID_ARG_TYPE');
    }
    const noSizes = await failureOf(() =>
      queue.tryPutPacked({ bytes: Buffer.alloc(4), sizes: [4] as never }),
    );
    expect(noSizes.message).toContain('messages.sizes');
    for (const sizes of [[3], [5], [2, 3], [], [2 ** 32 - 1]]) {
      const failure = await failureOf(() =>
        queue.putPackedSync({ bytes: Buffer.alloc(4), sizes: Uint32Array.from(sizes) }),
      );
      expect(failure.code).toBe('ERR_INVALID_ARG_VALUE');
      expect(failure.message).toContain('add up to the 4 bytes');
    }
    for (const max of [0, -1, 1.5, '3', undefined]) {
      const failure = await failureOf(() => queue.getPacked(max as never));
      expect(failure.code, String(max)).toMatch(/^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/);
    }
    expect(queue.length).toBe(0);
    await queue.putPacked({ bytes: new Uint8Array(0), sizes: new Uint32Array(0) });
    expect(queue.length).toBe(0);
  });

  it('end as other reads do', async () => {
    const queue = store.create();
    const waiting = queue.getPacked(10);
    queue.putPackedSync(packed(3));
    expect([...(await waiting).sizes]).toEqual([3]);
    const last = queue.getPacked(10);
    queue.end();
    expect((await failureOf(() => last)).code).toBe('ERR_ZOO_ENDED');
    expect((await failureOf(() => queue.getPackedSync(1))).code).toBe('ERR_ZOO_ENDED');
    expect(queue.tryGetPacked(1).sizes.length).toBe(0);
    expect((await failureOf(() => queue.putPacked(packed(1)))).code).toBe('ERR_ZOO_ENDED');
    queue.close();
    expect((await failureOf(() => queue.putPacked(packed(1)))).code).toBe('ERR_ZOO_CLOSED');
    expect((await failureOf(() => queue.getPacked(1))).code).toBe('ERR_ZOO_CLOSED');
  });
});

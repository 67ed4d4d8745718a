import { describe, expect, it } from 'vitest';
import { decodeMessagePack, encodeMessagePack } from '../../src/msgpack.js';
import { decodeInteger, encodeInteger, encodeIntegers } from '../../src/pool/small-integers.js';

const edges = [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1];
const others = [-0, -1, 0.5, 2 ** 32, Number.NaN, Infinity, 1n, '1', true, null, undefined, [1]];

describe('Integers', () => {
  it.each(edges)('are written as the codec writes them: %d', (value) => {
    expect([...(encodeInteger(value) ?? [])]).toEqual([...encodeMessagePack(value)]);
  });

  it.each(edges)('are read back, or left to the codec: %d', (value) => {
    const bytes = Buffer.concat([Buffer.from([0xff]), encodeMessagePack(value)]);
    expect(decodeInteger(bytes, 1, bytes.length)).toBe(value < 65536 ? value : undefined);
  });

  it.each(others)('are all that is written: not %o', (value) => {
    expect(encodeInteger(value)).toBeUndefined();
    expect(encodeIntegers([1, value])).toBeUndefined();
  });

  it('are all that is read', () => {
    for (const value of [-1, '', 'a', 'ab', true, null, [], [1], [1, 2], {}]) {
      const bytes = Buffer.from(encodeMessagePack(value));
      expect(decodeInteger(bytes, 0, bytes.length)).toBeUndefined();
    }
  });
});

describe('Lists of integers', () => {
  it.each([[[]], [[7]], [[1, 300]], [edges.slice(0, 8)]])('arrive as they were: %o', (list) => {
    const bytes = Buffer.from(encodeIntegers(list) as Uint8Array);
    expect(decodeMessagePack(bytes, 0, bytes.length)).toEqual(list);
  });

  it('are short', () => {
    expect(encodeIntegers([1, 2, 3, 4, 5, 6, 7, 8, 9])).toBeUndefined();
  });

  it('are those of the list, whatever reading it does', () => {
    const list = [1, 2, 3];
    Object.defineProperty(list, 1, {
      get: () => {
        encodeIntegers([7, 8, 9, 10]);
        return 2;
      },
    });
    expect(Buffer.from(encodeIntegers(list) ?? []).toString('hex')).toBe('93010203');
  });
});

import {
  ZooQueue,
  frameBytes,
  frameHeaderBytes,
  readFrame,
  writeFrame,
  type FrameDescription,
  type FrameFormat,
} from 'zoosync';
import { describe, expect, it } from 'vitest';
import { thrownBy, track, uniqueName } from '../support/index.js';

const every: readonly [FrameFormat, readonly { rowBytes: number; rows: number }[]][] = [
  ['rgb24', [{ rowBytes: 21, rows: 5 }]],
  ['rgba', [{ rowBytes: 28, rows: 5 }]],
  ['gray8', [{ rowBytes: 7, rows: 5 }]],
  [
    'yuv420p',
    [
      { rowBytes: 7, rows: 5 },
      { rowBytes: 4, rows: 3 },
      { rowBytes: 4, rows: 3 },
    ],
  ],
  [
    'nv12',
    [
      { rowBytes: 7, rows: 5 },
      { rowBytes: 8, rows: 3 },
    ],
  ],
];

const small = { width: 7, height: 5, format: 'gray8' } as const satisfies FrameDescription;

/** A message with a frame in it, and a hand on its description. */
function message(description: FrameDescription = small): { bytes: Uint8Array; data: DataView } {
  const bytes = new Uint8Array(frameBytes(description));
  writeFrame(bytes, description);
  return { bytes, data: new DataView(bytes.buffer) };
}

describe('a frame', () => {
  it.each(every)('of %s comes back as it was written, plane by plane', (format, shapes) => {
    const description = { width: 7, height: 5, format, timestamp: -40_000, number: 2 ** 40 };
    const bytes = new Uint8Array(frameBytes(description));
    const written = writeFrame(bytes, description);
    for (const [index, plane] of written.planes.entries()) plane.bytes.fill(index + 1);
    const read = readFrame(bytes);
    expect(read).toEqual(written);
    expect(read).toMatchObject({ ...description, byteLength: bytes.length });
    expect(read.planes.map(({ rowBytes, rows }) => ({ rowBytes, rows }))).toEqual(shapes);
    for (const [index, plane] of read.planes.entries()) {
      expect(plane.bytes.length).toBe(plane.rowBytes * plane.rows);
      expect(plane.bytes.every((byte) => byte === index + 1)).toBe(true);
    }
  });

  it('has the size that a film has: 1080p', () => {
    const side = { width: 1920, height: 1080 };
    expect(frameBytes({ ...side, format: 'rgb24' })).toBe(frameHeaderBytes + 6_220_800);
    expect(frameBytes({ ...side, format: 'yuv420p' })).toBe(frameHeaderBytes + 3_110_400);
    expect(frameBytes({ ...side, format: 'nv12' })).toBe(frameHeaderBytes + 3_110_400);
  });

  it('takes number and timestamp as 0 when they are left out', () => {
    expect(readFrame(message().bytes)).toMatchObject({ number: 0, timestamp: 0 });
  });

  it('has rows with gaps when strides say so; the last row has none', () => {
    const description = { ...small, strides: [16] };
    const { bytes } = message(description);
    const [plane] = readFrame(bytes).planes;
    expect(plane).toMatchObject({ stride: 16, rowBytes: 7, rows: 5 });
    expect(plane?.bytes.length).toBe(16 * 4 + 7);
    expect(bytes.length).toBe(frameHeaderBytes + 16 * 4 + 7);
  });

  it('leaves the pixels alone when its description is written', () => {
    const bytes = new Uint8Array(frameBytes(small)).fill(9);
    expect(writeFrame(bytes, small).planes[0]?.bytes.every((byte) => byte === 9)).toBe(true);
  });

  it('may be shorter than its slot', () => {
    const bytes = new Uint8Array(frameBytes(small) + 1000);
    writeFrame(bytes, small);
    expect(readFrame(bytes).byteLength).toBe(frameBytes(small));
  });
});

describe('a frame in a queue', () => {
  const stores = { ring: { size: '1MiB' }, frames: { slots: 3, slotSize: '64KiB' } };

  it.each(Object.entries(stores))('is written and read in place (%s)', (_, store) => {
    const description = { width: 33, height: 17, format: 'yuv420p', number: 5 } as const;
    const queue = track(ZooQueue.create(uniqueName(), store));
    const slot = queue.reserveSync(frameBytes(description));
    for (const plane of writeFrame(slot.view, description).planes) plane.bytes.fill(77);
    queue.commitWrite(slot.cursor);
    const view = queue.recvViewSync();
    const frame = readFrame(view.view);
    expect(frame).toMatchObject(description);
    expect(frame.planes.every(({ bytes }) => bytes.buffer === view.view.buffer)).toBe(true);
    expect(frame.planes.every(({ bytes }) => bytes.every((byte) => byte === 77))).toBe(true);
    queue.commitRead(view.cursor);
    expect(view.view.length).toBe(0);
  });

  it.each(Object.entries(stores))('takes any typed array over its planes (%s)', (_, store) => {
    const queue = track(ZooQueue.create(uniqueName(), store));
    for (let number = 0; number < 5; number += 1) {
      const description = { width: 40, height: 6, format: 'yuv420p', number } as const;
      const slot = queue.reserveSync(frameBytes(description));
      writeFrame(slot.view, description);
      queue.commitWrite(slot.cursor);
      const view = queue.recvViewSync();
      for (const { bytes } of readFrame(view.view).planes) {
        expect(bytes.byteOffset % 64).toBe(0);
        for (const Kind of [Float64Array, BigInt64Array, Float32Array, Uint32Array, Int16Array]) {
          const laid = new Kind(bytes.buffer as ArrayBuffer, bytes.byteOffset, 4);
          expect(laid.byteOffset).toBe(bytes.byteOffset);
        }
      }
      queue.commitRead(view.cursor);
    }
  });

  it('that is larger than its slot is refused with both sizes', () => {
    const queue = track(ZooQueue.create(uniqueName(), { slots: 2, slotSize: 1000 }));
    const size = frameBytes({ width: 100, height: 100, format: 'rgba' });
    const failure = thrownBy(() => queue.reserveSync(size));
    expect(failure.code).toBe('ERR_ZOO_TOO_LARGE');
    expect(failure.message).toContain(String(size));
    expect(failure.size).toBe(size);
  });
});

describe('a description that cannot be', () => {
  const wrongValues: readonly [string, object, string][] = [
    ['an unknown format', { format: 'yuv444p' }, 'yuv444p'],
    ['a format that is a property of every object', { format: 'constructor' }, 'constructor'],
    ['no width', { width: 0 }, '0'],
    ['a negative height', { height: -5 }, '-5'],
    ['a broken width', { width: 7.5 }, '7.5'],
    ['a width beyond all films', { width: 65_536 }, '65536'],
    ['a height that is no number', { height: NaN }, 'NaN'],
    ['a stride shorter than a row', { strides: [6] }, '6'],
    ['strides of planes that are not there', { strides: [8, 8] }, '8'],
    ['a negative number', { number: -1 }, '-1'],
    ['a number that is not exact', { number: 2 ** 53 }, '9007199254740992'],
    ['a broken timestamp', { timestamp: 0.5 }, '0.5'],
    ['an unknown property', { hight: 5 }, 'hight'],
  ];

  it.each(wrongValues)('(%s) is ERR_INVALID_ARG_VALUE, with the value', (_, change, shown) => {
    const bytes = new Uint8Array(1000);
    const failure = thrownBy(() => writeFrame(bytes, { ...small, ...change }));
    expect(failure).toBeInstanceOf(TypeError);
    expect(failure.code).toBe('ERR_INVALID_ARG_VALUE');
    expect(failure.message).toContain(shown);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('lists the formats there are', () => {
    const wrong = { ...small, format: 'bgr24' } as unknown as FrameDescription;
    expect(thrownBy(() => frameBytes(wrong)).message).toContain(
      'rgb24, rgba, gray8, yuv420p, nv12',
    );
  });

  it('of a wrong type is ERR_INVALID_ARG_TYPE', () => {
    const changes = [{ format: 5 }, { width: '7' }, { strides: 7 }, { strides: ['7'] }];
    const more = [{ number: 1n }, { timestamp: '0' }, { height: undefined }];
    for (const change of [...changes, ...more]) {
      const wrong = { ...small, ...change } as unknown as FrameDescription;
      const failure = thrownBy(() => writeFrame(new Uint8Array(1000), wrong));
      expect(failure.code, JSON.stringify(Object.keys(change))).toBe('ERR_INVALID_ARG_TYPE');
    }
    for (const wrong of [undefined, null, 5, 'gray8']) {
      const failure = thrownBy(() => frameBytes(wrong as never));
      expect(failure.code).toMatch(/^ERR_INVALID_ARG_(TYPE|VALUE)$/);
    }
  });

  it('of more bytes than a message can have is refused', () => {
    const huge = { width: 65_535, height: 65_535, format: 'rgba' } as const;
    expect(thrownBy(() => frameBytes(huge)).code).toBe('ERR_INVALID_ARG_VALUE');
  });

  it('that does not fit is refused with both sizes', () => {
    const failure = thrownBy(() => writeFrame(new Uint8Array(98), small));
    expect(failure.code).toBe('ERR_INVALID_ARG_VALUE');
    expect(failure.message).toContain('98');
    expect(failure.message).toContain('99');
  });

  it('is not written over, or read from, what holds no bytes', () => {
    for (const wrong of [undefined, null, 'frame', [1, 2], new ArrayBuffer(99)]) {
      expect(thrownBy(() => writeFrame(wrong as never, small)).code).toBe('ERR_INVALID_ARG_TYPE');
      expect(thrownBy(() => readFrame(wrong as never)).code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });
});

describe('a message that is no sound frame', () => {
  const damages: readonly [string, (data: DataView) => void, string][] = [
    ['another magic', (data) => data.setUint8(0, 0x58), 'description'],
    ['another version', (data) => data.setUint16(4, 2, true), 'version 2'],
    ['a longer description', (data) => data.setUint16(6, 128, true), '128'],
    ['an unknown format', (data) => data.setUint32(8, 99, true), '99'],
    ['no width', (data) => data.setUint32(12, 0, true), '0x5'],
    ['a width beyond its bytes', (data) => data.setUint32(12, 8, true), '8'],
    ['a height beyond its bytes', (data) => data.setUint32(16, 6, true), '7x6'],
    ['a height beyond all films', (data) => data.setUint32(16, 0xffff_ffff, true), '4294967295'],
    ['another number of planes', (data) => data.setUint32(20, 3, true), '3 planes'],
    [
      'a number that is not exact',
      (data) => data.setBigUint64(24, 2n ** 60n, true),
      `${2n ** 60n}`,
    ],
    ['a timestamp that is not exact', (data) => data.setBigInt64(32, -(2n ** 60n), true), '-'],
    ['a plane in its description', (data) => data.setUint32(40, 0, true), 'begins at 0'],
    ['a plane between the lines', (data) => data.setUint32(40, 65, true), 'begins at 65'],
    ['a plane behind its end', (data) => data.setUint32(40, 0xffff_ffc0, true), '7x5'],
    ['a stride shorter than a row', (data) => data.setUint32(44, 6, true), '6'],
    ['a stride beyond its bytes', (data) => data.setUint32(44, 8, true), '7x5'],
    ['a stride beyond all films', (data) => data.setUint32(44, 0xffff_ffff, true), '4294967295'],
  ];

  it.each(damages)('(%s) is ERR_ZOO_CORRUPT, with the value', (_, damage, shown) => {
    const { bytes, data } = message();
    damage(data);
    const failure = thrownBy(() => readFrame(bytes));
    expect(failure.code).toBe('ERR_ZOO_CORRUPT');
    expect(failure.message).toContain(shown);
  });

  it('since it is too short, is ERR_ZOO_CORRUPT', () => {
    const { bytes } = message();
    for (let length = 0; length < bytes.length; length += 1) {
      expect(thrownBy(() => readFrame(bytes.subarray(0, length))).code).toBe('ERR_ZOO_CORRUPT');
    }
  });

  it('never gives planes outside its bytes, whatever its description says', () => {
    const description = { width: 9, height: 7, format: 'yuv420p' } as const;
    const sound = message(description).bytes;
    // A small generator, so that a failure can be repeated.
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Uint8Array.from(sound);
      for (let change = 0; change <= random(3); change += 1) bytes[random(64)] = random(256);
      try {
        for (const plane of readFrame(bytes).planes) {
          expect(plane.bytes.byteOffset).toBeGreaterThanOrEqual(frameHeaderBytes);
          expect(plane.bytes.byteOffset + plane.bytes.length).toBeLessThanOrEqual(bytes.length);
        }
      } catch (error) {
        expect(error).toHaveProperty('code', 'ERR_ZOO_CORRUPT');
      }
    }
  });
});

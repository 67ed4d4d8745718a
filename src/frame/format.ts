/** Pixel formats: how many planes, and how large. */
import { invalidArgumentType, invalidArgumentValue } from '../errors.js';

/**
 * How pixels lie in memory, named as ffmpeg names them.
 *
 * - `'rgb24'`, `'rgba'`, `'gray8'`: one plane, 3, 4 and 1 bytes a pixel.
 * - `'yuv420p'`: three planes, Y, U and V; U and V have half the width and half the height.
 * - `'nv12'`: two planes, Y, and U and V taking turns.
 */
export type FrameFormat = 'rgb24' | 'rgba' | 'gray8' | 'yuv420p' | 'nv12';

/** Size of a plane without its stride. */
export interface PlaneShape {
  readonly rowBytes: number;
  readonly rows: number;
}

interface FormatFacts {
  /** What stands for the format in shared memory. Never changes. */
  readonly code: number;
  readonly planes: (width: number, height: number) => readonly PlaneShape[];
}

/** Of a plane with half the resolution; odd sizes are rounded up. */
const half = (size: number): number => Math.ceil(size / 2);

const onePlane =
  (bytesPerPixel: number) =>
  (width: number, rows: number): readonly PlaneShape[] => [
    { rowBytes: width * bytesPerPixel, rows },
  ];

const facts: Readonly<Record<FrameFormat, FormatFacts>> = {
  rgb24: { code: 1, planes: onePlane(3) },
  rgba: { code: 2, planes: onePlane(4) },
  gray8: { code: 3, planes: onePlane(1) },
  yuv420p: {
    code: 4,
    planes: (width, height) => [
      { rowBytes: width, rows: height },
      { rowBytes: half(width), rows: half(height) },
      { rowBytes: half(width), rows: half(height) },
    ],
  },
  nv12: {
    code: 5,
    planes: (width, height) => [
      { rowBytes: width, rows: height },
      { rowBytes: 2 * half(width), rows: half(height) },
    ],
  },
};

const formats = Object.keys(facts) as FrameFormat[];

/** Largest width and height, in pixels. */
export const largestSide = 65_535;

export function parseFormat(format: unknown): FrameFormat {
  if (typeof format !== 'string') throw invalidArgumentType('format', 'a string', format);
  if (!Object.hasOwn(facts, format)) {
    throw invalidArgumentValue('format', format, `it must be one of ${formats.join(', ')}`);
  }
  return format as FrameFormat;
}

export function parseSide(argument: 'width' | 'height', side: unknown): number {
  if (typeof side !== 'number') throw invalidArgumentType(argument, 'a number of pixels', side);
  if (!isSide(side)) {
    throw invalidArgumentValue(
      argument,
      side,
      `it must be a whole number of pixels from 1 to ${largestSide}`,
    );
  }
  return side;
}

export function isSide(side: number): boolean {
  return Number.isInteger(side) && side >= 1 && side <= largestSide;
}

/** Bytes from one row to the next, one number for each plane; default: no gap between rows. */
export function parseStrides(strides: unknown, shapes: readonly PlaneShape[]): readonly number[] {
  if (strides === undefined) return shapes.map((shape) => shape.rowBytes);
  if (!Array.isArray(strides)) {
    throw invalidArgumentType('strides', 'an array with one number for each plane', strides);
  }
  if (strides.length !== shapes.length) {
    throw invalidArgumentValue(
      'strides',
      strides,
      `it must have one number for each of ${shapes.length} planes`,
    );
  }
  return shapes.map(({ rowBytes }, plane) => {
    const stride: unknown = strides[plane];
    if (typeof stride !== 'number') {
      throw invalidArgumentType(`strides[${plane}]`, 'a number of bytes', stride);
    }
    if (!isStride(stride, rowBytes)) {
      throw invalidArgumentValue(
        `strides[${plane}]`,
        stride,
        `a row has ${rowBytes} bytes, so the stride must be a whole number from ${rowBytes} ` +
          `to ${largestStride}`,
      );
    }
    return stride;
  });
}

/** Four times the longest row: room for any padding, and all offsets stay exact numbers. */
const largestStride = largestSide * 16;

export function isStride(stride: number, rowBytes: number): boolean {
  return Number.isInteger(stride) && stride >= rowBytes && stride <= largestStride;
}

export function planeShapes(
  format: FrameFormat,
  width: number,
  height: number,
): readonly PlaneShape[] {
  return facts[format].planes(width, height);
}

export function codeOfFormat(format: FrameFormat): number {
  return facts[format].code;
}

export function formatOfCode(code: number): FrameFormat | undefined {
  return formats.find((format) => facts[format].code === code);
}

/** A whole number that JavaScript holds exactly. */
export function parseWhole(
  argument: 'number' | 'timestamp',
  value: unknown,
  least: number,
): number {
  if (value === undefined) return 0;
  if (typeof value !== 'number') throw invalidArgumentType(argument, 'a number', value);
  if (!Number.isSafeInteger(value) || value < least) {
    throw invalidArgumentValue(
      argument,
      value,
      `it must be a whole number from ${least} to 2 ** 53 - 1`,
    );
  }
  return value;
}

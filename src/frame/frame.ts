/** Raw video frames in shared memory: a small description, then the pixels. */
import { ZooError, invalidArgumentType, invalidArgumentValue } from '../errors.js';
import { checkOptions } from '../options.js';
import {
  codeOfFormat,
  formatOfCode,
  isSide,
  isStride,
  parseFormat,
  parseSide,
  parseStrides,
  parseWhole,
  planeShapes,
  type FrameFormat,
  type PlaneShape,
} from './format.js';
import {
  frameHeaderBytes,
  magic,
  readHeader,
  version,
  writeHeader,
  type PlanePlace,
  type RawHeader,
} from './header.js';

export type { FrameFormat } from './format.js';
export { frameHeaderBytes } from './header.js';

/** What a frame is, without its pixels. */
export interface FrameDescription {
  /** Pixels, 1 to 65535. */
  readonly width: number;
  /** Pixels, 1 to 65535. */
  readonly height: number;
  readonly format: FrameFormat;
  /** Bytes from one row to the next, for each plane. Default: rows without a gap. */
  readonly strides?: readonly number[] | undefined;
  /** When it is to be shown, in microseconds, as in WebCodecs. Default 0. */
  readonly timestamp?: number | undefined;
  /** Which frame of the film it is. Default 0. */
  readonly number?: number | undefined;
}

/** One plane of pixels, in place. */
export interface FramePlane {
  /** All rows, the last one without the gap behind it. Begins at a multiple of 64 bytes. */
  readonly bytes: Uint8Array;
  /** Bytes of pixels in a row. */
  readonly rowBytes: number;
  readonly rows: number;
  /** Bytes from one row to the next, `rowBytes` or more. */
  readonly stride: number;
}

/** A frame in place: its planes are views of the message and copy nothing. */
export interface VideoFrame extends Required<FrameDescription> {
  readonly strides: readonly number[];
  readonly timestamp: number;
  readonly number: number;
  /** `rgb24`, `rgba`, `gray8`: one. `yuv420p`: Y, U, V. `nv12`: Y, UV. */
  readonly planes: readonly FramePlane[];
  /** Bytes of description and pixels together. */
  readonly byteLength: number;
}

const planeAlignment = 64;
const descriptionNames = ['width', 'height', 'format', 'strides', 'timestamp', 'number'] as const;

interface Layout {
  readonly format: FrameFormat;
  readonly width: number;
  readonly height: number;
  readonly shapes: readonly PlaneShape[];
  readonly places: readonly PlanePlace[];
  readonly byteLength: number;
}

/**
 * Bytes that a frame takes in a queue, description included: what to give `slotSize` and `reserve`.
 *
 * @throws TypeError `ERR_INVALID_ARG_VALUE` for an unknown format or a size that cannot be,
 *   `ERR_INVALID_ARG_TYPE`
 * @example
 * const slotSize = frameBytes({ width: 1920, height: 1080, format: 'rgb24' }); // 6220864
 */
export function frameBytes(description: FrameDescription): number {
  return layOut(description).byteLength;
}

/**
 * Writes the description to the front of `view` and answers the planes to fill. The pixels are not
 * touched. Never waits.
 *
 * @param view where the frame goes, `frameBytes(description)` or more: the `view` of a `WriteView`
 * @throws TypeError as `frameBytes`; `ERR_INVALID_ARG_VALUE` when `view` is too small
 * @example
 * const slot = await queue.reserve(frameBytes(description));
 * const frame = writeFrame(slot.view, { ...description, number: 7 });
 * frame.planes[0].bytes.set(pixels);
 * queue.commitWrite(slot.cursor);
 */
export function writeFrame(view: Uint8Array, description: FrameDescription): VideoFrame {
  const bytes = asView(view);
  const layout = layOut(description);
  const number = parseWhole('number', description.number, 0);
  const timestamp = parseWhole('timestamp', description.timestamp, Number.MIN_SAFE_INTEGER);
  if (bytes.byteLength < layout.byteLength) {
    throw invalidArgumentValue(
      'view',
      `${bytes.byteLength} bytes`,
      `a ${layout.format} frame of ${layout.width}x${layout.height} needs ${layout.byteLength}; ` +
        'reserve frameBytes(description)',
    );
  }
  writeHeader(bytes, {
    magic,
    version,
    headerBytes: frameHeaderBytes,
    format: codeOfFormat(layout.format),
    width: layout.width,
    height: layout.height,
    planeCount: layout.places.length,
    number: BigInt(number),
    timestamp: BigInt(timestamp),
    planes: layout.places,
  });
  return frameOf(bytes, layout, number, timestamp);
}

/**
 * Reads the description at the front of `view` and gives the planes behind it, in place. Every
 * field is checked before it is used. Never waits.
 *
 * The planes live as long as the view: until `commitRead` or `rejectRead`.
 *
 * @throws ZooError `ERR_ZOO_CORRUPT` when there is no description, or it does not match the bytes;
 *   `TypeError` `ERR_INVALID_ARG_TYPE`
 * @example
 * for await (const { view } of queue.views()) {
 *   const { number, planes } = readFrame(view);
 * }
 */
export function readFrame(view: Uint8Array): VideoFrame {
  const bytes = asView(view);
  if (bytes.byteLength < frameHeaderBytes) {
    throw corrupt(
      `it has ${bytes.byteLength} bytes, and the description alone has ${frameHeaderBytes}`,
    );
  }
  const header = readHeader(bytes);
  const layout = checkedLayout(header, bytes.byteLength);
  const number = Number(header.number);
  const timestamp = Number(header.timestamp);
  if (!Number.isSafeInteger(number)) throw corrupt(`its number is ${header.number}`);
  if (!Number.isSafeInteger(timestamp)) throw corrupt(`its timestamp is ${header.timestamp}`);
  return frameOf(bytes, layout, number, timestamp);
}

function layOut(description: FrameDescription): Layout {
  const given = checkOptions<FrameDescription>('description', description, descriptionNames);
  const format = parseFormat(given.format);
  const width = parseSide('width', given.width);
  const height = parseSide('height', given.height);
  const shapes = planeShapes(format, width, height);
  const strides = parseStrides(given.strides, shapes);
  const places: PlanePlace[] = [];
  let end = frameHeaderBytes;
  for (const [plane, shape] of shapes.entries()) {
    const stride = strides[plane]!;
    const offset = Math.ceil(end / planeAlignment) * planeAlignment;
    places.push({ offset, stride });
    end = offset + planeBytes(shape, stride);
  }
  if (end > 0xffff_ffff) {
    throw invalidArgumentValue('description', description, `the frame would have ${end} bytes`);
  }
  return { format, width, height, shapes, places, byteLength: end };
}

function checkedLayout(header: RawHeader, available: number): Layout {
  if (header.magic !== magic) throw corrupt('it does not begin with a description');
  if (header.version !== version || header.headerBytes !== frameHeaderBytes) {
    throw corrupt(
      `its description has version ${header.version} and ${header.headerBytes} bytes, ` +
        `this is version ${version} with ${frameHeaderBytes}`,
    );
  }
  const format = formatOfCode(header.format);
  if (format === undefined) throw corrupt(`its format ${header.format} is unknown`);
  const { width, height } = header;
  if (!isSide(width) || !isSide(height)) throw corrupt(`its size is ${width}x${height}`);
  const shapes = planeShapes(format, width, height);
  if (header.planeCount !== shapes.length) {
    throw corrupt(`it has ${header.planeCount} planes, and ${format} has ${shapes.length}`);
  }
  const places = header.planes.slice(0, shapes.length);
  let end = frameHeaderBytes;
  for (const [plane, { offset, stride }] of places.entries()) {
    const shape = shapes[plane]!;
    if (!isStride(stride, shape.rowBytes)) {
      throw corrupt(`plane ${plane} has rows of ${shape.rowBytes} bytes and a stride of ${stride}`);
    }
    if (offset % planeAlignment !== 0 || offset < end) {
      throw corrupt(`plane ${plane} begins at ${offset}`);
    }
    end = offset + planeBytes(shape, stride);
    if (end > available) {
      throw corrupt(
        `its ${format} pixels of ${width}x${height} end at ${end}, the message at ${available}`,
      );
    }
  }
  return { format, width, height, shapes, places, byteLength: end };
}

function planeBytes(shape: PlaneShape, stride: number): number {
  return stride * (shape.rows - 1) + shape.rowBytes;
}

function frameOf(bytes: Uint8Array, layout: Layout, number: number, timestamp: number): VideoFrame {
  const { format, width, height, shapes, places, byteLength } = layout;
  const planes = shapes.map(({ rowBytes, rows }, plane) => {
    const { offset, stride } = places[plane]!;
    const length = planeBytes({ rowBytes, rows }, stride);
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length);
    return { bytes: plain, rowBytes, rows, stride };
  });
  const strides = places.map((place) => place.stride);
  return { format, width, height, strides, timestamp, number, planes, byteLength };
}

function asView(view: unknown): Uint8Array {
  if (!(view instanceof Uint8Array)) throw invalidArgumentType('view', 'a Uint8Array', view);
  return view;
}

function corrupt(reason: string): ZooError {
  return new ZooError(
    'ERR_ZOO_CORRUPT',
    `this message is no frame that can be read: ${reason}; was it written with writeFrame()?`,
  );
}

/**
 * The description of a frame as it lies in front of the pixels: 64 bytes, little-endian.
 *
 *   offset  bytes
 *        0      4  magic, the letters ZFRM
 *        4      2  version of this layout, 1
 *        6      2  bytes of this description, 64
 *        8      4  format: 1 rgb24, 2 rgba, 3 gray8, 4 yuv420p, 5 nv12
 *       12      4  width in pixels
 *       16      4  height in pixels
 *       20      4  number of planes, 1 to 3
 *       24      8  frame number, unsigned
 *       32      8  timestamp in microseconds, signed
 *       40     24  three times: offset of the plane from the start of this description (4 bytes,
 *                  a multiple of 64), bytes from one row to the next (4 bytes); 0 for no plane
 */
export const frameHeaderBytes = 64;

export const magic = 0x4d52465a;
export const version = 1;
export const mostPlanes = 3;

const at = {
  magic: 0,
  version: 4,
  headerBytes: 6,
  format: 8,
  width: 12,
  height: 16,
  planeCount: 20,
  number: 24,
  timestamp: 32,
  planes: 40,
} as const;

const planeEntryBytes = 8;

export interface PlanePlace {
  readonly offset: number;
  readonly stride: number;
}

/** The fields as they are in memory: read, nothing believed. */
export interface RawHeader {
  readonly magic: number;
  readonly version: number;
  readonly headerBytes: number;
  readonly format: number;
  readonly width: number;
  readonly height: number;
  readonly planeCount: number;
  readonly number: bigint;
  readonly timestamp: bigint;
  readonly planes: readonly PlanePlace[];
}

/** Reads each field once, so that what is checked is also what is used. */
export function readHeader(bytes: Uint8Array): RawHeader {
  const data = new DataView(bytes.buffer, bytes.byteOffset, frameHeaderBytes);
  return {
    magic: data.getUint32(at.magic, true),
    version: data.getUint16(at.version, true),
    headerBytes: data.getUint16(at.headerBytes, true),
    format: data.getUint32(at.format, true),
    width: data.getUint32(at.width, true),
    height: data.getUint32(at.height, true),
    planeCount: data.getUint32(at.planeCount, true),
    number: data.getBigUint64(at.number, true),
    timestamp: data.getBigInt64(at.timestamp, true),
    planes: Array.from({ length: mostPlanes }, (_, plane) => ({
      offset: data.getUint32(at.planes + plane * planeEntryBytes, true),
      stride: data.getUint32(at.planes + plane * planeEntryBytes + 4, true),
    })),
  };
}

export function writeHeader(bytes: Uint8Array, header: RawHeader): void {
  const data = new DataView(bytes.buffer, bytes.byteOffset, frameHeaderBytes);
  data.setUint32(at.magic, header.magic, true);
  data.setUint16(at.version, header.version, true);
  data.setUint16(at.headerBytes, header.headerBytes, true);
  data.setUint32(at.format, header.format, true);
  data.setUint32(at.width, header.width, true);
  data.setUint32(at.height, header.height, true);
  data.setUint32(at.planeCount, header.planeCount, true);
  data.setBigUint64(at.number, header.number, true);
  data.setBigInt64(at.timestamp, header.timestamp, true);
  for (let plane = 0; plane < mostPlanes; plane++) {
    const place = header.planes[plane] ?? { offset: 0, stride: 0 };
    data.setUint32(at.planes + plane * planeEntryBytes, place.offset, true);
    data.setUint32(at.planes + plane * planeEntryBytes + 4, place.stride, true);
  }
}

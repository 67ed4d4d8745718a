/** A frame as a PNG picture. */
import { crc32, deflateSync } from 'node:zlib';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const bitsPerChannel = 8;
const redGreenBlue = 2;

/** @param {import('zoosync').VideoFrame} frame in yuv420p @returns {Buffer} */
export function encodePng(frame) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(frame.width, 0);
  header.writeUInt32BE(frame.height, 4);
  header[8] = bitsPerChannel;
  header[9] = redGreenBlue;
  const pixels = deflateSync(redGreenBlueRows(frame), { level: 1 });
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const whole = Buffer.alloc(12 + data.length);
  whole.writeUInt32BE(data.length, 0);
  whole.write(type, 4, 'latin1');
  data.copy(whole, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.length)), 8 + data.length);
  return whole;
}

/** Rows of red, green and blue, each after a byte that says: not filtered. */
function redGreenBlueRows(/** @type {import('zoosync').VideoFrame} */ { width, height, planes }) {
  const [luma, u, v] = planes;
  const rows = new Uint8ClampedArray(height * (1 + 3 * width));
  let at = 0;
  for (let y = 0; y < height; y++) {
    rows[at++] = 0;
    const colours = (y >> 1) * u.stride;
    for (let x = 0; x < width; x++) {
      // ITU-R BT.601: black is 16, white 235, and 128 is no colour.
      const brightness = 1.164 * (luma.bytes[y * luma.stride + x] - 16);
      const blueness = u.bytes[colours + (x >> 1)] - 128;
      const redness = v.bytes[colours + (x >> 1)] - 128;
      rows[at++] = brightness + 1.596 * redness;
      rows[at++] = brightness - 0.392 * blueness - 0.813 * redness;
      rows[at++] = brightness + 2.017 * blueness;
    }
  }
  return rows;
}

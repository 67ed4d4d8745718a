/** A film as raw frames, read from ffmpeg straight into memory that the caller gives. */
import { closeSync, read as readCallback } from 'node:fs';
import { promisify } from 'node:util';
import { Failure } from './failure.js';
import { FfmpegRun } from './ffmpeg.js';
import { makePipe } from './pipe.js';

const read = promisify(readCallback);

/** What stands in front of each frame in the YUV4MPEG2 format. */
const frameMark = 'FRAME\n';
const longestHeader = 1024;

export class Decoder {
  #run;
  #pipe;
  #input;
  #mark = Buffer.alloc(frameMark.length);
  width = 0;
  height = 0;
  /** Frames per second, as a fraction. */
  rate = { over: 0, under: 1 };

  /**
   * @param {string} ffmpeg @param {string} input
   * @returns {Promise<Decoder>} once the size of the frames is known
   */
  static async open(ffmpeg, input) {
    const decoder = new Decoder(ffmpeg, input);
    await decoder.#readHeader();
    return decoder;
  }

  /** @param {string} ffmpeg @param {string} input */
  constructor(ffmpeg, input) {
    this.#input = input;
    const { readEnd, writeEnd } = makePipe();
    this.#pipe = readEnd;
    // An even size, since the encoder halves the resolution of colours.
    const evenSize = 'scale=trunc(iw/2)*2:trunc(ih/2)*2';
    const format = ['-an', '-vf', evenSize, '-pix_fmt', 'yuv420p', '-f', 'yuv4mpegpipe'];
    this.#run = new FfmpegRun(ffmpeg, ['-nostdin', '-i', input, ...format, 'pipe:1'], {
      output: writeEnd,
    });
    closeSync(writeEnd);
  }

  /** How many frames to expect; undefined when the film does not say how long it is. */
  get expectedFrames() {
    const found = /Duration: (\d+):(\d+):([\d.]+)/.exec(this.#run.said);
    if (!found) return undefined;
    const [hours = 0, minutes = 0, seconds = 0] = found.slice(1).map(Number);
    const duration = hours * 3600 + minutes * 60 + seconds;
    return Math.round((duration * this.rate.over) / this.rate.under) || undefined;
  }

  /** When frame `number` is shown, in microseconds. @param {number} number */
  timestampOf(number) {
    return Math.round((number * 1e6 * this.rate.under) / this.rate.over);
  }

  /**
   * Reads the next frame into its planes.
   *
   * @param {readonly { readonly bytes: Uint8Array }[]} planes of a yuv420p frame, without gaps
   * @returns {Promise<boolean>} false at the end of the film
   */
  async readFrame(planes) {
    const got = await this.#fill(this.#mark);
    if (got === 0) {
      if (await this.#run.ended) return false;
      throw new Failure(`ffmpeg cannot decode all of ${this.#input}: ${this.#reason}`);
    }
    if (this.#mark.toString('latin1') !== frameMark) {
      throw new Failure(`ffmpeg gave something else than a frame for ${this.#input}.`);
    }
    for (const { bytes } of planes) {
      if ((await this.#fill(bytes)) < bytes.length) {
        await this.#run.ended;
        throw new Failure(`ffmpeg stopped in the middle of a frame: ${this.#reason}`);
      }
    }
    return true;
  }

  /** Ends ffmpeg, and with it a read that waits. */
  kill() {
    this.#run.kill();
  }

  /** Lets go, when no read is under way. */
  async close() {
    this.kill();
    await this.#run.ended;
    closeSync(this.#pipe);
  }

  get #reason() {
    return this.#run.reasonFor(this.#input);
  }

  async #readHeader() {
    const header = await this.#readLine();
    const width = Number(/ W(\d+)/.exec(header)?.[1]);
    const height = Number(/ H(\d+)/.exec(header)?.[1]);
    const [over = NaN, under = NaN] = (/ F(\d+):(\d+)/.exec(header) ?? []).slice(1).map(Number);
    // ffmpeg would draw a text as a film.
    const isText = /^Input #0, tty,/m.test(this.#run.said);
    if (!header.startsWith('YUV4MPEG2 ') || !(width * height * over * under > 0) || isText) {
      await this.close();
      const reason = isText ? 'it is a text' : this.#reason;
      throw new Failure(`${this.#input} is no film that ffmpeg can read: ${reason}`);
    }
    this.width = width;
    this.height = height;
    this.rate = { over, under };
  }

  async #readLine() {
    const letter = Buffer.alloc(1);
    let line = '';
    while (line.length < longestHeader && (await this.#fill(letter)) === 1 && letter[0] !== 0x0a) {
      line += letter.toString('latin1');
    }
    return line;
  }

  /** @param {Uint8Array} bytes @returns {Promise<number>} fewer than asked for only at the end */
  async #fill(bytes) {
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await read(this.#pipe, bytes, filled, bytes.length - filled, null);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }
}

/** Starts the processes, feeds them the film, and ends them all. */
import { closeSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { frameBytes, writeFrame } from 'zoosync';
import { Decoder } from './decoder.js';
import { Failure } from './failure.js';
import { FfmpegRun, findFfmpeg, hasEncoder } from './ffmpeg.js';
import { slotsFor } from './parts.js';
import { contactSheetOf, makeContactSheet, partOf, previewOf } from './files.js';
import { makePipe } from './pipe.js';
import { makeProgress } from './progress.js';
import { Segments } from './segments.js';
import { shootDetectorAtWork, shootPreview } from './shooting.js';
import { Staff } from './staff.js';
import { Tally } from './tally.js';

/** When to shoot, if nobody knows how long the film is. */
const middleOfUnknown = 50;

/**
 * Returns when the film is complete.
 *
 * @param {import('./arguments.js').Wishes} wishes
 * @param {AbortSignal} stop its reason is thrown
 */
export async function makeFilm(wishes, stop) {
  makeFolder(path.dirname(wishes.out));
  const ffmpeg = await findFfmpeg();
  const decoder = await Decoder.open(ffmpeg, wishes.input);
  try {
    const segments = new Segments(decoder, slotsFor(wishes.workers));
    try {
      const run = new FilmRun(ffmpeg, decoder, segments, wishes);
      try {
        await run.untilComplete(stop);
      } finally {
        await run.end();
      }
      await makeContactSheet(ffmpeg, wishes.out, run.tally.frames, stop);
      run.printReport();
    } finally {
      segments.remove();
    }
  } finally {
    await decoder.close();
  }
}

/** @param {string} folder */
function makeFolder(folder) {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new Failure(
      `The folder of the film cannot be made: ${/** @type {Error} */ (error).message}`,
    );
  }
}

class FilmRun {
  #decoder;
  #segments;
  #wishes;
  #encoder;
  #staff = new Staff();
  #progress = makeProgress(process.stdout.isTTY);
  /** Ends what this process itself does. */
  #ending = new AbortController();
  /** @type {Promise<unknown>[]} */
  #work = [];
  /** @type {Promise<void> | undefined} */
  #listening;
  /** @type {string[]} */
  #shot = [];
  #decoded = 0;
  #redelivered = 0;
  tally;

  /**
   * @param {string} ffmpeg @param {Decoder} decoder @param {Segments} segments
   * @param {import('./arguments.js').Wishes} wishes
   */
  constructor(ffmpeg, decoder, segments, wishes) {
    this.#decoder = decoder;
    this.#segments = segments;
    this.#wishes = wishes;
    this.tally = new Tally(wishes.workers);
    const { readEnd, writeEnd } = makePipe();
    this.#encoder = new FfmpegRun(ffmpeg, this.#encoderOptions(ffmpeg), { input: readEnd });
    closeSync(readEnd);
    this.#startStaff(writeEnd);
    closeSync(writeEnd);
  }

  /** @param {string} ffmpeg */
  #encoderOptions(ffmpeg) {
    const { out } = this.#wishes;
    const { width, height, rate } = this.#decoder;
    const size = ['-s', `${width}x${height}`, '-r', `${rate.over}/${rate.under}`];
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', ...size, '-i', 'pipe:0'];
    const quick = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '21'];
    const isUsual = ['.mp4', '.mkv', '.mov'].includes(path.extname(out).toLowerCase());
    const codec = isUsual && hasEncoder(ffmpeg, 'libx264') ? quick : [];
    return [...raw, ...codec, '-pix_fmt', 'yuv420p', partOf(out, process.pid)];
  }

  /** @param {number} encoderPipe */
  #startStaff(encoderPipe) {
    for (let detector = 1; detector <= this.#wishes.workers; detector++) {
      this.#staff.start({
        label: `detector ${detector}`,
        script: 'detector.js',
        args: [String(detector)],
        replaceable: true,
      });
    }
    const preview = previewOf(this.#wishes.out);
    this.#staff.start({
      label: 'preview',
      script: 'preview.js',
      args: [preview],
      replaceable: true,
    });
    // Nobody can go on with half a film that is in another process.
    this.#staff.start({
      label: 'encoder',
      script: 'encoder.js',
      args: [String(this.#segments.slots)],
      descriptor: encoderPipe,
      replaceable: false,
    });
  }

  /** @param {AbortSignal} stop */
  async untilComplete(stop) {
    /** @type {Promise<never>} */
    const stopped = new Promise((_, reject) => {
      const giveUp = () => reject(stop.reason);
      if (stop.aborted) giveUp();
      else stop.addEventListener('abort', giveUp, { once: true });
    });
    this.#listening = this.#listen();
    this.#work = [this.#feed(), this.#listening, this.#showProgress()];
    if (this.#wishes.kill) this.#work.push(this.#shoot());
    const failed = Promise.all(this.#work).then(() => new Promise(() => {}));
    await Promise.race([this.#complete(), failed, stopped]);
  }

  async #complete() {
    await this.#staff.finished.catch(async (error) => {
      // The encoder fails when its ffmpeg does, and ffmpeg knows why.
      const encodes = await Promise.race([this.#encoder.ended, sleep(200, true)]);
      throw encodes ? error : this.#encoderFailure();
    });
    if (!(await this.#encoder.ended)) throw this.#encoderFailure();
    this.#segments.reports.end();
    await this.#listening;
    this.#show();
    this.#redelivered = this.#segments.frames.stats().redelivered;
    if (this.tally.frames !== this.#decoded) {
      throw new Failure(`${this.#decoded} frames were read and ${this.tally.frames} written.`);
    }
    renameSync(partOf(this.#wishes.out, process.pid), this.#wishes.out);
  }

  #encoderFailure() {
    const { out } = this.#wishes;
    return new Failure(
      `ffmpeg cannot write ${out}: ${this.#encoder.reasonFor(partOf(out, process.pid))}`,
    );
  }

  /** From the pipe straight into the slots: the pixels are not copied again. */
  async #feed() {
    const { signal } = this.#ending;
    const { frames, description } = this.#segments;
    const size = frameBytes(description);
    for (;;) {
      const slot = await frames.reserve(size, { signal });
      const number = this.#decoded;
      const timestamp = this.#decoder.timestampOf(number);
      const frame = writeFrame(slot.view, { ...description, number, timestamp });
      if (!(await this.#decoder.readFrame(frame.planes))) {
        frames.abortWrite(slot.cursor);
        break;
      }
      frames.commitWrite(slot.cursor);
      this.#decoded++;
    }
    if (this.#decoded === 0) throw new Failure(`${this.#wishes.input} is a film without frames.`);
    frames.end();
  }

  async #listen() {
    for await (const report of this.#segments.reports) this.tally.add(report);
  }

  get #expected() {
    return this.#decoder.expectedFrames;
  }

  async #showProgress() {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await sleep(this.#progress.pause, undefined, { signal }).catch(() => {});
      if (signal.aborted) break;
      this.#show();
    }
  }

  #show() {
    const { frames, slots } = this.#segments;
    const stats = frames.stats();
    if (stats.dead > 0) {
      throw new Failure('A frame was given up, since each detector that got it died over it.');
    }
    this.#progress.show({ tally: this.tally, expected: this.#expected, slots, stats });
  }

  async #shoot() {
    const { signal } = this.#ending;
    const middle = () => (this.#expected ?? 2 * middleOfUnknown) / 2;
    while (this.tally.frames < middle()) await sleep(5, undefined, { signal });
    this.#shot.push(...shootPreview(this.#staff));
    this.#shot.push(await shootDetectorAtWork(this.#segments.frames, this.#staff, signal));
  }

  /** Leaves no process behind, however far the film is. */
  async end() {
    this.#ending.abort();
    this.#decoder.kill();
    this.#encoder.kill();
    await this.#staff.stop();
    this.#segments.reports.close();
    await Promise.allSettled(this.#work);
    this.#progress.end();
    await this.#encoder.ended;
    const { out } = this.#wishes;
    for (const file of [out, previewOf(out)]) rmSync(partOf(file, process.pid), { force: true });
  }

  printReport() {
    const { tally } = this;
    const { out } = this.#wishes;
    process.stdout.write(
      `${shown(out)}: ${tally.frames} frames, every one once and in order, ` +
        `${tally.framesPerSecond} frames per second\n` +
        `frames per detector: ${tally.perDetector.join(' ')}\n` +
        `${shown(previewOf(out))}: drawn ${tally.previews} times; ` +
        `an overview is in ${shown(contactSheetOf(out))}\n`,
    );
    if (this.#staff.replaced === 0) return;
    process.stdout.write(
      `shot: ${this.#shot.join(' and ') || 'by somebody else'}; ` +
        `started again: ${this.#staff.replaced}, frames redelivered: ${this.#redelivered}, ` +
        `detections that came twice and were dropped: ${tally.duplicates}\n`,
    );
  }
}

/** @param {string} file */
function shown(file) {
  return path.relative(process.cwd(), file) || file;
}

/** The files that are made: the film and the pictures beside it. */
import path from 'node:path';
import { Failure } from './failure.js';
import { FfmpegRun } from './ffmpeg.js';

/** @param {string} film */
export const previewOf = (film) => path.join(path.dirname(film), 'preview.png');

/** @param {string} film */
export const contactSheetOf = (film) => path.join(path.dirname(film), 'contact-sheet.png');

/**
 * Where a file is while it is being written: nobody takes half of it for all.
 *
 * @param {string} file @param {number} supervisor its process id: two films do not meet here
 */
export function partOf(file, supervisor) {
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `${name}.part-${supervisor}${ext}`);
}

const columns = 4;
const rows = 4;

/**
 * Up to sixteen frames of the film on one picture.
 *
 * @param {string} ffmpeg @param {string} film @param {number} frames how many the film has
 * @param {AbortSignal} signal
 */
export async function makeContactSheet(ffmpeg, film, frames, signal) {
  const every = Math.max(1, Math.floor(frames / (columns * rows)));
  const filter = `select='not(mod(n\\,${every}))',scale=320:-2,tile=${columns}x${rows}`;
  const sheet = contactSheetOf(film);
  const picture = ['-frames:v', '1', '-update', '1', sheet];
  const run = new FfmpegRun(ffmpeg, ['-nostdin', '-i', film, '-vf', filter, ...picture]);
  const kill = () => run.kill();
  signal.addEventListener('abort', kill, { once: true });
  const made = await run.ended;
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  if (!made) throw new Failure(`ffmpeg cannot make ${sheet}: ${run.reasonFor(sheet)}`);
}

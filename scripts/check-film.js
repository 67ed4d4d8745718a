/**
 * Runs the film example and compares its film with the one it read: every frame has to be there, once
 * and in order. Arguments, such as --kill, go to the example.
 *
 * The example draws into the frames, so they are not equal. But what changes from one frame to the next
 * changes in the same places of both films: two frames that were swapped change the wrong way round,
 * and a repeated frame does not change at all.
 */
import { readdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fail, fromRoot, show } from './support/run.js';

const width = 192;
const height = 144;
const frameBytes = width * height;

/** Correlation of the changes: 0.6 and more in sound films, under 0 where two frames are swapped. */
const leastCorrelation = 0.2;

const film = fromRoot('out', 'film.mp4');

/** @returns {string} the clip that comes with the example */
function inputClip() {
  const folder = fromRoot('examples', 'film');
  const clips = readdirSync(folder).filter((file) => /\.(mp4|avi|mkv|webm)$/.test(file));
  if (clips.length !== 1) fail(`examples/film should hold one clip and holds ${clips.length}.`);
  return `${folder}/${clips[0]}`;
}

/** @param {string} file @returns {Buffer[]} its frames, small and grey */
function readFrames(file) {
  const filter = `scale=${width}:${height}:flags=area,format=gray`;
  const { stdout, stderr, status, error } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-i', file, '-vf', filter, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'],
    { maxBuffer: 2 ** 30 },
  );
  if (status !== 0) fail(`ffmpeg cannot read ${file}: ${error?.message ?? String(stderr)}`);
  return Array.from({ length: Math.floor(stdout.length / frameBytes) }, (_, index) =>
    stdout.subarray(index * frameBytes, (index + 1) * frameBytes),
  );
}

/**
 * @param {[Buffer, Buffer]} one a frame and its successor @param {[Buffer, Buffer]} other
 * @returns {number} how alike the changes are: 1 the same, 0 not at all, -1 the other way round
 */
function correlationOfChanges([oneBefore, oneAfter], [otherBefore, otherAfter]) {
  let product = 0;
  let oneSquare = 0;
  let otherSquare = 0;
  for (let pixel = 0; pixel < frameBytes; pixel += 1) {
    const one = oneAfter[pixel] - oneBefore[pixel];
    const other = otherAfter[pixel] - otherBefore[pixel];
    product += one * other;
    oneSquare += one * one;
    otherSquare += other * other;
  }
  return oneSquare === 0 || otherSquare === 0 ? 0 : product / Math.sqrt(oneSquare * otherSquare);
}

rmSync(film, { force: true });
const code = show('npm', ['start', '--silent', '--', ...process.argv.slice(2)]);
if (code !== 0) fail(`The film example ended with exit code ${code}.`);

const expected = readFrames(inputClip());
const frames = readFrames(film);
if (frames.length !== expected.length) {
  fail(`The film has ${frames.length} frames; the clip it was made from has ${expected.length}.`);
}
let least = 1;
for (let index = 1; index < frames.length; index += 1) {
  const correlation = correlationOfChanges(
    [expected[index - 1], expected[index]],
    [frames[index - 1], frames[index]],
  );
  least = Math.min(least, correlation);
  if (correlation < leastCorrelation) {
    fail(
      `Frame ${index} does not follow frame ${index - 1} as in the clip (${correlation.toFixed(2)}).`,
    );
  }
}
process.stdout.write(
  `ok  ${frames.length} frames, each once and in order (least correlation ${least.toFixed(2)})\n`,
);

/** What the processes of the film share: names, groups, and what they tell each other. */
import { existsSync, readdirSync } from 'node:fs';
import { ZooMemory, ZooQueue } from 'zoosync';

/**
 * @typedef {object} Names of the segments under /dev/shm
 * @property {string} frames the film, raw, in slots
 * @property {string} detections what the detectors found: a `Detection` for each frame
 * @property {string} reports what the supervisor shows: a `Report` now and then
 * @property {string} background what the scene looks like when nobody is there
 */

/**
 * @typedef {object} Detection
 * @property {number} number of the frame
 * @property {number} detector who painted it, from 1
 * @property {import('./motion.js').Box[]} boxes
 * @property {number} moving part of all pixels
 */

/**
 * @typedef {{ kind: 'frame', detection: Detection, duplicates: number }} FrameReport
 * @typedef {{ kind: 'preview', number: number }} PreviewReport
 * @typedef {FrameReport | PreviewReport} Report
 */

const prefix = 'zoosync_film_';

/** The process id keeps films that run at the same time apart. @returns {Names} */
export function namesOf(/** @type {number} */ supervisor) {
  const named = (/** @type {string} */ part) => `${prefix}${supervisor}_${part}`;
  return {
    frames: named('frames'),
    detections: named('detections'),
    reports: named('reports'),
    background: named('background'),
  };
}

/**
 * Every group gets every frame; a writer waits for those that block.
 *
 * @type {Record<string, import('zoosync').GroupOptions>}
 */
export const groups = {
  detectors: { overflow: 'block' },
  encoder: { overflow: 'block' },
  preview: { overflow: 'latest' },
};

/** Frames that may be under way at a time: one in each hand, and some between the hands. */
export const slotsFor = (/** @type {number} */ workers) => 2 * workers + 8;

/** In front of the background: whether a detector has filled it. */
export const backgroundHeaderBytes = 64;

/** The descriptor on which the encoder process finds the pipe to ffmpeg. */
export const encoderPipe = 4;

/** Removes what is left of films whose processes were all killed at once. */
export function unlinkLeftovers() {
  for (const file of readdirSync('/dev/shm')) {
    const supervisor = file.startsWith(prefix) ? parseInt(file.slice(prefix.length), 10) : NaN;
    if (supervisor > 0 && !existsSync(`/proc/${supervisor}`)) unlinkAll(namesOf(supervisor));
  }
}

/** @param {Names} names */
export function unlinkAll({ frames, detections, reports, background }) {
  for (const queue of [frames, detections, reports]) ZooQueue.unlink(queue);
  ZooMemory.unlink(background);
}

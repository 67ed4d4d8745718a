/** What is known about the film so far: counted from the reports, and read from the queue. */
export class Tally {
  #start = performance.now();
  #newest = this.#start;
  /** Frames that are in the film. */
  frames = 0;
  /** Detections that came twice. */
  duplicates = 0;
  /** Things that move in the newest frame. */
  boxes = 0;
  /** Pictures that the preview wrote. */
  previews = 0;
  /** Frames of each detector. */
  perDetector;

  /** @param {number} detectors */
  constructor(detectors) {
    this.perDetector = Array.from({ length: detectors }, () => 0);
  }

  /** @param {import('./parts.js').Report} report */
  add(report) {
    if (report.kind === 'preview') {
      this.previews++;
      return;
    }
    const { detector, boxes } = report.detection;
    this.frames++;
    this.#newest = performance.now();
    this.perDetector[detector - 1]++;
    this.boxes = boxes.length;
    this.duplicates = report.duplicates;
  }

  get framesPerSecond() {
    return Math.round((this.frames * 1000) / Math.max(1, this.#newest - this.#start));
  }
}

/** Finds what moves in a frame, and paints it. Works on bytes alone and knows no queue. */

/** A brightness that differs by more than this from the background is no noise. */
const threshold = 30;
/** How much nearer to the brightness of a frame its background comes with each frame. */
const step = 4;
/** Side of a square of the grid that boxes are made of, in samples of the colour planes. */
const cell = 8;
/** Moving samples that make a square of the grid count, and squares that make a box. */
const leastSamples = 12;
const leastCells = 2;
const mostBoxes = 64;

/** Colours as U and V. Brightness is left as it is. */
const movingColour = [64, 40];
const boxColour = [84, 240];

/**
 * @typedef {{ x: number, y: number, width: number, height: number }} Box in pixels
 * @typedef {import('zoosync').VideoFrame} VideoFrame
 */

/**
 * What moves is what differs from the background, and the background follows the frames slowly.
 * Brightness is only read and only colours are painted: a frame whose detector died half way is done
 * again by another one, with the same result.
 */
export class MotionDetector {
  #background;
  #columns;
  #rows;
  #counts;

  /**
   * @param {Uint8Array} background brightness of each pixel. All detectors share it: a step that one
   *   of them takes while another takes one too is lost, which does no harm
   * @param {number} width @param {number} height
   */
  constructor(background, width, height) {
    this.#background = background;
    this.#columns = Math.ceil(width / 2 / cell);
    this.#rows = Math.ceil(height / 2 / cell);
    this.#counts = new Uint16Array(this.#columns * this.#rows);
  }

  /**
   * Paints what moves in a yuv420p frame, in place.
   *
   * @param {VideoFrame} frame @returns {{ boxes: Box[], moving: number }} moving: part of all pixels
   */
  paint(frame) {
    const moving = this.#paintMoving(frame);
    const boxes = this.#boxes();
    for (const box of boxes) outline(frame, box);
    return { boxes, moving };
  }

  /** @param {VideoFrame} frame */
  #paintMoving(frame) {
    const [luma, u, v] = frame.planes;
    const background = this.#background;
    const counts = this.#counts.fill(0);
    const [movingU, movingV] = movingColour;
    let total = 0;
    for (let y = 0; y < u.rows; y++) {
      for (let x = 0; x < u.rowBytes; x++) {
        // Four pixels share one colour.
        const upper = 2 * y * luma.stride + 2 * x;
        const lower = upper + luma.stride;
        let votes = 0;
        for (const pixel of [upper, upper + 1, lower, lower + 1]) {
          const difference = luma.bytes[pixel] - background[pixel];
          if (difference > step) background[pixel] += step;
          else if (difference < -step) background[pixel] -= step;
          if (difference > threshold || difference < -threshold) votes++;
        }
        if (votes < 2) continue;
        u.bytes[y * u.stride + x] = movingU;
        v.bytes[y * v.stride + x] = movingV;
        counts[Math.floor(y / cell) * this.#columns + Math.floor(x / cell)]++;
        total++;
      }
    }
    return total / (u.rows * u.rowBytes);
  }

  /** A box around each group of squares that touch and in which enough moves. */
  #boxes() {
    const counts = this.#counts;
    /** @type {Box[]} */
    const boxes = [];
    for (let first = 0; first < counts.length && boxes.length < mostBoxes; first++) {
      if (counts[first] < leastSamples) continue;
      const group = this.#groupAt(first);
      if (group.cells >= leastCells) boxes.push(boxOf(group));
    }
    return boxes;
  }

  /** The squares that hang together with one; none of them is found again. @param {number} first */
  #groupAt(first) {
    const group = { cells: 0, left: Infinity, right: 0, top: Infinity, bottom: 0 };
    const open = [first];
    this.#counts[first] = 0;
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      const column = place % this.#columns;
      const row = Math.floor(place / this.#columns);
      group.cells++;
      group.left = Math.min(group.left, column);
      group.right = Math.max(group.right, column);
      group.top = Math.min(group.top, row);
      group.bottom = Math.max(group.bottom, row);
      for (const [otherColumn, otherRow] of [
        [column - 1, row],
        [column + 1, row],
        [column, row - 1],
        [column, row + 1],
      ]) {
        if (otherColumn < 0 || otherColumn >= this.#columns) continue;
        if (otherRow < 0 || otherRow >= this.#rows) continue;
        const other = otherRow * this.#columns + otherColumn;
        if (this.#counts[other] < leastSamples) continue;
        this.#counts[other] = 0;
        open.push(other);
      }
    }
    return group;
  }
}

/** @param {{ left: number, right: number, top: number, bottom: number }} group @returns {Box} */
function boxOf({ left, right, top, bottom }) {
  const pixels = 2 * cell;
  return {
    x: left * pixels,
    y: top * pixels,
    width: (right - left + 1) * pixels,
    height: (bottom - top + 1) * pixels,
  };
}

/** @param {VideoFrame} frame @param {Box} box */
function outline(frame, box) {
  const left = box.x / 2;
  const top = box.y / 2;
  for (const [index, colour] of boxColour.entries()) {
    const { bytes, stride, rowBytes, rows } = frame.planes[index + 1];
    const right = Math.min(left + box.width / 2, rowBytes) - 1;
    const bottom = Math.min(top + box.height / 2, rows) - 1;
    bytes.fill(colour, top * stride + left, top * stride + right + 1);
    bytes.fill(colour, bottom * stride + left, bottom * stride + right + 1);
    for (let y = top; y <= bottom; y++) {
      bytes[y * stride + left] = colour;
      bytes[y * stride + right] = colour;
    }
  }
}

/** A detector: takes frames, paints what moves into them, and tells the encoder what it found. */
import { ZooMemory, ZooQueue, readFrame } from 'zoosync';
import { followSupervisor } from './lifeline.js';
import { MotionDetector } from './motion.js';
import { backgroundHeaderBytes } from './parts.js';

const names = followSupervisor();
const me = Number(process.argv[3]);
const label = `detector ${me}`;

const frames = ZooQueue.open(names.frames, { group: 'detectors', label });
/** @type {ZooQueue<import('./parts.js').Detection>} */
const detections = ZooQueue.open(names.detections, { label });
const { buffer } = ZooMemory.open(names.background);
const filled = new Int32Array(buffer, 0, 1);
const background = new Uint8Array(buffer, backgroundHeaderBytes);

/** @type {MotionDetector | undefined} */
let motion;
for await (const { view } of frames.views()) {
  const frame = readFrame(view);
  if (Atomics.load(filled, 0) === 0) {
    // If killed before the mark is set, the next one fills it again.
    background.set(frame.planes[0].bytes);
    Atomics.store(filled, 0, 1);
  }
  motion ??= new MotionDetector(background, frame.width, frame.height);
  const found = motion.paint(frame);
  // First tell, then let the frame go, as the loop does when it asks for the next. If killed in
  // between, the frame is delivered and told of twice; the other way round it might be never.
  await detections.put({ number: frame.number, detector: me, ...found });
}
detections.close();
frames.close();

/** The encoder: writes every frame to ffmpeg, in order, each once its detector has painted it. */
import { closeSync, write as writeCallback } from 'node:fs';
import { promisify } from 'node:util';
import { ZooQueue, readFrame } from 'zoosync';
import { followSupervisor } from './lifeline.js';
import { encoderPipe } from './parts.js';
import { ReorderWindow } from './reorder-window.js';

const write = promisify(writeCallback);
const names = followSupervisor();
const windowSize = Number(process.argv[3]);
const label = 'encoder';

const frames = ZooQueue.open(names.frames, { group: 'encoder', label });
/** @type {ZooQueue<import('./parts.js').Detection>} */
const detections = ZooQueue.open(names.detections, { label });
/** @type {ZooQueue<import('./parts.js').Report>} */
const reports = ZooQueue.open(names.reports, { label });

/** Straight out of shared memory into the pipe. @param {Uint8Array} bytes */
async function writeAll(bytes) {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await write(encoderPipe, bytes, written, bytes.length - written).catch(
      (error) => {
        // The supervisor, who sees ffmpeg end, says why.
        if (error.code === 'EPIPE') process.exit(1);
        throw error;
      },
    );
    written += bytesWritten;
  }
}

/** @type {ReorderWindow<import('./parts.js').Detection>} */
const early = new ReorderWindow(windowSize);
for await (const { view } of frames.views()) {
  const frame = readFrame(view);
  if (frame.number !== early.next) {
    throw new Error(`frame ${frame.number} came where frame ${early.next} was due`);
  }
  let detection = early.take();
  while (detection === undefined) {
    early.add(await detections.get());
    detection = early.take();
  }
  for (const plane of frame.planes) await writeAll(plane.bytes);
  await reports.put({ kind: 'frame', detection, duplicates: early.duplicates });
}
closeSync(encoderPipe);
reports.close();
detections.close();
frames.close();

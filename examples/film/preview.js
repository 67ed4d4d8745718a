/** The preview: writes the newest frame as a picture every half second, and holds nobody up. */
import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZooQueue, readFrame } from 'zoosync';
import { followSupervisor } from './lifeline.js';
import { encodePng } from './png.js';
import { partOf } from './files.js';

const pause = 500;
const names = followSupervisor();
const picture = String(process.argv[3]);
const part = partOf(picture, process.ppid);
const label = 'preview';

const frames = ZooQueue.open(names.frames, { group: 'preview', label });
/** @type {ZooQueue<import('./parts.js').Report>} */
const reports = ZooQueue.open(names.reports, { label });

for await (const { view, cursor } of frames.views()) {
  const frame = readFrame(view);
  const { number } = frame;
  const png = encodePng(frame);
  // Not held while we sleep: the slot is free for another frame.
  frames.commitRead(cursor);
  // Written beside it and renamed: whoever looks never sees half a picture.
  writeFileSync(part, png);
  renameSync(part, picture);
  await reports.put({ kind: 'preview', number });
  await sleep(pause);
}
reports.close();
frames.close();

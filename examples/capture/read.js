/**
 * Reads what capture puts: node examples/capture/read.js [name] [--newest] [--list]
 *
 * Each frame goes to one of the readers of the group `all`. With --newest, this one reads for the
 * group `newest` instead, and takes its time. With --list, the number of each frame is a line.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PeerDied, ZooQueue, readFrame } from 'zoosync';

const { values, positionals } = parseArgs({
  options: { newest: { type: 'boolean' }, list: { type: 'boolean' } },
  allowPositionals: true,
});
const [name = 'zoosync_capture'] = positionals;
const pause = 1000;

/** @param {import('zoosync').VideoFrame} frame @returns {boolean} whether it is what was drawn */
function isWhole({ number, planes }) {
  const [{ bytes, rows, rowBytes, stride }] = planes;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < rowBytes; x++) {
      if (bytes[y * stride + x] !== ((x + y + number) & 255)) return false;
    }
  }
  return true;
}

const queue = await ZooQueue.waitFor(name, {
  group: values.newest ? 'newest' : 'all',
  label: 'read',
});
let frames = 0;
let again = 0;

async function readUntilEnd() {
  for await (const { view, deliveries } of queue.views()) {
    const frame = readFrame(view);
    if (!isWhole(frame)) throw new Error(`frame ${frame.number} is not what was drawn`);
    frames++;
    if (deliveries > 1) again++;
    if (values.list) process.stdout.write(`${frame.number}\n`);
    if (values.newest) await sleep(pause);
  }
}

for (let done = false, told = 0; !done;) {
  try {
    await readUntilEnd();
    done = true;
  } catch (error) {
    if (!(error instanceof PeerDied)) throw error;
    // The queue is as good as before: the next capture goes on with it.
    if (told !== error.pid) process.stderr.write(`read: capture (process ${error.pid}) died\n`);
    told = error.pid;
    await sleep(100);
  }
}
process.stderr.write(`read: ${frames} frames, ${again} of them given up by a reader that died\n`);
// Who reads to the end removes the name.
queue.unlink();
queue.close();

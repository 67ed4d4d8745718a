/** Takes what the sender hands over and uploads it in parts: node receiver.js PIPE URL */
import { PeerDied, ZooPipe, hash } from 'zoosync';
import { endWithParent } from '../support/lifeline.js';
import { partBytes, uploadsAtATime } from './sizes.js';
import { Upload } from './upload.js';

const [name = '', url = ''] = process.argv.slice(2);
const leave = endWithParent(() => ZooPipe.unlink(name));

/** @param {object} message */
const report = (message) => process.send?.(message);

const pipe = await ZooPipe.open(name, { timeout: 30_000 });
const upload = await Upload.initiate(url);
const packed = hash('sha256');
let number = 0;
try {
  const parts = await pipe
    .chunks(partBytes) // exactly, but for the last one
    .through(packed)
    .map((bytes) => ({ number: (number += 1), bytes: new Uint8Array(bytes) }))
    .stage((part, options) => upload.part(part, options), { workers: uploadsAtATime })
    .map((part) => {
      report({ part });
      return part;
    })
    .toArray();
  await upload.complete(parts);
  report({ received: { bytes: packed.bytes, sha256: packed.digest('hex') } });
} catch (error) {
  // What has come so far is not the file, however much it looks like one.
  await upload.abort();
  if (!(error instanceof PeerDied)) throw error;
  report({ died: { pid: error.pid, message: error.message, bytes: packed.bytes } });
}
leave();

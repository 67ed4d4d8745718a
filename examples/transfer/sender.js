/** Reads a file, hashes, compresses and hands it over: node sender.js FILE PIPE */
import { createReadStream } from 'node:fs';
import { createGzip } from 'node:zlib';
import { Stream, ZooPipe, hash } from 'zoosync';
import { endWithParent } from '../support/lifeline.js';
import { memoryLimit } from './sizes.js';

const [file = '', name = ''] = process.argv.slice(2);
const leave = endWithParent(() => ZooPipe.unlink(name));

const plain = hash('sha256');
const packed = hash('sha256');
const pipe = ZooPipe.create(name, { memoryLimit });

await Stream.from(createReadStream(file))
  .through(plain)
  .through(createGzip({ level: 1 }))
  .through(packed)
  .to(pipe);

process.send?.({
  sent: {
    plain: { bytes: plain.bytes, sha256: plain.digest('hex') },
    packed: { bytes: packed.bytes, sha256: packed.digest('hex') },
  },
});
leave();

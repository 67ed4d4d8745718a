/**
 * A file from one process through another one into a storage, and a proof that it arrived:
 * node examples/transfer/main.js [FILE] [--kill]. See README.md.
 */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { ZooPipe } from 'zoosync';
import { withSampleFile } from './sample.js';
import { Storage } from './storage.js';

/** With `--kill`, the sender gets SIGKILL when this many parts are uploaded. */
const partsBeforeKill = 2;

/**
 * @typedef {{ bytes: number, sha256: string }} Digest
 * @typedef {object} Message from one of the processes
 * @property {{ plain: Digest, packed: Digest }} [sent]
 * @property {import('./upload.js').Part} [part]
 * @property {Digest} [received]
 * @property {{ pid: number, message: string, bytes: number }} [died]
 */

/** @param {string} text */
const say = (text) => process.stdout.write(`${text}\n`);

/** @param {number} bytes */
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** @param {string} script @param {string[]} given @param {(message: Message) => void} hear */
function start(script, given, hear) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), given);
  child.on('message', (message) => hear(/** @type {Message} */ (message)));
  return child;
}

/** @param {string} url @returns {Promise<Buffer | undefined>} nothing when there is no such object */
async function download(url) {
  const answer = await fetch(url);
  return answer.ok ? Buffer.from(await answer.arrayBuffer()) : undefined;
}

/** @param {string} file @param {Storage} storage @param {{ kill: boolean }} wishes */
async function transfer(file, storage, { kill }) {
  const pipe = `zoosync_transfer_${process.pid}`;
  /** @type {Message} */
  const told = {};
  const sender = start('sender.js', [file, pipe], (message) => Object.assign(told, message));
  const url = `${await storage.listen()}/${encodeURIComponent(path.basename(file))}.gz`;
  const receiver = start('receiver.js', [pipe, url], (message) => {
    Object.assign(told, message);
    if (!message.part) return;
    const { number, bytes, etag } = message.part;
    say(`part ${number}: ${bytes} bytes, etag ${etag}`);
    if (kill && number === partsBeforeKill && sender.kill('SIGKILL')) {
      say(`killed the sender, process ${sender.pid}`);
    }
  });
  // A sender that waits for a receiver which never came would wait for ever.
  receiver.once('exit', (code) => code !== 0 && sender.kill('SIGKILL'));
  try {
    const endings = await Promise.all([once(sender, 'exit'), once(receiver, 'exit')]);
    const [senderEnding, receiverEnding] = endings.map(([code, signal]) => signal ?? code);
    return { told, senderEnding, receiverEnding, object: await download(url) };
  } finally {
    sender.kill('SIGKILL');
    receiver.kill('SIGKILL');
    ZooPipe.unlink(pipe);
  }
}

/** @param {Buffer} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {Message} told @param {Buffer | undefined} object what the storage has now */
function checkArrived({ sent, received }, object) {
  if (!sent || !received || !object) throw new Error('the transfer broke off');
  const plain = gunzipSync(object);
  say(`sent      ${sent.packed.sha256}  ${megabytes(sent.packed.bytes)} compressed`);
  say(`received  ${received.sha256}  ${megabytes(received.bytes)}`);
  say(`file      ${sent.plain.sha256}  ${megabytes(sent.plain.bytes)}`);
  say(`stored    ${sha256(plain)}  ${megabytes(plain.length)} after unpacking`);
  const isSame = sent.packed.sha256 === received.sha256 && sent.plain.sha256 === sha256(plain);
  if (!isSame) throw new Error('what was stored is not what was sent');
  say('ok  both pairs are the same');
}

/** @param {Message} told @param {Storage} storage */
function checkDiscarded({ died, received }, storage) {
  if (received || !died) throw new Error('the receiver did not notice that the sender died');
  if (storage.objects.size + storage.uploads.size > 0) throw new Error('something was left behind');
  say(`the receiver got ${megabytes(died.bytes)} in whole parts, then: ${died.message}`);
  say('ok  the upload was aborted, and nothing is stored');
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kill: { type: 'boolean', default: false } },
});

/** @param {string} file */
async function run(file) {
  say(`${file}, ${megabytes(statSync(file).size)}`);
  const storage = new Storage();
  try {
    const { told, senderEnding, receiverEnding, object } = await transfer(file, storage, values);
    if (receiverEnding !== 0) throw new Error(`the receiver ended with ${receiverEnding}`);
    if (senderEnding === 'SIGKILL') checkDiscarded(told, storage);
    else checkArrived(told, object);
  } finally {
    storage.close();
  }
}

const [file] = positionals;
if (file === undefined) await withSampleFile(run);
else await run(file);

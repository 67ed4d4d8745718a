/** A pipe of the kernel to the partner's standard input, and its standard output back. */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { place } from '../../harness/processors.js';
import { startProcess } from '../../harness/start-partner.js';
import { Unavailable } from '../../harness/unavailable.js';
import { singleBuffer } from './single-buffer.js';

/**
 * What `child_process` calls a pipe is a pair of sockets, so a named pipe takes its place, which is
 * what a shell's `a | b` would give: both ends are then wrapped by `net.Socket` as Node does it
 * with standard input.
 *
 * @param {string} module URL of the contender
 * @param {import('../../harness/types.d.ts').ContenderOptions} options
 * @returns {import('./byte-stream.js').Ends}
 */
export function startPiped(module, options) {
  const name = path.join(os.tmpdir(), `${options.prefix}.pipe`);
  rmSync(name, { force: true });
  const { error, status } = spawnSync('mkfifo', ['-m', '600', name], { stdio: 'inherit' });
  if (error || status !== 0) throw new Unavailable('mkfifo makes no named pipe');
  // In this order, because a writer is refused while there is no reader.
  const readEnd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(name, constants.O_WRONLY | constants.O_NONBLOCK);
  rmSync(name);
  const child = startProcess(module, options, { stdin: readEnd, stdout: 'pipe' });
  closeSync(readEnd);
  if (child.stdout === null) throw new Error('the partner has no standard output');
  place(options.processors, 0, 2);
  const output = new net.Socket({ fd: writeEnd, readable: false, writable: true });
  return { input: child.stdout, output, child };
}

/**
 * @param {import('../../harness/types.d.ts').ContenderOptions} options
 * @returns {import('./byte-stream.js').PartnerEnds}
 */
export function pipesOfPartner({ processors }) {
  const { onread, listen } = singleBuffer();
  // Standard input as `process.stdin` would open it, but for the buffer, of which types know nothing.
  const reading = { fd: 0, readable: true, writable: false, onread };
  const input = new net.Socket(/** @type {net.SocketConstructorOpts} */ (reading));
  input.resume();
  place(processors, 1, 2);
  process.disconnect();
  return { listen, output: process.stdout };
}

/** A unix socket between a contender and its partner. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { place } from '../../harness/processors.js';
import { startProcess } from '../../harness/start-partner.js';
import { singleBuffer } from './single-buffer.js';

/** @param {string} prefix @returns {string} */
const socketPath = (prefix) => path.join(os.tmpdir(), `${prefix}.sock`);

/**
 * @param {string} prefix
 * @param {net.OnReadOpts} [onread] where the bytes go instead of into new Buffers
 * @returns {Promise<net.Socket>}
 */
export async function connectToHost(prefix, onread) {
  const path = socketPath(prefix);
  const socket = net.connect(onread ? { path, onread } : { path });
  await once(socket, 'connect');
  return socket;
}

/**
 * @param {string} module URL of the contender
 * @param {import('../../harness/types.d.ts').ContenderOptions} options
 * @returns {Promise<import('./byte-stream.js').Ends>}
 */
export async function startConnected(module, options) {
  const file = socketPath(options.prefix);
  rmSync(file, { force: true });
  const server = net.createServer().listen(file);
  await once(server, 'listening');
  const child = startProcess(module, options);
  const [socket] = await once(server, 'connection');
  server.close();
  place(options.processors, 0, 2);
  return { input: socket, output: socket, child };
}

/**
 * @param {import('../../harness/types.d.ts').ContenderOptions} options
 * @returns {Promise<import('./byte-stream.js').PartnerEnds>}
 */
export async function connectPartner({ prefix, processors }) {
  const { onread, listen } = singleBuffer();
  const socket = await connectToHost(prefix, onread);
  place(processors, 1, 2);
  process.disconnect();
  return { listen, output: socket };
}

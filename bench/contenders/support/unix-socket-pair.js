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

/** @param {string} prefix @param {() => void} startPartner @returns {Promise<net.Socket>} */
export async function acceptPartner(prefix, startPartner) {
  rmSync(socketPath(prefix), { force: true });
  const server = net.createServer().listen(socketPath(prefix));
  await once(server, 'listening');
  startPartner();
  const [socket] = await once(server, 'connection');
  server.close();
  return socket;
}

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
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  const socket = await acceptPartner(options.prefix, () => {
    child = startProcess(module, options);
  });
  if (child === undefined) throw new Error('nobody was started');
  place(options.processors, 0, 2);
  return { input: socket, output: socket, child };
}

/**
 * @param {import('../../harness/types.d.ts').ContenderOptions} options
 * @returns {Promise<import('./byte-stream.js').PartnerEnds>}
 */
export async function connectPartner({ prefix, processors }) {
  const { onread, listen } = singleBuffer();
  const socket = net.connect({ path: socketPath(prefix), onread });
  await once(socket, 'connect');
  place(processors, 1, 2);
  process.disconnect();
  return { listen, output: socket };
}

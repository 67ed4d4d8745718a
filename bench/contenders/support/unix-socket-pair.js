/** A unix socket between a contender and its partner. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

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

/** @param {string} prefix @returns {Promise<net.Socket>} */
export async function connectToHost(prefix) {
  const socket = net.connect(socketPath(prefix));
  await once(socket, 'connect');
  return socket;
}

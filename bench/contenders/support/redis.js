/** A Redis server of our own, which keeps nothing on disk, and its clients. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Unavailable, loadOptional } from '../../harness/unavailable.js';

/**
 * @param {string} socket where its server listens
 * @returns {Promise<any>} a connected client whose strings are byte arrays
 */
export async function connectRedis(socket) {
  const { createClient, RESP_TYPES } = await loadOptional('@redis/client');
  const client = createClient({ socket: { path: socket } });
  // Without a listener it throws; a broken connection fails the commands, and these say so.
  client.on('error', () => {});
  await client.connect();
  return client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
}

/** @param {string} prefix @returns {Promise<{ socket: string, stop: () => Promise<void> }>} */
export async function startRedis(prefix) {
  const { status } = spawnSync('redis-server', ['--version'], { stdio: 'ignore' });
  if (status !== 0) throw new Unavailable('redis-server is not on the PATH');
  const folder = mkdtempSync(path.join(os.tmpdir(), `${prefix}-`));
  const socket = path.join(folder, 'redis.sock');
  const settings = {
    // Its documentation prefers a unix socket to the loopback device when both are on one machine.
    port: '0',
    unixsocket: socket,
    save: '',
    appendonly: 'no',
    dir: folder,
    loglevel: 'warning',
  };
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  // It ends with this process, however that ends.
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', 'redis-server', ...words], {
    stdio: 'ignore',
  });
  let reason = 'redis-server does not start';
  const ended = once(server, 'exit').catch((error) => {
    reason = error.message;
  });
  const stop = async () => {
    server.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 200 && server.exitCode === null; tries += 1) {
    if (existsSync(socket)) return { socket, stop };
    await sleep(25);
  }
  await stop();
  throw new Unavailable(reason);
}

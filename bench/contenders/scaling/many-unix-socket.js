/**
 * The same over unix sockets, one for each process: a consumer that reads from all of them, or a
 * producer that writes to each in turn.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { Unframer, frame } from '../support/framing.js';
import { curve, runFor } from '../support/over-time.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { counts: number[], side: 'producers' | 'consumers', batch: number }} Options */

/** @param {string} prefix */
const socketPath = (prefix) => path.join(os.tmpdir(), `${prefix}.sock`);

/** Calls back with each message that comes over a socket. @param {net.Socket} socket @param {(message: Buffer) => void} deliver */
function onMessage(socket, deliver) {
  const unframer = new Unframer(deliver);
  socket.on('data', (chunk) => unframer.push(chunk));
}

/** @param {net.Socket} socket @param {Buffer} message @param {number} batch @returns {boolean} whether there is room for more */
function writeBatch(socket, message, batch) {
  if (batch === 1) return socket.write(frame(message));
  let hasRoom = true;
  socket.cork();
  for (let index = 0; index < batch; index += 1) hasRoom = socket.write(frame(message));
  socket.uncork();
  return hasRoom || !socket.writableNeedDrain;
}

/** Announces how many come and sends them, over each socket in turn. @param {net.Socket[]} sockets @param {Buffer} message @param {number} batch @param {number} each */
async function sendInTurn(sockets, message, batch, each) {
  for (const socket of sockets) socket.write(frame(announce(each)));
  for (let sent = 0; sent < each; sent += batch) {
    for (const socket of sockets) {
      if (!writeBatch(socket, message, batch)) await once(socket, 'drain');
    }
  }
}

/** @param {Options} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(options) {
  const { prefix, counts, side, batch } = options;
  const most = Math.max(...counts);
  rmSync(socketPath(prefix), { force: true });
  const server = net.createServer().listen(socketPath(prefix));
  await once(server, 'listening');
  /** @type {net.Socket[]} */
  const sockets = [];
  /** @type {import('node:child_process').ChildProcess[]} */
  const children = [];
  for (let index = 0; index < most; index += 1) {
    const connected = once(server, 'connection');
    children.push(startProcess(import.meta.url, options));
    const [socket] = await connected;
    sockets.push(socket);
  }
  server.close();
  place(options.processors, 0, 1 + most);

  let waitFor = 0;
  let sum = 0;
  let done = () => {};
  /** @param {number} part */
  const add = (part) => {
    sum += part;
    waitFor -= 1;
    if (waitFor === 0) done();
  };
  for (const socket of sockets) {
    const tally = new Tally();
    onMessage(socket, (message) => {
      if (side === 'consumers') add(message.readDoubleLE(0));
      else if (tally.take(message)) add(tally.answer.readDoubleLE(0));
    });
  }
  const message = Buffer.alloc(options.bytes, 1);
  const known = new Map();

  /** @param {number} count @param {number} each */
  async function run(count, each) {
    const some = sockets.slice(0, count);
    const elapsed = stopwatch();
    waitFor = count;
    sum = 0;
    /** @type {Promise<void>} */
    const finished = new Promise((resolve) => {
      done = resolve;
    });
    if (side === 'consumers') await sendInTurn(some, message, batch, each);
    else for (const socket of some) socket.write(frame(announce(each)));
    await finished;
    const seconds = elapsed();
    if (sum !== each * count) throw new Error(`${each * count} messages arrived with sum ${sum}`);
    return { operations: each * count, seconds };
  }

  return {
    run: () =>
      curve(counts, async (count) => {
        const share = (/** @type {number} */ amount) => Math.ceil(amount / count / batch) * batch;
        const runShared = (/** @type {number} */ amount) => run(count, share(amount));
        const { operations, seconds } = await runFor(known, count, runShared, { first: 256 });
        return operations / seconds;
      }),
    async close() {
      for (const socket of sockets) socket.end();
      await Promise.all(children.map((child) => ended(child)));
    },
  };
}

/** @param {Options} options */
export async function partner({ prefix, side, batch, bytes }) {
  const socket = net.connect(socketPath(prefix));
  await once(socket, 'connect');
  process.disconnect();
  const tally = new Tally();
  const message = Buffer.alloc(bytes, 1);
  onMessage(socket, (received) => {
    if (side === 'producers') {
      sendInTurn([socket], message, batch, received.readDoubleLE(0)).catch((error) =>
        socket.destroy(error),
      );
    } else if (tally.take(received)) {
      socket.write(frame(tally.answer));
    }
  });
}

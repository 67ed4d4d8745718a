/** Pipes between processes, one of which is killed. */
import { createHash } from 'node:crypto';
import { PeerDied, ZooPipe, type PipeOptions } from 'zoosync';
import { expect, it } from 'vitest';
import {
  failureOf,
  isPending,
  startPeer,
  uniqueName,
  within,
  type Peer,
} from '../support/index.js';
import { disposed } from './channels.js';

function create(options: PipeOptions = {}): ZooPipe {
  return disposed(ZooPipe.create(uniqueName('pipe'), { memoryLimit: '256KiB', ...options }));
}

/** Takes the other end of the pipe in a peer, as `state.pipe`. */
async function peerAt(pipe: ZooPipe): Promise<Peer> {
  const peer = await startPeer();
  await peer.run(async ({ zoosync, state }, name) => {
    state['pipe'] = await zoosync.ZooPipe.open(name);
  }, pipe.name);
  return peer;
}

it('carries more than its memory to another process, unharmed', async () => {
  const pipe = create({ as: 'reader' });
  const peer = await peerAt(pipe);
  const sending = peer.run(async ({ state }) => {
    const { createHash: hashOf, randomBytes } = process.getBuiltinModule('node:crypto');
    const hash = hashOf('sha256');
    for (let i = 0; i < 300; i += 1) {
      const chunk = randomBytes(1 + ((i * 7919) % 50_000));
      hash.update(chunk);
      await state['pipe'].write(chunk);
    }
    return { bytes: (await state['pipe'].end()) as number, digest: hash.digest('hex') };
  });
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of pipe.chunks(64 * 1024)) {
    bytes += part.length;
    hash.update(part);
  }
  expect(await sending).toEqual({ bytes, digest: hash.digest('hex') });
});

it('never takes the death of its writer for the end', async () => {
  const pipe = create({ as: 'reader' });
  const peer = await peerAt(pipe);
  await peer.run(({ state }) => state['pipe'].write('only the first part'));
  const waiting = failureOf(pipe.read(100));
  expect(await isPending(waiting)).toBe(true);
  peer.kill();
  const error = await within(waiting, 'PeerDied');
  expect(error).toBeInstanceOf(PeerDied);
  expect(error).toMatchObject({ code: 'ERR_ZOO_PEER_DIED', pid: peer.pid });
  expect(String(await pipe.read())).toBe('only the first part');
  expect(await failureOf(pipe.read())).toBeInstanceOf(PeerDied);
  expect(await failureOf(pipe.toArray())).toBeInstanceOf(PeerDied);
});

it('tells a writer that waits, and the next write, that its reader died', async () => {
  const pipe = create();
  const peer = await peerAt(pipe);
  const waiting = failureOf(pipe.write(new Uint8Array(1_000_000)));
  expect(await isPending(waiting)).toBe(true);
  peer.kill();
  const error = await within(waiting, 'PeerDied');
  expect(error).toBeInstanceOf(PeerDied);
  expect(error).toMatchObject({ code: 'ERR_ZOO_PEER_DIED', pid: peer.pid });
  expect(error.message).toContain('reader');
  expect(await failureOf(pipe.write('x'))).toBeInstanceOf(PeerDied);
  expect(pipe.desiredSize).toBeNull();
});

it('tells a writer in another process that its reader has closed', async () => {
  const pipe = create({ as: 'reader' });
  const peer = await peerAt(pipe);
  const writing = peer.run(async ({ state }) => {
    try {
      for (;;) await state['pipe'].write(new Uint8Array(10_000));
    } catch (error) {
      return (error as { code: string }).code;
    }
  });
  for await (const chunk of pipe) if (chunk.length > 0) break;
  expect(await within(writing, 'the writer to learn of it')).toBe('ERR_ZOO_ENDED');
});

it('keeps the failure of a writer that is gone', async () => {
  const pipe = create({ as: 'reader' });
  const peer = await peerAt(pipe);
  await peer.run(({ state }) => {
    state['pipe'].writeSync('abc');
    state['pipe'].fail(Object.assign(new TypeError('bad input'), { code: 'E_BAD' }));
  });
  await peer.leave();
  expect(String(await pipe.read(3))).toBe('abc');
  const error = await failureOf(pipe.read(3));
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ message: 'bad input', code: 'E_BAD', pid: peer.pid });
});

it('can be made anew when both of its processes were killed', async () => {
  const name = uniqueName('pipe');
  const [writer, reader] = [await startPeer(), await startPeer()];
  await writer.run(async ({ zoosync, state }, segment) => {
    state['pipe'] = zoosync.ZooPipe.create(segment, { memoryLimit: '64KiB' });
    await state['pipe'].write('old');
  }, name);
  await reader.run(async ({ zoosync, state }, segment) => {
    state['pipe'] = await zoosync.ZooPipe.open(segment);
  }, name);
  writer.kill();
  reader.kill();
  await Promise.all([writer.ended, reader.ended]);
  // Who comes too early waits for the new one instead of getting what was left of the old.
  const opening = ZooPipe.open(name);
  expect(await isPending(opening)).toBe(true);
  const made = disposed(ZooPipe.create(name, { memoryLimit: '64KiB' }));
  const opened = disposed(await within(opening, 'the new pipe'));
  await made.write('new');
  expect(String(await opened.read())).toBe('new');
});

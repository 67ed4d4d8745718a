/** The examples of StreamForge's guide: uploads, child processes, proxies, in constant memory. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, get, request, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { Stream, ZooPipe } from 'zoosync';
import {
  afterThisTest,
  failureOf,
  startPeer,
  turns,
  uniqueName,
  until,
  within,
} from '../support/index.js';
import { makeChannel } from './channels.js';

const MiB = 2 ** 20;

async function startServer(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  afterThisTest(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

function makeFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'zoosync-streamforge-'));
  afterThisTest(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

it('an upload: from a request through a pipe into a file that another process writes', async () => {
  const file = path.join(makeFolder(), 'video.mp4');
  const name = uniqueName('upload');
  const pipe = ZooPipe.create(name, { memoryLimit: 2 * MiB });
  afterThisTest(() => pipe[Symbol.asyncDispose]());
  const peer = await startPeer();
  const saving = peer.run(
    async ({ zoosync }, name, file) => {
      const { createWriteStream } = process.getBuiltinModule('node:fs');
      const pipe = await zoosync.ZooPipe.open(name, { timeout: 30_000 });
      await pipe.to(createWriteStream(file));
    },
    name,
    file,
  );
  const url = await startServer((incoming, outgoing) => {
    Stream.from<Uint8Array>(incoming)
      .to(pipe)
      .then(
        () => outgoing.end('stored'),
        () => outgoing.writeHead(500).end(),
      );
  });

  const body = randomBytes(20 * MiB);
  const uploading = within(fetch(url, { method: 'POST', body }), 'the answer to the upload');
  const [answer] = await Promise.all([uploading, within(saving, 'the file')]);
  expect(await answer.text()).toBe('stored');
  expect(sha256(readFileSync(file))).toBe(sha256(body));
  await peer.leave();
});

it('an upload that breaks off: the file never counts as complete', async () => {
  const name = uniqueName('upload');
  const pipe = ZooPipe.create(name, { memoryLimit: 2 * MiB });
  afterThisTest(() => pipe[Symbol.asyncDispose]());
  const reader = await ZooPipe.open(name);
  afterThisTest(() => reader[Symbol.asyncDispose]());
  const file = path.join(makeFolder(), 'video.mp4');
  const url = await startServer((incoming, outgoing) => {
    Stream.from<Uint8Array>(incoming)
      .to(pipe)
      .then(
        () => outgoing.end(),
        () => outgoing.destroy(),
      );
  });
  const saving = failureOf(Promise.resolve(reader.to(createWriteStream(file))));

  const upload = request(url, { method: 'POST', headers: { 'content-length': 10 * MiB } });
  upload.on('error', () => {});
  upload.write(randomBytes(MiB));
  await until(() => pipe.stats().sent > 0, 'the first bytes');
  upload.destroy();

  expect((await within(saving, 'the failure')).code).toBe('ECONNRESET');
});

/** A child process that is there wherever Node is, in the place of ffmpeg. */
function transcoder(program: string) {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  afterThisTest(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}

it('a child process: a stream into its input, its output as a stream', async () => {
  const child = transcoder(
    'process.stdin.on("data", (chunk) => process.stdout.write(chunk.map((byte) => byte ^ 255)))',
  );
  const input = randomBytes(3 * MiB);
  const feeding = Stream.from([input.subarray(0, MiB), input.subarray(MiB)]).to(child.stdin);

  const chunks = await Stream.from<Uint8Array>(child.stdout).toArray();
  await feeding;
  expect(Buffer.concat(chunks).equals(input.map((byte) => byte ^ 255))).toBe(true);
});

it('a child process that stops reading: the run fails, and its source is let go', async () => {
  const child = transcoder('process.stdin.once("data", () => process.exit(3))');
  let isReleased = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(65_536);
    } finally {
      isReleased = true;
    }
  }
  const failure = await within(
    failureOf(Promise.resolve(Stream.from(endless()).to(child.stdin))),
    'the run to fail',
  );
  expect(['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']).toContain(
    failure.code,
  );
  await until(() => isReleased, 'the source to be let go');
});

it('a proxy: storage to client, and a client who leaves stops the storage', async () => {
  let isStopped = false;
  let made = 0;
  async function* video(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        made += 1;
        yield Buffer.alloc(65_536, made);
      }
    } finally {
      isStopped = true;
    }
  }
  const failures: unknown[] = [];
  const url = await startServer((_, outgoing) => {
    Stream.from(video())
      .to(outgoing)
      .then(undefined, (error: unknown) => failures.push(error));
  });

  const [answer] = (await once(get(url), 'response')) as [Readable];
  await once(answer, 'data');
  answer.destroy();
  await until(() => isStopped, 'the storage to be stopped');
  await until(() => failures.length === 1, 'the run to say so');
});

it('backpressure the way Node has it: pipeline() into a channel waits while it is full', async () => {
  const channel = makeChannel<number>('local', 4);
  let made = 0;
  const source = Readable.from(
    (function* () {
      for (let index = 0; index < 100; index += 1) {
        made += 1;
        yield index;
      }
    })(),
    { highWaterMark: 1 },
  );
  const running = pipeline(source, channel.writable());
  await turns(50);
  expect(made).toBeLessThan(12);

  expect(await channel.toArray()).toEqual(Array.from({ length: 100 }, (_, index) => index));
  await running;
});

it('buffers pass through as they are', async () => {
  const name = uniqueName('bytes');
  const pipe = ZooPipe.create(name, { memoryLimit: MiB });
  afterThisTest(() => pipe[Symbol.asyncDispose]());
  const reader = await ZooPipe.open(name);
  afterThisTest(() => reader[Symbol.asyncDispose]());
  const buffer = Buffer.alloc(4);
  buffer[0] = 0x48;
  buffer[1] = 0x69;
  await pipe.write(buffer);
  buffer.fill(0xff); // the pipe has its own copy
  expect(await reader.read(4)).toEqual(Buffer.from([0x48, 0x69, 0, 0]));
});

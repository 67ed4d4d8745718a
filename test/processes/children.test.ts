import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { afterThisTest, packageUrl, ring, runProgram, track, within } from '../support/index.js';

async function programFile(source: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'zoosync-'));
  afterThisTest(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'program.mjs');
  writeFileSync(file, `import { ZooQueue } from ${JSON.stringify(packageUrl)};\n${source}`);
  return file;
}

describe('children', () => {
  it('made by fork use the queue beside their channel', async () => {
    const queue = ring.create();
    const file = await programFile(`
      process.on('message', async ({ name }) => {
        const queue = ZooQueue.open(name);
        const view = await queue.recvView();
        // What is posted is a copy of these bytes alone, and it outlives the view.
        process.send({ copy: Uint8Array.from(view.view), deliveries: view.deliveries });
        queue.commitRead(view.cursor);
        process.disconnect();
      });`);
    const child = fork(file, { serialization: 'advanced' });
    track({ close: () => child.kill('SIGKILL') });
    child.send({ name: queue.name });
    queue.putBytesSync(Buffer.from([1, 2, 3]));
    const [message] = (await within(once(child, 'message'))) as [
      { copy: Uint8Array; deliveries: number },
    ];
    expect([[...message.copy], message.deliveries]).toEqual([[1, 2, 3], 1]);
    const [code] = child.exitCode === null ? await within(once(child, 'exit')) : [child.exitCode];
    expect(code).toBe(0);
    expect(queue.stats().messages).toBe(0);
  });

  it('that are detached go on when their parent has ended', async () => {
    const requests = ring.create<string>();
    const answers = ring.create<string>();
    const file = await programFile(`
      const requests = ZooQueue.open(process.argv[2]);
      const answers = ZooQueue.open(process.argv[3]);
      for await (const request of requests) await answers.put(request + ' answered');
      answers.end();`);
    const parent = await runProgram(
      `const { spawn } = await import('node:child_process');
       const queue = ZooQueue.open(args[1]);
       const child = spawn(process.execPath, args, { detached: true, stdio: 'ignore' });
       child.unref();`,
      { args: [file, requests.name, answers.name] },
    );
    expect(parent).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    await requests.put('first');
    expect(await within(answers.get())).toBe('first answered');
    await requests.put('second');
    requests.end();
    expect(await within(answers.get())).toBe('second answered');
    expect(await within(answers.getMany(1).catch((error: { code: string }) => error.code))).toBe(
      'ERR_ZOO_ENDED',
    );
  });
});

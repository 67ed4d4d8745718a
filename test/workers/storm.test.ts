import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ZooLock, ZooMemory, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { afterThisTest, runProgram, uniqueName, within, type Finished } from '../support/index.js';

/** Runs a fixture in a process of its own, since it may take that process down. */
async function runFixture(fixture: string, args: readonly string[]): Promise<Finished> {
  const file = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  afterThisTest(() => child.kill('SIGKILL'));
  const [stdout, stderr, ending] = await within(
    Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]),
    `the end of ${fixture}`,
  );
  const [code, signal] = ending as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}

describe('terminate()', () => {
  it('in a storm of calls never brings the process down, and leaves nothing mapped', async () => {
    const finished = await runFixture('storm.js', [uniqueName('storm'), '64']);
    expect(finished).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(JSON.parse(finished.stdout)).toEqual({
      failures: [],
      participants: 1,
      last: 'after the storm',
      memory: 3,
      mappingsLeft: 0,
    });
  });
});

describe('loading in workers', () => {
  it('works in many at once, and the process goes on when all have gone', async () => {
    const finished = await runFixture('loading.js', [uniqueName('loading'), '8']);
    expect(finished).toEqual({
      code: 0,
      signal: null,
      stdout: 'all loaded, all gone\n',
      stderr: '',
    });
  });

  it('works in workers alone: the addon outlives the last of them', async () => {
    const source = readFileSync(new URL('../fixtures/loading.js', import.meta.url), 'utf8');
    expect(source).not.toMatch(/^import .*dist/m);
    for (let round = 0; round < 2; round += 1) {
      const finished = await runFixture('loading.js', [uniqueName('alone'), '1']);
      expect(finished).toMatchObject({ code: 0, signal: null, stderr: '' });
    }
  });
});

describe('an exit with open handles', () => {
  const openHandles = `
    const queue = new ZooQueue(args[0], { size: '64KiB' });
    const lock = new ZooLock(args[0] + '.lock');
    const memory = ZooMemory.create(args[0] + '.memory', 64);
    queue.get().catch(() => undefined);
    lock.acquireSync();
    queue.putBytesSync(Buffer.from('x'));`;

  it('is clean from the main thread, with waits pending', async () => {
    for (const [how, code] of [
      ['process.exit(0)', 0],
      ['process.exit(7)', 7],
      ['setTimeout(() => process.exit(0), 5)', 0],
    ] as const) {
      const name = uniqueName('exit');
      const finished = await runProgram(`${openHandles}\n${how};`, { args: [name] });
      expect(finished).toEqual({ code, signal: null, stdout: '', stderr: '' });
      // Any other code counts as a death, after which everything is still there.
      const left = [ZooQueue.unlink(name), ZooLock.unlink(`${name}.lock`)];
      expect(left).toEqual([code !== 0, code !== 0]);
      expect(ZooMemory.unlink(`${name}.memory`)).toBe(code !== 0);
    }
  });

  it('is clean while workers use everything', async () => {
    const finished = await runProgram(
      `${openHandles}
       lock.release();
       const { Worker } = await import('node:worker_threads');
       const { once } = await import('node:events');
       ZooQueue.create(args[0] + '.busy', { groups: { busy: {}, idle: { overflow: 'latest' } } });
       const workers = ['awaiting', 'locking', 'blocking', 'waiting'].map(
         (role) => new Worker(new URL(args[1]), { execArgv: [], workerData: {
           queueName: args[0] + '.busy', lockName: args[0] + '.lock',
           memoryName: args[0] + '.memory', role } }),
       );
       await Promise.all(workers.map((worker) => once(worker, 'message')));
       setTimeout(() => process.exit(0), 20);`,
      {
        args: [uniqueName('exit'), new URL('../fixtures/storm-worker.js', import.meta.url).href],
      },
    );
    expect(finished).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  });

  it('after the handles were collected is clean, and nothing stays mapped', async () => {
    const finished = await runProgram(
      `const { readFileSync } = await import('node:fs');
       const mapped = () => readFileSync('/proc/self/maps', 'utf8').split('\\n')
         .filter((line) => line.includes('/dev/shm/')).length;
       const memory = ZooMemory.create(args[0] + '.memory', 4096);
       const before = mapped();
       for (let i = 0; i < 40; i += 1) ZooMemory.open(args[0] + '.memory');
       for (let i = 0; i < 400 && mapped() > before; i += 1) {
         gc();
         await new Promise((resolve) => setImmediate(resolve));
       }
       console.log(mapped() - before);`,
      { args: [uniqueName('collected')], nodeArgs: ['--expose-gc'] },
    );
    expect(finished).toEqual({ code: 0, signal: null, stdout: '0\n', stderr: '' });
  });
});

/**
 * Programs that use everything while a neighbour writes into their segments: each call settles in
 * time, with an answer or a documented error, and nobody crashes. `ZOO_SEED` and `ZOO_HOSTILE_SECONDS`
 * repeat a run, or make it longer.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ZooPool } from 'zoosync';
import { describe, expect, it } from 'vitest';
import type * as tasks from './tasks.js';
import { afterThisTest, shmDirectory, uniqueName, within } from '../support/index.js';

const seed = Number(process.env['ZOO_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const seconds = Number(process.env['ZOO_HOSTILE_SECONDS'] ?? 6);

interface Report {
  settled: number;
  corrupt: number;
  slowest: { took: number; what: string };
  wrong: string[];
}

interface Run {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

function start(file: string, ...args: string[]): { ended: Promise<Run>; stop: () => void } {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  afterThisTest(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
    stdout,
    stderr,
  }));
  return { ended, stop: () => child.stdin.end() };
}

describe(`beside a hostile neighbour (ZOO_SEED=${seed})`, () => {
  it('every call of every kind settles, and no process crashes', async () => {
    const prefix = `${uniqueName('hostile')}.`;
    // Whoever made a name and was told that it is damaged may have left it.
    afterThisTest(() => {
      for (const entry of readdirSync(shmDirectory)) {
        if (entry.startsWith(prefix)) rmSync(`${shmDirectory}/${entry}`, { force: true });
      }
    });
    const neighbour = start('./neighbour.js', prefix, String(seed));
    const patience = seconds * 1000 + 40_000;
    const users = [1, 2, 3].map((number) =>
      start('./user.js', prefix, String(seed + number), String(seconds * 1000)),
    );
    const cleaner = setInterval(() => {
      // Damage that stays would leave nothing to do: now and then the names begin anew.
      for (const entry of readdirSync(shmDirectory)) {
        if (entry.startsWith(prefix)) rmSync(`${shmDirectory}/${entry}`, { force: true });
      }
    }, 400);
    afterThisTest(() => clearInterval(cleaner));
    const runs = await within(Promise.all(users.map(({ ended }) => ended)), 'the users', patience);
    clearInterval(cleaner);
    neighbour.stop();
    const attacked = await within(neighbour.ended, 'the neighbour');
    expect([attacked.code, attacked.stderr]).toEqual([0, '']);
    expect(Number(attacked.stdout)).toBeGreaterThan(20);
    let corrupt = 0;
    for (const { code, signal, stdout, stderr } of runs) {
      expect({ signal, stderr, stdout: stdout.slice(0, 4000), code }).toMatchObject({
        signal: null,
        stderr: '',
        code: 0,
      });
      const report = JSON.parse(stdout) as Report;
      expect(report.wrong).toEqual([]);
      expect(report.settled).toBeGreaterThan(10);
      // Promised is a second; more than five times that is no longer the machine's fault.
      expect(report.slowest.took, report.slowest.what).toBeLessThan(10_000);
      corrupt += report.corrupt;
      process.stdout.write(
        `hostile: ${report.settled} calls, ${report.corrupt} corrupt, slowest ${report.slowest.took.toFixed(0)} ms (${report.slowest.what})\n`,
      );
    }
    expect(corrupt).toBeGreaterThan(0);
  });
});

describe('a pool', () => {
  // The last one damages the ring that the end is sent through.
  it.each([seed + 100, seed + 200, 301])(
    'survives a worker that writes over what it shares with its parent (%i)',
    async (first) => {
      const pool = new ZooPool<typeof tasks>(new URL('./tasks.js', import.meta.url), {
        workers: 2,
        kind: 'process',
        size: '64KiB',
        killAfter: 100,
      });
      afterThisTest(() => pool.destroy());
      expect(await within(pool.run('double', [21]))).toBe(42);
      const promises: Promise<unknown>[] = [];
      for (let round = 0; round < 6; round += 1) {
        for (let value = 0; value < 10; value += 1) promises.push(pool.run('double', [value]));
        promises.push(pool.run('scribble', [first + round]));
        promises.push(pool.run('sum', [new Uint8Array(100_000).fill(1)]));
        await within(Promise.allSettled(promises), 'tasks beside a worker that scribbles');
      }
      const codes = new Set<string | undefined>();
      for (const result of await Promise.allSettled(promises)) {
        if (result.status === 'rejected') codes.add((result.reason as { code?: string }).code);
      }
      for (const code of codes) expect(code).toMatch(/^(ERR_ZOO_[A-Z_]+|ABORT_ERR)$/);
      // The next one is served: a worker whose rings are damaged is replaced.
      expect(await within(pool.run('double', [4]))).toBe(8);
      await within(pool.close());
    },
  );
});

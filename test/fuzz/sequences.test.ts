/** Random sequences of calls, in a process of their own: one that crashed would fail, not vanish. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { afterThisTest, uniqueName, within } from '../support/index.js';

const seed = Number(process.env['ZOO_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const factor = Number(process.env['ZOO_FUZZ_RUNS'] ?? 1);

describe(`any calls in any order (ZOO_SEED=${seed})`, () => {
  it('answer, or throw what is documented', async () => {
    const program = fileURLToPath(new URL('./sequences.js', import.meta.url));
    const prefix = `${uniqueName('sequences')}.`;
    const child = spawn(process.execPath, [program, prefix, String(seed), String(120 * factor)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    afterThisTest(() => child.kill('SIGKILL'));
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code, signal] = (await within(once(child, 'close'), stderr, 40_000 * factor)) as [
      number | null,
      string | null,
    ];
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(stdout).toContain('ERR_ZOO_CURSOR');
    expect(stdout).toContain('ERR_ZOO_CLOSED');
  });
});

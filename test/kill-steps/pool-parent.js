/** The program that made a pool dies at a step: its workers end, and the next program finds nothing of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { workersOf } from './pool-workers.js';
import { packageUrl, workerUrl } from './prepare.js';
import { expect, segments, until, within } from './trial.js';

/** @typedef {import('./trial.js').Scenario} Scenario */

/** @param {string} operation @returns {Scenario} */
function during(operation) {
  return {
    name: `parent: ${operation}`,
    async run(trial) {
      const { ZooPool } = await import(packageUrl);
      trial.arm();
      trial.control.disarm();
      const plan = JSON.stringify({ directory: trial.directory, packageUrl, workerUrl });
      const child = spawn(
        process.execPath,
        [fileURLToPath(new URL('parent.js', import.meta.url)), operation, plan],
        {
          env: { ...process.env, ZOO_KILL_CONTROL: trial.control.path },
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      );
      let complaints = '';
      child.stderr.on('data', (text) => (complaints += String(text)));
      trial.afterwards(() => child.kill('SIGKILL'));
      const { pid } = child;
      const [code, signal] = await within(once(child, 'exit'), 'the end of the program');
      const { died } = trial.control.read();
      expect(
        died ? signal === 'SIGKILL' : code === 0,
        `the program ended with ${code}, ${signal}: ${complaints}`,
      );
      await until(() => workersOf(trial).length === 0, 'the end of the workers');
      // Its workers may be on their way still, before they have said that they exist.
      await until(() => {
        // Whoever makes a pool removes what is left of others.
        const next = new ZooPool(new URL('tasks.js', import.meta.url), {
          workers: { min: 0, max: 1 },
          data: { directory: trial.directory, workerUrl },
        });
        void next.close();
        return segments(new RegExp(`^zoosync-pool-${pid}-`)).length === 0;
      }, 'a clean /dev/shm');
      expect(workersOf(trial).length === 0, 'a worker outlived its program');
    },
  };
}

export const scenarios = [
  'tasks without values',
  '1 MiB in and out',
  'stream',
  'the death of a worker',
].map(during);

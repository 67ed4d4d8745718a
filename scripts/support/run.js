import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param {...string} parts @returns {string} an absolute path below the root folder */
export const fromRoot = (...parts) => path.join(root, ...parts);

/** @param {string} name @returns {string} the command of a development dependency */
export const localCommand = (name) => fromRoot('node_modules', '.bin', name);

/** Says in one sentence what is wrong and ends the script. @param {string} sentence @returns {never} */
export function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/**
 * Runs a command and shows its output as it comes.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {number} its exit code; 128 + n when a signal ended it or it could not start
 */
export function show(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) process.stderr.write(`${command}: ${error.message}\n`);
  return status ?? 128;
}

/**
 * Runs a command quietly: its output is shown only when it fails, and then the script ends.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {string} what it wrote to its standard output
 */
export function quiet(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    const why = result.error?.message ?? result.signal ?? `exit code ${result.status}`;
    fail(`Failed (${why}): ${[command, ...args].join(' ')}`);
  }
  return String(result.stdout);
}

/**
 * Runs a command and collects what it writes, with a limit in time after which it gets SIGKILL.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions & { seconds?: number }} [options]
 * @returns {Promise<{ pid: number | undefined, code: number | null, signal: string | null, output: string, late: boolean }>}
 */
export function collect(command, args, { seconds = 120, ...options } = {}) {
  return new Promise((resolve, reject) => {
    // A process group of its own, so that its children end with it.
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...options,
    });
    let output = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, seconds * 1000);
    const append = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
    };
    child.stdout?.on('data', append);
    child.stderr?.on('data', append);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ pid: child.pid, code, signal, output, late });
    });
  });
}

/** @param {string} command @returns {boolean} whether the PATH holds the command */
export function exists(command) {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

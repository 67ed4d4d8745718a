/** Starting and ending what a worker runs in: a process or a thread. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker, type ResourceLimits } from 'node:worker_threads';
import type { Readable } from 'node:stream';
import { addressKey, type WorkerAddress } from './protocol.js';

/** What the user chose about the workers' surroundings. */
export interface HostOptions {
  readonly kind: 'process' | 'thread';
  readonly env: NodeJS.ProcessEnv | undefined;
  readonly argv: readonly string[];
  readonly execArgv: readonly string[] | undefined;
  readonly cwd: string | undefined;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly stdio: 'inherit' | 'ignore' | 'pipe';
}

export interface HostExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not start, or what a thread threw at its end. */
  readonly error: Error | undefined;
}

export interface Host {
  /** Of a thread: that of this process. 0: it did not start. */
  readonly pid: number;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Ends it at once, whatever it does. */
  kill(): void;
  /** Whether it keeps this process alive. */
  setReferenced(on: boolean): void;
}

const mainFile = new URL('./worker-main.js', import.meta.url);

/** Starts a worker; `onExit` is called once, when it has ended or could not start. */
export function startHost(
  options: HostOptions,
  address: WorkerAddress,
  onExit: (exit: HostExit) => void,
): Host {
  return options.kind === 'process'
    ? startProcess(options, address, onExit)
    : startThread(options, address, onExit);
}

function startProcess(
  options: HostOptions,
  address: WorkerAddress,
  onExit: (exit: HostExit) => void,
): Host {
  const { stdio, cwd } = options;
  const execArgv = options.execArgv ?? inheritedExecArgv();
  const child = spawn(
    process.execPath,
    [...execArgv, ...heapOptions(options.resourceLimits), fileURLToPath(mainFile), ...options.argv],
    {
      env: { ...(options.env ?? process.env), [addressKey]: JSON.stringify(address) },
      stdio: ['ignore', stdio, stdio],
      ...(cwd === undefined ? {} : { cwd }),
    },
  );
  let ended = false;
  const end = (exit: HostExit): void => {
    if (ended) return;
    ended = true;
    onExit(exit);
  };
  child.once('exit', (exitCode, signal) => end({ exitCode, signal, error: undefined }));
  child.once('error', (error) => {
    if (child.pid === undefined) end({ exitCode: null, signal: null, error });
  });
  const streams = [child.stdout, child.stderr] as unknown as (
    | (Readable & { ref?(): void; unref?(): void })
    | null
  )[];
  return {
    pid: child.pid ?? 0,
    stdout: child.stdout ?? undefined,
    stderr: child.stderr ?? undefined,
    // One that could not be started has no number, and Node would signal our own process group.
    kill: () => void (child.pid !== undefined && child.kill('SIGKILL')),
    setReferenced(on) {
      if (on) child.ref();
      else child.unref();
      for (const stream of streams) {
        if (on) stream?.ref?.();
        else stream?.unref?.();
      }
    },
  };
}

function startThread(
  options: HostOptions,
  address: WorkerAddress,
  onExit: (exit: HostExit) => void,
): Host {
  const { stdio, resourceLimits, execArgv, env } = options;
  const worker = new Worker(mainFile, {
    workerData: { [addressKey]: address },
    argv: [...options.argv],
    stdout: stdio !== 'inherit',
    stderr: stdio !== 'inherit',
    ...(env === undefined ? {} : { env }),
    ...threadOptions(execArgv),
    ...(resourceLimits === undefined ? {} : { resourceLimits }),
  });
  let error: Error | undefined;
  worker.on('error', (thrown) => (error = thrown as Error));
  worker.once('exit', (exitCode) => onExit({ exitCode, signal: null, error }));
  if (stdio === 'ignore') {
    worker.stdout.resume();
    worker.stderr.resume();
  }
  const piped = stdio === 'pipe';
  return {
    pid: process.pid,
    stdout: piped ? worker.stdout : undefined,
    stderr: piped ? worker.stderr : undefined,
    kill: () => void worker.terminate(),
    setReferenced(on) {
      if (on) worker.ref();
      else worker.unref();
    },
  };
}

/** Options that say what to run, or that only one process can have. */
const ownOptions = /^(--input-type|--inspect|--watch|--test|--check$|-c$|--interactive$|-i$)/;
const evaluating = /^(-e|--eval|-p|-pe|--print)$/;

/**
 * A thread inherits the options of its process by itself, and refuses those that only a process can
 * have. They are given only where some may not be inherited.
 */
function threadOptions(execArgv: readonly string[] | undefined): { execArgv?: string[] } {
  if (execArgv !== undefined) return { execArgv: [...execArgv] };
  const kept = inheritedExecArgv();
  if (kept.length === process.execArgv.length) return {};
  const allowed: string[] = [];
  kept.forEach((option, i) => {
    const belongsToLast = !option.startsWith('-') && forThreads.test(kept[i - 1] ?? '');
    if (belongsToLast || forThreads.test(option)) allowed.push(option);
  });
  return { execArgv: allowed };
}

/** Of the options that a program has besides its text, those that say how modules are found. */
const forThreads =
  /^(--import|--require|--loader|--conditions|--experimental-[\w-]+|--enable-source-maps)(=|$)/;

function inheritedExecArgv(): string[] {
  const kept: string[] = [];
  for (let i = 0; i < process.execArgv.length; i++) {
    const option = process.execArgv[i] as string;
    // The program's text follows.
    if (evaluating.test(option)) i += 1;
    else if (!ownOptions.test(option) && !option.startsWith('--eval=')) kept.push(option);
  }
  return kept;
}

/** Limits of a heap as node's options, for a process. */
function heapOptions(limits: ResourceLimits | undefined): string[] {
  const options: string[] = [];
  if (limits?.maxOldGenerationSizeMb !== undefined)
    options.push(`--max-old-space-size=${Math.ceil(limits.maxOldGenerationSizeMb)}`);
  if (limits?.maxYoungGenerationSizeMb !== undefined)
    options.push(`--max-semi-space-size=${Math.ceil(limits.maxYoungGenerationSizeMb / 3)}`);
  if (limits?.stackSizeMb !== undefined)
    options.push(`--stack-size=${Math.floor(limits.stackSizeMb * 1024)}`);
  return options;
}

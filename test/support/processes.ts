/**
 * Real processes for tests.
 *
 * `runProgram` runs a piece of JavaScript in a process of its own until it ends. `startPeer`
 * starts a process that stays and does what it is told: functions are sent to it as source text,
 * so they see nothing of the test around them, only their arguments:
 *
 *     const peer = await startPeer();
 *     await peer.run(({ zoosync, state }, name) => {
 *       state.queue = zoosync.ZooQueue.open(name);
 *     }, queue.name);
 *     peer.kill();
 *     await peer.ended;
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type * as Zoosync from 'zoosync';
import { afterThisTest } from './names.js';
import { within } from './patience.js';

/** The built package, as a program outside the tests imports it. */
export const packageUrl = new URL('../../dist/index.js', import.meta.url).href;

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Finished extends Ending {
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  /** What the program finds in `process.argv` from index 1 on. */
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** A program to start node with, such as `['unshare', '-rm']`. */
  through?: readonly string[];
  nodeArgs?: readonly string[];
}

/**
 * Runs the text of an ES module in a process of its own. `zoosync` and every export of it are
 * there without an import; arguments are in `args`.
 */
export async function runProgram(source: string, options: ProgramOptions = {}): Promise<Finished> {
  const program = `import * as zoosync from ${JSON.stringify(packageUrl)};
const { ZooQueue, ZooLock, ZooMemory, ZooError } = zoosync;
const args = process.argv.slice(1);
${source}`;
  const nodeArgs = [...(options.nodeArgs ?? []), '--input-type=module', '-e', program];
  const [command = process.execPath, ...rest] = [
    ...(options.through ?? []),
    process.execPath,
    ...nodeArgs,
    '--',
    ...(options.args ?? []),
  ];
  const child = spawn(command, rest, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  afterThisTest(() => stop(child));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code, signal] = (await within(once(child, 'close'), 'the end of a program')) as [
    number | null,
    NodeJS.Signals | null,
  ];
  return { code, signal, stdout, stderr };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** What a function that runs inside a peer is given first. */
export interface PeerScope {
  zoosync: typeof Zoosync;
  /** Kept between calls. */
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the test puts there
  state: Record<string, any>;
  /** Sends a line to `peer.heard()` at once, also right before a blocking call or a kill. */
  say: (line: string) => void;
}

export class Peer {
  readonly pid: number;
  /** Settles when the process has ended, however it ended. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #answers = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  readonly #lines: string[] = [];
  readonly #listeners: { line: string; resolve: () => void }[] = [];
  #asked = 0;
  #stderr = '';

  constructor(child: ChildProcess) {
    if (child.pid === undefined) throw new Error('the peer did not start');
    this.#child = child;
    this.pid = child.pid;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        for (const answer of this.#answers.values()) {
          answer.reject(
            new Error(`the peer ended (${signal ?? code}) before it answered\n${this.#stderr}`),
          );
        }
        this.#answers.clear();
        resolve({ code, signal });
      });
    });
    child.on('message', (message) => this.#take(message as PeerAnswer));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) this.#hear(line);
    });
  }

  /** What the peer has written to its standard error. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Runs `action` in the peer and answers what it answers. An error arrives with its code. */
  run<A extends unknown[], R>(
    action: (scope: PeerScope, ...args: A) => R,
    ...args: A
  ): Promise<Awaited<R>> {
    this.#asked += 1;
    const id = this.#asked;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
    });
    // A peer that is killed on purpose takes its open answers along; who awaits one still sees it.
    answer.catch(() => undefined);
    this.#child.send({ id, source: action.toString(), args });
    return answer as Promise<Awaited<R>>;
  }

  /** Waits until the peer has said `line`; each line is heard once. */
  async heard(line: string): Promise<void> {
    const at = this.#lines.indexOf(line);
    if (at >= 0) {
      this.#lines.splice(at, 1);
      return;
    }
    await within(
      new Promise<void>((resolve) => this.#listeners.push({ line, resolve })),
      `the peer to say ${line}\n${this.#stderr}`,
    );
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  /** Lets the peer end by itself with code 0: nothing of the tests keeps it alive any longer. */
  async leave(): Promise<Ending> {
    if (this.#child.connected) this.#child.disconnect();
    return within(this.ended, 'the peer to end');
  }

  #take(message: PeerAnswer): void {
    const answer = this.#answers.get(message.id);
    if (answer === undefined) return;
    this.#answers.delete(message.id);
    if (message.error === undefined) {
      answer.resolve(message.value);
    } else {
      answer.reject(Object.assign(new Error(message.error.message), message.error.properties));
    }
  }

  #hear(line: string): void {
    const at = this.#listeners.findIndex((listener) => listener.line === line);
    if (at < 0) this.#lines.push(line);
    else this.#listeners.splice(at, 1)[0]?.resolve();
  }
}

interface PeerAnswer {
  id: number;
  value?: unknown;
  error?: { message: string; properties: Record<string, unknown> };
}

export interface PeerOptions {
  env?: NodeJS.ProcessEnv;
  nodeArgs?: readonly string[];
  /** Another program than `fixtures/peer.js`, by its name in `test/fixtures`. */
  fixture?: string;
  args?: readonly string[];
  /** Another user to run as; only root may ask for one. */
  uid?: number;
  gid?: number;
}

/** Starts a peer; it is killed after the test when it still runs. */
export async function startPeer(options: PeerOptions = {}): Promise<Peer> {
  const file = new URL(`../fixtures/${options.fixture ?? 'peer.js'}`, import.meta.url);
  const child = spawn(
    process.execPath,
    [...(options.nodeArgs ?? []), fileURLToPath(file), ...(options.args ?? [])],
    {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    },
  );
  afterThisTest(() => stop(child));
  const peer = new Peer(child);
  await Promise.race([
    peer.heard('ready'),
    peer.ended.then(({ code, signal }) => {
      throw new Error(`the peer ended at once (${signal ?? code})\n${peer.stderr}`);
    }),
  ]);
  return peer;
}

/** Starts several peers at the same time. */
export function startPeers(count: number, options: PeerOptions = {}): Promise<Peer[]> {
  return Promise.all(Array.from({ length: count }, () => startPeer(options)));
}

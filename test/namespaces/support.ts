/** Peers in namespaces of their own, and whether this machine lets us make any. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Peer, afterThisTest, until } from '../support/index.js';

const unprivileged = process.getuid?.() === 0 ? [] : ['--map-root-user'];

/** A pid namespace of its own, with its own /proc; /dev/shm stays the one of all. */
export const ownPids = [
  'unshare',
  ...unprivileged,
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
];

/** Mounts of its own, changed by a command first. */
export function ownMounts(change: string): string[] {
  const program = `ulimit -c 0 && ${change} && exec "$0" "$@"`;
  return ['unshare', ...unprivileged, '--mount', 'sh', '-c', program];
}

/** A /dev/shm of its own with these mount options. */
export function ownShm(options: string): string[] {
  return ownMounts(`mount -t tmpfs -o ${options} tmpfs /dev/shm`);
}

/** Whether this machine lets us start a program that way. */
export function canStart([command = '', ...rest]: readonly string[]): boolean {
  return spawnSync(command, [...rest, process.execPath, '-e', '0']).status === 0;
}

/** A peer behind another program, with the process id that it has for us. */
export interface DistantPeer extends Peer {
  readonly outerPid: number;
}

const fixture = fileURLToPath(new URL('../fixtures/peer.js', import.meta.url));

/** Starts a peer through `through`; it is killed after the test. */
export async function startPeerThrough(
  through: readonly string[],
  options: { uid?: number } = {},
): Promise<DistantPeer> {
  const [command = process.execPath, ...rest] = [...through, process.execPath, fixture];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
    ...options,
  });
  const peer = new Peer(child);
  afterThisTest(async () => {
    peer.kill();
    await peer.ended;
  });
  await Promise.race([
    peer.heard('ready'),
    peer.ended.then(({ code, signal }) => {
      throw new Error(`the peer ended at once (${signal ?? code})\n${peer.stderr}`);
    }),
  ]);
  return Object.assign(peer, { outerPid: innermost(peer.pid) });
}

/** `unshare --fork` stays in front of what it starts. */
function innermost(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? pid : innermost(Number(children.split(' ')[0]));
}

/** Kills the peer itself, wherever it is, and waits until it is gone. */
export async function killDistant(peer: DistantPeer): Promise<void> {
  process.kill(peer.outerPid, 'SIGKILL');
  await peer.ended;
}

/** Stops the peer itself, until it has really stopped. */
export async function stopDistant(peer: DistantPeer): Promise<void> {
  process.kill(peer.outerPid, 'SIGSTOP');
  await until(
    () => / T /.test(readFileSync(`/proc/${peer.outerPid}/stat`, 'utf8')),
    'the peer to stop',
  );
}

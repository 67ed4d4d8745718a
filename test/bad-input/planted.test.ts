/**
 * Names that somebody else has planted, for every kind of segment: nothing is followed, waited for,
 * changed or removed, and the error says what to do.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { Channel, ZooLock, ZooMemory, ZooPipe, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  failureOf,
  pathOf,
  runProgram,
  uniqueName,
  within,
} from '../support/index.js';

const kinds: [string, (name: string) => unknown][] = [
  ['new ZooQueue', (name) => new ZooQueue(name)],
  ['ZooQueue.create (frames)', (name) => ZooQueue.create(name, { slots: 2, slotSize: 64 })],
  ['ZooQueue.open', (name) => ZooQueue.open(name)],
  ['ZooQueue.unlink', (name) => ZooQueue.unlink(name)],
  ['new ZooLock', (name) => new ZooLock(name)],
  ['ZooLock.unlink', (name) => ZooLock.unlink(name)],
  ['ZooMemory.create', (name) => ZooMemory.create(name, 100)],
  ['ZooMemory.open', (name) => ZooMemory.open(name)],
  ['ZooMemory.unlink', (name) => ZooMemory.unlink(name)],
  ['Channel.create', (name) => Channel.create(name)],
  ['Channel.open', (name) => Channel.open(name, { timeout: 20_000 })],
  ['ZooPipe.create', (name) => ZooPipe.create(name)],
  ['ZooPipe.open', (name) => ZooPipe.open(name, { timeout: 20_000 })],
];

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

interface Plant {
  readonly what: string;
  readonly codes: readonly string[];
  readonly skip?: boolean;
  plant(path: string): unknown;
}

function inScratch(text: string): string {
  const path = pathOf(uniqueName('somebodys'));
  afterThisTest(() => rmSync(path, { force: true }));
  writeFileSync(path, text, { mode: 0o644 });
  return path;
}

function command(name: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr}`);
}

const deviceProbe = pathOf(uniqueName('probe'));
const canMakeDevices = isRoot && spawnSync('mknod', [deviceProbe, 'c', '1', '3']).status === 0;
rmSync(deviceProbe, { force: true });
const ownerProbe = inTheOpen(uniqueName('probe'));
const canGiveAway = isRoot && spawnSync('chown', [String(nobody), ownerProbe]).status === 0;
rmSync(ownerProbe, { force: true });

/** An empty file under /dev/shm. */
function inTheOpen(name: string): string {
  writeFileSync(pathOf(name), '');
  return pathOf(name);
}

const foreign = ['ERR_ZOO_CORRUPT'];
const plants: Plant[] = [
  {
    what: 'a symbolic link to a file of somebody',
    codes: foreign,
    plant: (path) => symlinkSync(inScratch('somebody’s file\n'), path),
  },
  {
    what: 'a symbolic link to nowhere',
    codes: foreign,
    plant: (path) => symlinkSync(`${path}.absent`, path),
  },
  { what: 'a link into /etc', codes: foreign, plant: (path) => symlinkSync('/etc/passwd', path) },
  { what: 'a link to itself', codes: foreign, plant: (path) => symlinkSync(path, path) },
  { what: 'a link to a directory', codes: foreign, plant: (path) => symlinkSync('/tmp', path) },
  { what: 'a directory', codes: foreign, plant: (path) => mkdirSync(path) },
  { what: 'a FIFO', codes: foreign, plant: (path) => command('mkfifo', path) },
  {
    what: 'a socket',
    codes: foreign,
    async plant(path) {
      const server = createServer().listen(path);
      await once(server, 'listening');
      afterThisTest(() => new Promise((resolve) => server.close(resolve)));
    },
  },
  {
    what: 'a device',
    codes: [...foreign, 'ERR_ZOO_ACCESS'],
    skip: !canMakeDevices,
    plant: (path) => command('mknod', path, 'c', '1', '3'),
  },
  {
    what: 'a file of another user',
    codes: foreign,
    skip: !canGiveAway,
    plant(path) {
      writeFileSync(path, 'another user’s file\n'.repeat(2000), { mode: 0o600 });
      chownSync(path, nobody, nobody);
    },
  },
  {
    what: 'a file that nobody may read',
    // Root may read it all the same, and sees that it is no segment.
    codes: isRoot ? foreign : ['ERR_ZOO_ACCESS'],
    plant(path) {
      writeFileSync(path, 'a file\n');
      chmodSync(path, 0);
    },
  },
];

function facts(path: string): unknown {
  const { ino, mode, uid, gid, size, mtimeMs, nlink } = lstatSync(path);
  const isLink = (mode & 0o170_000) === 0o120_000;
  return { ino, mode, uid, gid, size, mtimeMs, nlink, leadsTo: isLink && readlinkSync(path) };
}

describe.each(plants.filter(({ skip }) => !skip))('$what', ({ plant, codes }) => {
  it('is refused by every kind, and stays as it is', async () => {
    const name = uniqueName('planted');
    const path = pathOf(name);
    afterThisTest(() => rmSync(path, { recursive: true, force: true }));
    await plant(path);
    const before = facts(path);
    const passwd = readFileSync('/etc/passwd');
    for (const [kind, use] of kinds) {
      const failure = await within(
        failureOf(async () => use(name)),
        kind,
      );
      expect(codes, `${kind}: ${failure.message}`).toContain(failure.code);
      expect(failure.message, kind).toContain(name);
      expect(facts(path), kind).toEqual(before);
    }
    expect(() => lstatSync(`${path}.absent`)).toThrow('ENOENT');
    expect(readFileSync('/etc/passwd').equals(passwd)).toBe(true);
  });
});

describe('a bell', () => {
  it('is not rung or removed when it is no FIFO, whatever the segment says', async () => {
    // The number of a bell comes out of the segment, where a neighbour may write what he likes.
    const source = `
      const { lstatSync, readFileSync, writeFileSync, symlinkSync, openSync, writeSync, closeSync, rmSync } =
        await import('node:fs');
      const victim = '/dev/shm/' + args[0] + '.victim';
      writeFileSync(victim, 'untouched');
      const number = 0xfeed0000n + BigInt(process.pid);
      const bell = (n) => '/dev/shm/.zoosync-bell-' + n.toString(16).padStart(16, '0');
      writeFileSync(bell(number), 'untouched');
      symlinkSync(victim, bell(number + 1n));
      const queue = ZooQueue.create(args[0], { size: 4096 });
      const reader = ZooQueue.open(args[0]);
      const file = openSync('/dev/shm/' + args[0], 'r+');
      const word = (value, offset) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64LE(value);
        writeSync(file, bytes, 0, 8, offset);
      };
      for (const n of [number, number + 1n]) {
        const waiting = reader.get();
        for (let slot = 0; slot < 128; slot += 1) {
          const at = 4096 + 192 * slot;
          word(n, at + 40);
          word(2n << 32n, at + 64);
        }
        queue.putSync('x');
        await waiting;
      }
      closeSync(file);
      queue[Symbol.dispose]();
      reader.close();
      console.log(readFileSync(bell(number), 'utf8'), readFileSync(victim, 'utf8'));
      for (const path of [victim, bell(number), bell(number + 1n)]) rmSync(path);`;
    const { code, stdout, stderr } = await runProgram(source, { args: [uniqueName()] });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'untouched untouched\n',
      stderr: '',
    });
  });
});

describe('what is made', () => {
  // A watcher beside it sees every state between making and naming that has a name.
  const watcher = `
    const { lstatSync, readdirSync } = await import('node:fs');
    const seen = new Set();
    let over = false;
    process.on('message', () => (over = true));
    process.send('ready');
    while (!over) {
      for (const entry of readdirSync('/dev/shm')) {
        const ours = entry.startsWith(args[0]) || /^[.]zoosync-(new)?bell-/.test(entry);
        if (!ours) continue;
        try {
          const facts = lstatSync('/dev/shm/' + entry);
          if (entry.startsWith('.') && !facts.isFIFO()) continue;
          const { mode } = facts;
          const kind = entry.startsWith('.') ? 'bell' : entry.slice(args[0].length + 1);
          seen.add(kind + ' ' + (mode & 0o777).toString(8));
        } catch {}
      }
      await new Promise(setImmediate);
    }
    process.send([...seen]);`;

  it.each(['0', '0o177', '0o777'])(
    'has the mode that was asked for under a umask of %s, from its first moment on',
    async (umask) => {
      const prefix = uniqueName('modes');
      const child = spawn(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `const args = process.argv.slice(1);${watcher}`,
          '--',
          prefix,
        ],
        { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
      );
      afterThisTest(() => child.kill('SIGKILL'));
      await within(once(child, 'message'), 'the watcher');
      const { code, stderr, stdout } = await runProgram(
        `process.umask(Number(args[1]));
         const { statSync } = await import('node:fs');
         const { Channel, ZooPipe } = zoosync;
         const modes = [];
         const note = (kind) => modes.push(kind + ' ' + (statSync('/dev/shm/' + args[0] + '.' + kind).mode & 0o777).toString(8));
         for (let round = 0; round < 8; round += 1) {
           const queue = ZooQueue.create(args[0] + '.queue');
           const shared = ZooQueue.create(args[0] + '.shared', { mode: 0o640 });
           const lock = new ZooLock(args[0] + '.lock');
           const memory = ZooMemory.create(args[0] + '.memory', 64);
           const channel = Channel.create(args[0] + '.channel');
           const pipe = ZooPipe.create(args[0] + '.pipe');
           const waiting = queue.get();
           queue.putSync(1);
           await waiting;
           if (round === 0) for (const kind of ['queue', 'shared', 'lock', 'memory', 'channel', 'pipe']) note(kind);
           await channel[Symbol.asyncDispose]();
           await pipe[Symbol.asyncDispose]();
           memory[Symbol.dispose]();
           shared[Symbol.dispose]();
           queue[Symbol.dispose]();
           lock.close();
           ZooLock.unlink(args[0] + '.lock');
         }
         console.log(modes.join(', '));`,
        { args: [prefix, umask] },
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toBe('queue 600, shared 640, lock 600, memory 600, channel 600, pipe 600\n');
      child.send('over');
      const [seen] = (await within(once(child, 'message'), 'what the watcher saw')) as [string[]];
      for (const one of seen.filter((entry) => !entry.startsWith('bell'))) {
        expect(one).toMatch(/^(shared 640|(queue|lock|memory|channel|pipe) 600)$/);
      }
      // Others may ring a bell, and never listen at one.
      for (const bell of seen.filter((entry) => entry.startsWith('bell'))) {
        expect(bell).toMatch(/^bell (0|200|400|600|622)$/);
      }
    },
  );
});

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { ZooMemory, ZooQueue } from 'zoosync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  failureOf,
  pathOf,
  runProgram,
  thrownBy,
  track,
  uniqueName,
} from '../support/index.js';

/** Every way to meet a file under a name. */
const ways: [string, (name: string) => unknown][] = [
  ['ZooQueue.open', (name) => ZooQueue.open(name)],
  ['ZooQueue.create', (name) => ZooQueue.create(name)],
  ['new ZooQueue', (name) => new ZooQueue(name)],
  ['ZooQueue.waitFor', (name) => ZooQueue.waitFor(name, { timeout: 20_000 })],
  ['ZooQueue.unlink', (name) => ZooQueue.unlink(name)],
  ['ZooMemory.open', (name) => ZooMemory.open(name)],
  ['ZooMemory.create', (name) => ZooMemory.create(name, 100)],
  ['ZooMemory.unlink', (name) => ZooMemory.unlink(name)],
];

/** A file under a name that the test removes. */
function planted(hint: string): { name: string; path: string } {
  const name = uniqueName(hint);
  const path = pathOf(name);
  afterThisTest(() => rmSync(path, { recursive: true, force: true }));
  return { name, path };
}

/** The bytes of a queue's file whose users have all gone. */
function abandonedQueue(hint: string, size = 8192): { name: string; path: string } {
  const { name, path } = planted(hint);
  const queue = ZooQueue.create(name, { size });
  queue.putBytesSync(Buffer.alloc(100, 1));
  queue.close();
  return { name, path };
}

function firstBytes(path: string, count: number): Buffer {
  const descriptor = openSync(path, 'r');
  const bytes = Buffer.alloc(count);
  readSync(descriptor, bytes, 0, count, 0);
  closeSync(descriptor);
  return bytes;
}

describe.each(ways)('%s', (_, use) => {
  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['one byte', Buffer.from([1])],
    ['a text', Buffer.from('this is not a segment\n'.repeat(100))],
    ['zeros', Buffer.alloc(4096)],
    ['many zeros', Buffer.alloc(100_000)],
    ['all ones', Buffer.alloc(8192, 0xff)],
    ['an odd number of bytes', Buffer.alloc(5001, 7)],
  ])('refuses a file of %s and leaves it as it is', async (_what, bytes) => {
    const { name, path } = planted('foreign');
    writeFileSync(path, bytes);
    const before = statSync(path);
    const failure = await failureOf(async () => use(name));
    expect(failure.code).toBe('ERR_ZOO_CORRUPT');
    expect(failure.segment).toBe(name);
    expect(failure.message).toContain(name);
    const after = statSync(path);
    expect([after.ino, after.mtimeMs, after.size]).toEqual([
      before.ino,
      before.mtimeMs,
      before.size,
    ]);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('refuses a directory and leaves it as it is', async () => {
    const { name, path } = planted('directory');
    mkdirSync(path);
    writeFileSync(`${path}/inside`, 'x');
    const failure = await failureOf(async () => use(name));
    expect(failure.code).toBe('ERR_ZOO_CORRUPT');
    expect(failure.message).toContain(name);
    expect(readFileSync(`${path}/inside`, 'utf8')).toBe('x');
  });

  it('refuses a symbolic link and does not follow it', async () => {
    const target = abandonedQueue('target');
    const before = readFileSync(target.path);
    const { name, path } = planted('link');
    symlinkSync(target.path, path);
    const failure = await failureOf(async () => use(name));
    expect(failure.code).toBe('ERR_ZOO_CORRUPT');
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(target.path).equals(before)).toBe(true);
  });

  it('refuses a symbolic link to nowhere and makes nothing there', async () => {
    const absent = planted('absent');
    const { name, path } = planted('dangling');
    symlinkSync(absent.path, path);
    expect((await failureOf(async () => use(name))).code).toBe('ERR_ZOO_CORRUPT');
    expect(() => lstatSync(absent.path)).toThrow();
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  it('refuses a pipe without waiting for its other end', async () => {
    const { name, path } = planted('pipe');
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    expect((await failureOf(async () => use(name))).code).toBe('ERR_ZOO_CORRUPT');
    expect(lstatSync(path).isFIFO()).toBe(true);
  });
});

describe('a segment that was cut short', () => {
  it('is refused at every length', () => {
    const whole = abandonedQueue('whole');
    const { size } = statSync(whole.path);
    for (const length of [1, 8, 63, 64, 128, 4095, 4096, 4097, size - 4096, size - 1]) {
      const { name, path } = planted('cut');
      copyFileSync(whole.path, path);
      truncateSync(path, length);
      for (const use of [ZooQueue.open, (again: string) => new ZooQueue(again), ZooQueue.create]) {
        expect(thrownBy(() => use(name)).code, `${length} of ${size}`).toBe('ERR_ZOO_CORRUPT');
      }
      expect(statSync(path).size).toBe(length);
      rmSync(path);
    }
  });

  it('is refused when it grew as well', () => {
    const { name, path } = abandonedQueue('grown');
    truncateSync(path, statSync(path).size + 4096);
    expect(thrownBy(() => ZooQueue.open(name)).code).toBe('ERR_ZOO_CORRUPT');
  });
});

describe('a segment of another kind, version or machine', () => {
  /** The first page: magic 0, version 8, kind 12, libc 16, architecture 20, mutex size 24. */
  function changed(offset: number, value: number): string {
    const whole = abandonedQueue('changed');
    const bytes = readFileSync(whole.path);
    bytes.writeUInt32LE(value, offset);
    writeFileSync(whole.path, bytes);
    return whole.name;
  }

  it.each([
    ['layout version', 8, 999],
    ['layout version 0', 8, 0],
    ['libc', 16, 7],
    ['architecture', 20, 0x9999],
    ['size of a mutex', 24, 4],
  ])('(%s) is ERR_ZOO_INCOMPATIBLE', (_, offset, value) => {
    const name = changed(offset, value);
    const before = readFileSync(pathOf(name));
    for (const use of [ZooQueue.open, (again: string) => new ZooQueue(again)]) {
      const failure = thrownBy(() => use(name));
      expect(failure.code).toBe('ERR_ZOO_INCOMPATIBLE');
      expect(failure.segment).toBe(name);
    }
    expect(readFileSync(pathOf(name)).equals(before)).toBe(true);
  });

  it('(a kind nobody knows) is refused', () => {
    const failure = thrownBy(() => ZooQueue.open(changed(12, 77)));
    expect(['ERR_ZOO_KIND', 'ERR_ZOO_CORRUPT']).toContain(failure.code);
  });

  it('(another magic number) is ERR_ZOO_CORRUPT', () => {
    expect(thrownBy(() => ZooQueue.open(changed(0, 1))).code).toBe('ERR_ZOO_CORRUPT');
    expect(thrownBy(() => ZooQueue.create(changed(4, 1))).code).toBe('ERR_ZOO_CORRUPT');
  });

  it('(a lock) is ERR_ZOO_KIND for a queue and for memory, also while nobody uses it', async () => {
    const { name } = planted('lock');
    const { code, stderr } = await runProgram(
      `new ZooLock(args[0]); process.kill(process.pid, 'SIGKILL');`,
      { args: [name] },
    );
    expect(code, stderr).toBeNull();
    for (const use of [
      () => ZooQueue.open(name),
      () => ZooQueue.create(name),
      () => ZooQueue.unlink(name),
      () => ZooMemory.open(name),
      () => ZooMemory.create(name, 10),
    ]) {
      const failure = thrownBy(use);
      expect(failure.code, String(use)).toBe('ERR_ZOO_KIND');
      expect(failure.message).toContain('lock');
    }
  });
});

describe('a damaged segment', () => {
  /** What may come out of a damaged queue; never a crash, a hang or foreign memory. */
  const documented = [
    'ERR_ZOO_CORRUPT',
    'ERR_ZOO_INCOMPATIBLE',
    'ERR_ZOO_KIND',
    'ERR_ZOO_TIMEOUT',
    'ERR_ZOO_ENDED',
    'ERR_ZOO_PEER_DIED',
    'ERR_ZOO_GONE',
    'ERR_ZOO_FULL',
    'ERR_ZOO_TOO_LARGE',
    'ERR_ZOO_CURSOR',
    'ERR_ZOO_CLOSED',
    'ERR_ZOO_SYSTEM',
    'ERR_INVALID_ARG_VALUE',
    'ERR_OUT_OF_RANGE',
  ];

  /**
   * Opens a queue whose bytes were changed, and uses it. It runs in a process of its own: a
   * segment that brings it down must not bring the tests down, but fail them.
   */
  const user = `
    import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
    const [name, seed, rounds, area] = [args[0], Number(args[1]), Number(args[2]), args[3]];
    const file = '/dev/shm/' + name;
    // In place: cutting the file short under a mapping would be a fault of this program.
    const overwrite = (bytes) => {
      const descriptor = openSync(file, 'r+');
      writeSync(descriptor, bytes, 0, bytes.length, 0);
      closeSync(descriptor);
    };
    const allowed = ${JSON.stringify(documented)};
    let state = seed >>> 0;
    const random = (limit) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const attempt = (action) => {
      try {
        return action();
      } catch (error) {
        if (!allowed.includes(error.code)) throw error;
        return undefined;
      }
    };
    const options = args[4] === 'frames' ? { slots: 6, slotSize: 200 } : { size: 8192 };
    const groups = { a: {}, b: { overflow: 'dropOldest' } };
    const made = ZooQueue.create(name, { ...options, groups, group: 'a', persist: true });
    for (let i = 0; i < 4; i += 1) made.putBytesSync(Buffer.alloc(100, i));
    made.rejectRead(made.recvViewSync().cursor);
    // As if its only writer had died here: whoever opens this has to clean up first.
    const whole = readFileSync(file);
    made.close();
    for (let round = 0; round < rounds; round += 1) {
      const bytes = Buffer.from(whole);
      const places = 1 + random(area === 'header' ? 4 : 30);
      for (let i = 0; i < places; i += 1) {
        // Bytes 128 to 191 are the guard: a mutex that seems to be held is waited for, by design.
        const at = area === 'header' ? random(4096) : random(bytes.length);
        if (at >= 120 && at < 192) continue;
        if (random(2) === 0) bytes[at] = random(256);
        else if (at + 8 <= bytes.length) {
          bytes.writeBigUInt64LE(
            [0n, 1n, 2n ** 64n - 1n, 2n ** 63n, BigInt(random(2 ** 31)), 4096n][random(6)],
            at - (at % 8),
          );
        }
      }
      const open = () => ZooQueue.open(name, { group: round % 2 === 0 ? 'a' : 'b' });
      let queue;
      if (round % 4 < 2) {
        overwrite(bytes);
        queue = attempt(open);
        if (queue === undefined) continue;
      } else {
        // Damaged while it is open.
        overwrite(whole);
        queue = open();
        const taken = queue.tryRecvView();
        overwrite(bytes);
        if (taken) attempt(() => queue.commitRead(taken.cursor));
      }
      const wait = { timeout: 1 };
      for (let i = 0; i < 3; i += 1) {
        attempt(() => queue.tryPutBytes(Buffer.alloc(50)));
        const views = attempt(() => queue.tryRecvViews(3)) ?? [];
        for (const view of views) {
          if (view.view.length > 0) view.view[view.view.length - 1] = 1;
          attempt(() => (i === 1 ? queue.rejectRead(view.cursor) : queue.commitRead(view.cursor)));
        }
        attempt(() => queue.getBytesSync(wait));
        attempt(() => queue.putBytesSync(Buffer.alloc(120), wait));
        const view = attempt(() => queue.tryReserve(60));
        if (view) attempt(() => queue.commitWrite(view.cursor, 30));
        attempt(() => queue.tryGetDead());
        attempt(() => queue.stats());
        attempt(() => queue.length);
      }
      attempt(() => queue.close());
    }
    overwrite(whole);
    const last = ZooQueue.open(name, { group: 'a' });
    console.log(last.tryGetBytesMany(10).length);
    last.close();
    last.unlink();`;

  for (const kind of ['ring', 'frames']) {
    for (const area of ['header', 'anywhere']) {
      it(`(${kind}, changed ${area}) gives documented errors, never a crash or a hang`, async () => {
        const { name } = planted('damaged');
        const { code, signal, stdout, stderr } = await runProgram(user, {
          args: [name, '12345', '400', area, kind],
        });
        expect({ code, signal, stdout, stderr }).toEqual({
          code: 0,
          signal: null,
          stdout: '4\n',
          stderr: '',
        });
      });
    }
  }

  it('with any one byte of its first line changed is refused, or is what it was', () => {
    const whole = abandonedQueue('line');
    const bytes = readFileSync(whole.path);
    const { name, path } = planted('changed');
    fc.assert(
      fc.property(fc.nat(63), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        writeFileSync(path, damaged);
        const failure = thrownBy(() => ZooQueue.open(name));
        expect(['ERR_ZOO_CORRUPT', 'ERR_ZOO_INCOMPATIBLE', 'ERR_ZOO_KIND']).toContain(failure.code);
        expect(firstBytes(path, 64).equals(damaged.subarray(0, 64))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a segment without permission', () => {
  const asSomebodyElse = `
    const mine = ZooQueue.create(args[0] + '.own');
    mine[Symbol.dispose]();
    if (process.getuid() === 0) process.seteuid(65534);
    for (const use of [
      () => ZooQueue.open(args[0]),
      () => new ZooQueue(args[0]),
      () => ZooQueue.create(args[0]),
      () => ZooQueue.unlink(args[0]),
      () => ZooMemory.open(args[0]),
    ]) {
      try {
        use();
        console.log('allowed');
      } catch (error) {
        console.log(error.code, error.segment === args[0]);
      }
    }`;

  it('is ERR_ZOO_ACCESS, and stays as it is', async () => {
    const queue = track(ZooQueue.create<number>(uniqueName()));
    queue.putSync(1);
    chmodSync(pathOf(queue.name), process.getuid?.() === 0 ? 0o600 : 0);
    const { stdout, stderr, code } = await runProgram(asSomebodyElse, { args: [queue.name] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toEqual(
      Array.from({ length: 5 }, () => 'ERR_ZOO_ACCESS true'),
    );
    chmodSync(pathOf(queue.name), 0o600);
    expect(queue.tryGet()).toBe(1);
    expect(ZooQueue.unlink(queue.name)).toBe(true);
  });
});

/** A /dev/shm of its own, far too small, full, out of names, or made smaller under use. */
import { afterThisTest, runProgram, startPeer, track, uniqueName } from '../support/index.js';
import { ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import { canStart, ownMounts, ownShm, startPeerThrough } from './support.js';

const tiny = ownShm('size=256k');
const skipped = !canStart(tiny);
if (skipped) console.log('skipped: this machine lets nobody mount a /dev/shm of his own');

/** What programs in there use: the outcome of an action in one line. */
const attempt = `
  import { readdirSync, statfsSync, writeFileSync, appendFileSync } from 'node:fs';
  const files = () => readdirSync('/dev/shm').filter((name) => !name.startsWith('.zoosync-bell-'));
  async function attempt(what, action) {
    try {
      await action();
      console.log(what, 'made');
    } catch (thrown) {
      // A pool says what its workers failed with as the cause.
      const error = thrown.cause ?? thrown;
      const told = error.message.includes(String(error.needed)) && error.message.includes('--shm-size');
      const sane = error.needed > 0 && error.free >= 0 && error.free < error.needed;
      console.log(what, error.code, sane, told);
    }
  }
`;

function linesOf(text: string): string[] {
  return text.trim().split('\n');
}

describe.skipIf(skipped)('a /dev/shm that is too small', () => {
  it('is ERR_ZOO_NO_SPACE for every kind, with needed and free bytes, and nothing is left', async () => {
    const { code, signal, stdout, stderr } = await runProgram(
      `${attempt}
       const { Channel, ZooPipe } = zoosync;
       await attempt('ring', () => ZooQueue.create(args[0], { size: '1MiB' }));
       await attempt('frames', () => ZooQueue.create(args[0], { slots: 64, slotSize: '64KiB' }));
       await attempt('memory', () => ZooMemory.create(args[0], '1MiB'));
       await attempt('channel', () => Channel.create(args[0], { capacity: 100, bytes: '4MiB' }));
       await attempt('pipe', () => ZooPipe.create(args[0], { memoryLimit: '4MiB', as: 'writer' }));
       console.log(files().length);
       const held = ZooMemory.create(args[0] + '.held', 200 * 1024);
       await attempt('lock', () => new ZooLock(args[0]));
       new Uint8Array(held.buffer).fill(1);
       held[Symbol.dispose]();
       // The memory goes when JavaScript has let go of the buffer.
       await new Promise(setImmediate);
       const lock = new ZooLock(args[0]);
       lock.acquireSync();
       lock.release();
       lock[Symbol.dispose]();
       console.log(files().length);`,
      { args: [uniqueName()], through: tiny },
    );
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(linesOf(stdout)).toEqual([
      ...['ring', 'frames', 'memory', 'channel', 'pipe'].map(
        (kind) => `${kind} ERR_ZOO_NO_SPACE true true`,
      ),
      '0',
      'lock ERR_ZOO_NO_SPACE true true',
      '0',
    ]);
  });

  it('is ERR_ZOO_NO_SPACE for a pool, whose workers end, and nothing is left', async () => {
    const module = new URL('../fixtures/pool-tasks.js', import.meta.url).href;
    const { code, signal, stdout, stderr } = await runProgram(
      `${attempt}
       await attempt('pool', async () => {
         const pool = new zoosync.ZooPool(new URL(args[0]), { workers: 2, kind: 'process' });
         try {
           await pool.run('echo', ['hello']);
         } finally {
           await pool.destroy();
         }
       });
       console.log(files().length);`,
      { args: [module], through: ownShm('size=64k') },
    );
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(linesOf(stdout)).toEqual(['pool ERR_ZOO_NO_SPACE true true', '0']);
  });

  it('is ERR_ZOO_NO_SPACE for a large value of a pool, which goes on with the others', async () => {
    const module = new URL('../fixtures/pool-tasks.js', import.meta.url).href;
    const { code, signal, stdout, stderr } = await runProgram(
      `${attempt}
       const pool = new zoosync.ZooPool(new URL(args[0]), { workers: 1, kind: 'process' });
       console.log(await pool.run('echo', ['small']));
       await attempt('argument', () => pool.run('echo', [Buffer.alloc(64 * 2 ** 20)]));
       console.log(await pool.run('echo', ['small again']));
       const half = Buffer.alloc(100_000, 3);
       console.log((await pool.run('echo', [half])).equals(half));
       await pool.close();
       console.log(files().length);`,
      { args: [module], through: ownShm('size=24m') },
    );
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(linesOf(stdout)).toEqual([
      'small',
      'argument ERR_ZOO_NO_SPACE true true',
      'small again',
      'true',
      '0',
    ]);
  });
});

describe.skipIf(skipped)('a /dev/shm that fills up', () => {
  it('ends who did not set the memory aside, as the documentation says', async () => {
    const { code, signal, stdout } = await runProgram(
      `const memory = ZooMemory.create(args[0], '1MiB', { reserve: false });
       console.log('made');
       new Uint8Array(memory.buffer).fill(1);
       console.log('filled');`,
      { args: [uniqueName()], through: tiny },
    );
    expect({ code, signal, stdout }).toEqual({ code: null, signal: 'SIGBUS', stdout: 'made\n' });
  });

  it('hurts nothing that was made before: each kind goes on', async () => {
    const { code, signal, stdout, stderr } = await runProgram(
      `${attempt}
       const { Channel, ZooPipe } = zoosync;
       const name = (kind) => args[0] + '.' + kind;
       const ring = ZooQueue.create(name('ring'), { size: '64KiB' });
       const frames = ZooQueue.create(name('frames'), { slots: 8, slotSize: '8KiB' });
       const lock = new ZooLock(name('lock'));
       const memory = ZooMemory.create(name('memory'), '64KiB');
       const channel = Channel.create(name('channel'), { capacity: 8, bytes: '64KiB' });
       try {
         for (;;) appendFileSync('/dev/shm/filler', Buffer.alloc(4096));
       } catch (error) {
         console.log(error.code, statfsSync('/dev/shm').bfree);
       }
       let sent = 0;
       for (const queue of [ring, frames]) {
         for (let i = 0; i < 300; i += 1) {
           if (queue.tryPutBytes(Buffer.alloc((i * 37) % 8000, i))) sent += 1;
           else queue.tryGetBytesMany(4);
         }
       }
       console.log(sent > 300);
       while (ring.tryGetBytes());
       const later = ring.getBytes();
       await ring.putBytes(Buffer.from('woken'));
       console.log(String(await later));
       await lock.withLock(() => new Uint8Array(memory.buffer).fill(7));
       console.log(new Uint8Array(memory.buffer).every((byte) => byte === 7));
       await channel.send({ large: 'x'.repeat(20_000) });
       console.log((await channel.receive()).large.length);
       await attempt('another', () => ZooQueue.create(name('late'), { size: '64KiB' }));
       console.log(ZooQueue.open(name('ring')).length);`,
      { args: [uniqueName()], through: ownShm('size=768k') },
    );
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(linesOf(stdout)).toEqual([
      'ENOSPC 0',
      'true',
      'woken',
      'true',
      '20000',
      'another ERR_ZOO_NO_SPACE true true',
      '0',
    ]);
  });

  it('has no more names: one clear error, and what blocks still works', async () => {
    const { code, signal, stdout, stderr } = await runProgram(
      `${attempt}
       const queue = ZooQueue.create(args[0], { size: '16KiB' });
       let names = 0;
       try {
         for (; ; names += 1) writeFileSync('/dev/shm/' + names, '');
       } catch (error) {
         console.log(error.code);
       }
       for (const action of [
         () => ZooQueue.create(args[0] + '.late', { size: '16KiB' }),
         () => new ZooLock(args[0] + '.lock'),
         () => queue.get(),
       ]) {
         try {
           await action();
           console.log('made');
         } catch (error) {
           console.log(error.code, error.message);
         }
       }
       queue.putSync('works');
       console.log(queue.getSync(), queue.tryGet());`,
      { args: [uniqueName()], through: ownShm('size=1m,nr_inodes=20') },
    );
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    const lines = linesOf(stdout);
    expect(lines[0]).toBe('ENOSPC');
    for (const line of lines.slice(1, 4))
      expect(line).toMatch(/^ERR_ZOO_NO_SPACE .*can hold no more files/);
    expect(lines.slice(4)).toEqual(['works undefined']);
  });

  it('is made smaller under use: what was made before goes on', async () => {
    const { code, signal, stdout, stderr } = await runProgram(
      `${attempt}
       import { spawnSync } from 'node:child_process';
       const queue = ZooQueue.create(args[0], { size: '128KiB' });
       const memory = ZooMemory.create(args[0] + '.memory', '128KiB');
       for (const size of ['64k', '320k']) {
       const smaller = spawnSync('mount', ['-o', 'remount,size=' + size, '/dev/shm']);
       console.log(size, smaller.status === 0);
       }
       new Uint8Array(memory.buffer).fill(9);
       let sent = 0;
       for (let i = 0; i < 500; i += 1) {
         if (queue.tryPutBytes(Buffer.alloc(900, i))) sent += 1;
         else queue.tryGetBytesMany(20);
       }
       console.log(sent > 100, new Uint8Array(memory.buffer).every((byte) => byte === 9));
       await attempt('another', () => ZooMemory.create(args[0] + '.late', '128KiB'));`,
      { args: [uniqueName()], through: ownShm('size=512k') },
    );
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    // The kernel takes away nothing that is in use.
    expect(linesOf(stdout)).toEqual([
      '64k false',
      '320k true',
      'true true',
      'another ERR_ZOO_NO_SPACE true true',
    ]);
  });
});

describe.skipIf(skipped)('a machine without what is needed', () => {
  for (const [what, mount, sentence] of [
    ['/proc', 'mount -t tmpfs tmpfs /proc', /needs \/proc, which is not mounted here/],
    ['/dev/shm', 'mount -t tmpfs tmpfs /dev', /there is no \/dev\/shm .*mount a tmpfs there/],
  ] as const) {
    it(`${what}: every kind says so in one sentence`, async () => {
      const module = new URL('../fixtures/pool-tasks.js', import.meta.url).href;
      const { code, signal, stdout } = await runProgram(
        `const attempt = async (action) => {
           try {
             await action();
             console.log('made');
           } catch (thrown) {
             const error = thrown.cause ?? thrown;
             console.log(error.code, error.message);
           }
         };
         await attempt(() => ZooQueue.create('x', { size: '16KiB' }));
         await attempt(() => new ZooLock('x'));
         await attempt(() => ZooMemory.create('x', 4096));
         const pool = new zoosync.ZooPool(new URL(args[1]), { workers: 1, kind: 'process' });
         await attempt(() => pool.run('echo', [1]));
         await pool.destroy();`,
        { args: [uniqueName(), module], through: ownMounts(mount) },
      );
      expect({ code, signal }).toEqual({ code: 0, signal: null });
      const lines = linesOf(stdout);
      expect(lines).toHaveLength(4);
      for (const line of lines) {
        expect(line).toMatch(/^ERR_ZOO_PLATFORM /);
        expect(line).toMatch(sentence);
      }
    });
  }
});

describe.skipIf(skipped)("a /dev/shm of one's own", () => {
  it('and that of others do not see each other', async () => {
    const name = uniqueName();
    const outside = track(ZooQueue.create<string>(name));
    const peer = await startPeerThrough(ownShm('size=4m'));
    const code = await peer.run(({ zoosync, state }, segment) => {
      let told: string | undefined;
      try {
        zoosync.ZooQueue.open(segment);
      } catch (error) {
        told = (error as { code?: string }).code;
      }
      state['queue'] = zoosync.ZooQueue.create(segment, { size: '64KiB' });
      state['queue'].tryPut('inside');
      return told;
    }, name);
    expect(code).toBe('ERR_ZOO_NOT_FOUND');
    expect(outside.tryGet()).toBeUndefined();
    expect(outside.tryPut('outside')).toBe(true);
    expect(await peer.run(({ state }) => state['queue'].tryGet() as string)).toBe('inside');
    const near = await startPeer();
    afterThisTest(() => near.kill());
    expect(
      await near.run(
        ({ zoosync }, segment) => zoosync.ZooQueue.open<string>(segment).tryGet(),
        name,
      ),
    ).toBe('outside');
  });
});

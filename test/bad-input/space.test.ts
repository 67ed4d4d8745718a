import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runProgram, uniqueName } from '../support/index.js';

/** Runs a program with a /dev/shm of its own that has only a few pages. */
const smallShm = [
  'unshare',
  '--mount',
  ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
  'sh',
  '-c',
  'mount -t tmpfs -o size=256k tmpfs /dev/shm && exec "$0" "$@"',
] as const;

const [command = '', ...commandArgs] = smallShm;
const canMount = spawnSync(command, [...commandArgs, 'true']).status === 0;

// A machine that lets nobody mount (some containers) cannot show a full /dev/shm.
describe.skipIf(!canMount)('a full /dev/shm', () => {
  it('is ERR_ZOO_NO_SPACE when a segment is made, with the bytes needed and free', async () => {
    const { code, stdout, stderr } = await runProgram(
      `import { readdirSync } from 'node:fs';
       for (const make of [
         () => ZooQueue.create(args[0], { size: '1MiB' }),
         () => new ZooQueue(args[0], { size: '1MiB' }),
         () => ZooQueue.create(args[0], { slots: 100, slotSize: '64KiB' }),
         () => ZooMemory.create(args[0], '1MiB'),
       ]) {
         try {
           make();
           console.log('made');
         } catch (error) {
           const sane = error.needed >= 2 ** 20 && error.free >= 0 && error.free <= 256 * 1024;
           const said = error.message.includes(String(error.needed));
           console.log(error.code, sane, said, error.segment === args[0], readdirSync('/dev/shm').length);
         }
       }
       const small = ZooQueue.create(args[0], { size: '16KiB' });
       small.putSync('works');
       console.log(small.getSync());
       small[Symbol.dispose]();
       console.log(readdirSync('/dev/shm').length);`,
      { args: [uniqueName()], through: smallShm },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toEqual([
      ...Array.from({ length: 4 }, () => 'ERR_ZOO_NO_SPACE true true true 0'),
      'works',
      '0',
    ]);
  });

  it('does not hurt a queue that was made before: its memory is set aside', async () => {
    const { code, signal, stdout, stderr } = await runProgram(
      `import { writeFileSync } from 'node:fs';
       const queue = ZooQueue.create(args[0], { size: '64KiB' });
       try {
         writeFileSync('/dev/shm/filler', Buffer.alloc(2 ** 20));
       } catch (error) {
         console.log(error.code);
       }
       let sent = 0;
       for (let i = 0; i < 200; i += 1) {
         if (queue.tryPutBytes(Buffer.alloc(1000, i))) sent += 1;
         else queue.tryGetBytesMany(10);
       }
       console.log(sent > 100);
       const late = ZooQueue.open(args[0]);
       console.log(late.length > 0);`,
      { args: [uniqueName()], through: smallShm },
    );
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(stdout.trim().split('\n')).toEqual(['ENOSPC', 'true', 'true']);
  });
});

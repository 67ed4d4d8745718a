import { statSync } from 'node:fs';
import { ZooLock, ZooMemory, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  failureOf,
  pathOf,
  runProgram,
  startPeer,
  track,
  uniqueName,
  within,
} from '../support/index.js';
import { canBeNobody, nobody } from '../support/users.js';
import { openIn, untilWaiting } from '../support/waiting.js';

describe('the mode of a segment', () => {
  it('is as asked for, whatever the umask', async () => {
    const { stdout, stderr } = await runProgram(
      `const { statSync } = await import('node:fs');
       process.umask(0o077);
       const mode = (name) => (statSync('/dev/shm/' + name).mode & 0o777).toString(8);
       const queue = ZooQueue.create(args[0] + '.queue', { mode: 0o664 });
       const memory = ZooMemory.create(args[0] + '.memory', 64, { mode: 0o666 });
       const lock = new ZooLock(args[0] + '.lock', { mode: 0o660 });
       const plain = ZooQueue.create(args[0] + '.plain');
       console.log(['queue', 'memory', 'lock', 'plain'].map((kind) => mode(args[0] + '.' + kind)).join(' '));`,
      { args: [uniqueName()] },
    );
    expect([stdout, stderr]).toEqual(['664 666 660 600\n', '']);
  });

  it('is for its owner alone, unless said otherwise', () => {
    const queue = track(ZooQueue.create(uniqueName()));
    expect(statSync(pathOf(queue.name)).mode & 0o777).toBe(0o600);
  });
});

describe.skipIf(!canBeNobody)('another user', () => {
  it('is refused with ERR_ZOO_ACCESS, by every way to open and to remove', async () => {
    const queue = track(ZooQueue.create(uniqueName('queue')));
    const memory = track(ZooMemory.create(uniqueName('memory'), 64));
    const lockName = uniqueName('lock');
    const lock = new ZooLock(lockName);
    afterThisTest(() => {
      lock.close();
      ZooLock.unlink(lockName);
    });
    const peer = await startPeer(nobody);
    const codes = await peer.run(
      async ({ zoosync }, queueName, memoryName, locking) => {
        const { ZooQueue, ZooMemory, ZooLock } = zoosync;
        const found: (string | undefined)[] = [];
        for (const action of [
          () => ZooQueue.open(queueName),
          () => new ZooQueue(queueName),
          () => ZooQueue.create(queueName),
          () => ZooQueue.waitFor(queueName, { timeout: 30_000 }),
          () => ZooQueue.unlink(queueName),
          () => ZooMemory.open(memoryName),
          () => ZooMemory.create(memoryName, 64),
          () => ZooMemory.unlink(memoryName),
          () => new ZooLock(locking),
          () => ZooLock.unlink(locking),
        ]) {
          try {
            await action();
            found.push('nothing');
          } catch (error) {
            found.push((error as { code?: string }).code);
          }
        }
        return found;
      },
      queue.name,
      memory.name,
      lockName,
    );
    expect(codes).toEqual(codes.map(() => 'ERR_ZOO_ACCESS'));
    expect(codes).toHaveLength(10);
    expect(queue.tryPutBytes(Buffer.from('unharmed'))).toBe(true);
  });

  it('takes part when the mode allows it: both wake each other, and a death is seen', async () => {
    const queue = track(ZooQueue.create<string>(uniqueName(), { mode: 0o666 }));
    const answers = track(ZooQueue.create<string>(uniqueName(), { mode: 0o666 }));
    const peer = await startPeer(nobody);
    await openIn(peer, queue.name);
    const echoing = peer.run(async ({ zoosync, state }, name) => {
      state['answers'] = zoosync.ZooQueue.open(name);
      await state['answers'].put(await state['queue'].get());
      state['answers'].putSync(state['queue'].getSync());
    }, answers.name);
    for (const text of ['on the event loop', 'blocked']) {
      await untilWaiting(queue, peer.pid);
      const waiting = answers.get();
      await queue.put(text);
      expect(await within(waiting)).toBe(text);
    }
    await echoing;
    await queue.put('held');
    await peer.run(async ({ state }) => {
      state['view'] = await state['queue'].recvView();
    });
    const waiting = queue.recvView();
    peer.kill();
    const view = await within(waiting);
    expect(view.deliveries).toBe(2);
    queue.commitRead(view.cursor);
    const failure = await failureOf(within(answers.get()));
    expect([failure.code, failure.pid]).toEqual(['ERR_ZOO_PEER_DIED', peer.pid]);
  });
});

import { ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  failureOf,
  runProgram,
  startPeers,
  track,
  uniqueName,
  within,
  type Peer,
} from '../support/index.js';

describe('waiting for a queue that another process will make', () => {
  it('ends when it is there, in every process that waits', async () => {
    const name = uniqueName();
    const peers = (await startPeers(2)) as [Peer, Peer];
    const readings = peers.map((peer) =>
      peer.run(async ({ zoosync, say }, segment) => {
        const waiting = zoosync.ZooQueue.waitFor<string>(segment);
        say('waiting');
        const queue = await waiting;
        return queue.get();
      }, name),
    );
    for (const peer of peers) await peer.heard('waiting');
    const queue = track(ZooQueue.create<string>(name));
    await queue.putMany(['a', 'b']);
    expect((await within(Promise.all(readings))).sort()).toEqual(['a', 'b']);
  });

  it('keeps the process alive, and takes the options of open', async () => {
    const name = uniqueName();
    const running = runProgram(
      `const queue = await ZooQueue.waitFor(args[0], { group: 'second', codec: 'json' });
       console.log(await queue.get());`,
      { args: [name] },
    );
    const queue = track(
      ZooQueue.create<string>(name, { groups: { first: {}, second: {} }, codec: 'json' }),
    );
    await queue.put('for both');
    expect(await running).toEqual({ code: 0, signal: null, stdout: 'for both\n', stderr: '' });
  });

  it('ends at its timeout and at an abort, with nothing left behind', async () => {
    const name = uniqueName();
    expect((await failureOf(ZooQueue.waitFor(name, { timeout: 20 }))).code).toBe('ERR_ZOO_TIMEOUT');
    const abort = new AbortController();
    const failure = failureOf(ZooQueue.waitFor(name, { signal: abort.signal }));
    abort.abort('enough');
    const { name: kind, code, cause } = await failure;
    expect([kind, code, cause]).toEqual(['AbortError', 'ABORT_ERR', 'enough']);
    const queue = track(ZooQueue.create(name));
    expect(queue.stats().participants).toHaveLength(1);
  });
});

import { existsSync, statSync } from 'node:fs';
import { ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  describeEachStore,
  failureOf,
  isPending,
  leftovers,
  pathOf,
  runProgram,
  startPeer,
  thrownBy,
  track,
  uniqueName,
  until,
  within,
} from '../support/index.js';

describe('making and opening a queue', () => {
  it('create makes it, open needs it, the constructor does either', () => {
    const name = uniqueName();
    expect(thrownBy(() => ZooQueue.open(name)).code).toBe('ERR_ZOO_NOT_FOUND');
    const made = track(ZooQueue.create<number>(name));
    expect(existsSync(pathOf(name))).toBe(true);
    const failure = thrownBy(() => ZooQueue.create(name));
    expect([failure.code, failure.segment]).toEqual(['ERR_ZOO_EXISTS', made.name]);
    const opened = track(ZooQueue.open<number>(name));
    const either = track(new ZooQueue<number>(name));
    made.putSync(1);
    opened.putSync(2);
    expect(either.tryGetMany(5)).toEqual([1, 2]);
    const other = track(new ZooQueue(uniqueName()));
    expect(existsSync(pathOf(other.name))).toBe(true);
  });

  it('a name means the same with and without a slash', () => {
    const name = uniqueName();
    const plain = track(ZooQueue.create<number>(name));
    const slashed = track(ZooQueue.open<number>(`/${name}`));
    plain.putSync(1);
    expect(slashed.getSync()).toBe(1);
    expect(slashed.name).toBe(plain.name);
  });

  it('makes the file readable for its owner alone, or as said', () => {
    const own = track(ZooQueue.create(uniqueName()));
    expect(statSync(pathOf(own.name)).mode & 0o777).toBe(0o600);
    const wide = track(ZooQueue.create(uniqueName(), { mode: 0o666 }));
    expect(statSync(pathOf(wide.name)).mode & 0o777).toBe(0o666);
  });

  it('sets the memory aside now, unless told otherwise', () => {
    const size = 4 * 1024 * 1024;
    const aside = track(ZooQueue.create(uniqueName(), { size }));
    expect(statSync(pathOf(aside.name)).blocks * 512).toBeGreaterThanOrEqual(size);
    const lazy = track(ZooQueue.create(uniqueName(), { size, reserve: false }));
    expect(statSync(pathOf(lazy.name)).blocks * 512).toBeLessThan(size);
    lazy.putBytesSync(Buffer.alloc(1_000_000, 5));
    expect(lazy.getBytesSync().equals(Buffer.alloc(1_000_000, 5))).toBe(true);
    const touched = track(ZooQueue.create(uniqueName(), { size, prefault: true }));
    touched.putBytesSync(Buffer.alloc(10));
    expect(touched.getBytesSync().length).toBe(10);
  });

  it('refuses options that disagree with what is there, and says which', async () => {
    const ring = track(ZooQueue.create(uniqueName(), { size: '64KiB', maxDeliveries: 3 }));
    const frames = track(ZooQueue.create(uniqueName(), { slots: 4, slotSize: 1000 }));
    for (const [name, options, word] of [
      [ring.name, { size: '128KiB' }, 'size'],
      [ring.name, { slots: 4, slotSize: 1000 }, 'slots'],
      [frames.name, { size: '64KiB' }, 'size'],
      [frames.name, { slots: 5, slotSize: 1000 }, 'slots'],
      [frames.name, { slots: 4, slotSize: 5000 }, 'slotSize'],
      [ring.name, { groups: { a: {}, b: {} } }, 'groups'],
    ] as const) {
      const failure = await failureOf(() => new ZooQueue(name, options));
      expect(failure.code, JSON.stringify(options)).toBe('ERR_ZOO_INCOMPATIBLE');
      expect(failure.message).toContain(word);
      expect(failure.segment).toBe(name);
    }
    for (const [name, options] of [
      [ring.name, {}],
      [ring.name, { size: '64KiB' }],
      [ring.name, { size: 65_536 }],
      [frames.name, { slots: 4, slotSize: 1000 }],
      [frames.name, {}],
    ] as const) {
      new ZooQueue(name, options).close();
    }
    expect(ring.stats().participants).toHaveLength(1);
    expect(frames.stats().participants).toHaveLength(1);
  });

  it('a size that is rounded up agrees with itself', () => {
    const queue = track(ZooQueue.create(uniqueName(), { size: 5000 }));
    new ZooQueue(queue.name, { size: 5000 }).close();
    new ZooQueue(queue.name, { size: 8192 }).close();
  });
});

describe('waitFor', () => {
  it('resolves when the creator has made the queue', async () => {
    const name = uniqueName();
    const waiting = ZooQueue.waitFor<number>(name);
    expect(await isPending(waiting)).toBe(true);
    const made = track(ZooQueue.create<number>(name));
    const opened = track(await within(waiting));
    made.putSync(1);
    expect(opened.getSync()).toBe(1);
  });

  it('resolves at once when it is there, and takes the options of open', async () => {
    const made = track(ZooQueue.create(uniqueName(), { groups: { a: {}, b: {} } }));
    const opened = track(await ZooQueue.waitFor(made.name, { group: 'b', label: 'late' }));
    expect(made.stats().participants.find((one) => one.label === 'late')?.group).toBe('b');
    opened.close();
    expect(await codeOf(ZooQueue.waitFor(made.name, { group: 'c' }))).toBe('ERR_INVALID_ARG_VALUE');
  });

  it('ends at a timeout or an abort', async () => {
    const name = uniqueName();
    const late = await failureOf(ZooQueue.waitFor(name, { timeout: 20 }));
    expect([late.code, late.segment]).toEqual(['ERR_ZOO_TIMEOUT', name]);
    const abort = new AbortController();
    const waiting = failureOf(ZooQueue.waitFor(name, { signal: abort.signal }));
    abort.abort('enough');
    const failure = await within(waiting);
    expect([failure.name, failure.code, failure.cause]).toEqual([
      'AbortError',
      'ABORT_ERR',
      'enough',
    ]);
    expect(await codeOf(ZooQueue.waitFor(name, { signal: AbortSignal.abort() }))).toBe('ABORT_ERR');
  });

  it('checks its arguments at once', async () => {
    expect(await codeOf(() => ZooQueue.waitFor('a/b'))).toBe('ERR_INVALID_ARG_VALUE');
    expect(await codeOf(() => ZooQueue.waitFor(uniqueName(), { timout: 5 } as never))).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    expect(await codeOf(() => ZooQueue.waitFor(uniqueName(), { timeout: -5 }))).toBe(
      'ERR_OUT_OF_RANGE',
    );
  });
});

describeEachStore('closing a queue', (store) => {
  it('may be done twice, and leaves the name to others', async () => {
    const queue = store.create<number>();
    await queue.put(1);
    expect(queue.closed).toBe(false);
    queue.close();
    queue.close();
    expect(queue.closed).toBe(true);
    expect(existsSync(pathOf(queue.name))).toBe(true);
  });

  it('makes every call of the handle fail with ERR_ZOO_CLOSED', async () => {
    const queue = store.create<unknown>();
    await queue.put(1);
    queue.close();
    const bytes = Buffer.alloc(1);
    for (const action of [
      () => queue.put(1),
      () => queue.putSync(1),
      () => queue.tryPut(1),
      () => queue.putMany([1]),
      () => queue.putManySync([1]),
      () => queue.tryPutMany([1]),
      () => queue.get(),
      () => queue.getSync(),
      () => queue.tryGet(),
      () => queue.getMany(1),
      () => queue.getManySync(1),
      () => queue.tryGetMany(1),
      () => queue.putBytes(bytes),
      () => queue.putBytesSync(bytes),
      () => queue.tryPutBytes(bytes),
      () => queue.putBytesMany([bytes]),
      () => queue.putBytesManySync([bytes]),
      () => queue.tryPutBytesMany([bytes]),
      () => queue.getBytes(),
      () => queue.getBytesSync(),
      () => queue.tryGetBytes(),
      () => queue.getBytesMany(1),
      () => queue.getBytesManySync(1),
      () => queue.tryGetBytesMany(1),
      () => queue.recvView(),
      () => queue.recvViewSync(),
      () => queue.tryRecvView(),
      () => queue.recvViews(1),
      () => queue.recvViewsSync(1),
      () => queue.tryRecvViews(1),
      () => queue.reserve(1),
      () => queue.reserveSync(1),
      () => queue.tryReserve(1),
      () => queue.tryGetDead(),
      () => queue.end(),
      () => queue.stats(),
    ]) {
      const failure = await failureOf(action);
      expect(failure.code, String(action)).toBe('ERR_ZOO_CLOSED');
      expect(failure.segment, String(action)).toBe(queue.name);
    }
    expect(() => queue.ref().unref()).not.toThrow();
  });

  it('leaves the messages to the other handles', async () => {
    const writer = store.create<number>();
    const reader = store.open(writer);
    await writer.putMany([1, 2, 3]);
    writer.close();
    expect(await reader.getMany(5)).toEqual([1, 2, 3]);
  });

  it('rejects only what waits on this handle', async () => {
    const queue = store.create<number>();
    const other = store.open(queue);
    const here = codeOf(queue.get());
    const there = other.get();
    expect(await isPending(there)).toBe(true);
    queue.close();
    expect(await within(here)).toBe('ERR_ZOO_CLOSED');
    expect(await isPending(there)).toBe(true);
    const third = store.open(other);
    await third.put(1);
    expect(await within(there)).toBe(1);
  });

  it('is what dispose does, and the maker also unlinks', async () => {
    for (const dispose of [
      (queue: ZooQueue) => queue[Symbol.dispose](),
      async (queue: ZooQueue) => queue[Symbol.asyncDispose](),
    ]) {
      const made = store.create();
      const opened = store.open(made);
      await dispose(opened);
      expect(opened.closed).toBe(true);
      expect(existsSync(pathOf(made.name))).toBe(true);
      await dispose(made);
      expect(made.closed).toBe(true);
      expect(existsSync(pathOf(made.name))).toBe(false);
      await dispose(made);
    }
  });

  it('is what dispose of a persistent queue does, and its name stays', async () => {
    const made = store.create({ persist: true });
    made[Symbol.dispose]();
    expect(existsSync(pathOf(made.name))).toBe(true);
    expect(ZooQueue.unlink(made.name)).toBe(true);
  });
});

describe('unlinking a queue', () => {
  it('removes the name and tells whether there was one', () => {
    const queue = track(ZooQueue.create<number>(uniqueName()));
    expect(queue.unlink()).toBe(true);
    expect(existsSync(pathOf(queue.name))).toBe(false);
    expect(queue.unlink()).toBe(false);
    expect(ZooQueue.unlink(queue.name)).toBe(false);
    expect(thrownBy(() => ZooQueue.open(queue.name)).code).toBe('ERR_ZOO_NOT_FOUND');
  });

  it('works after close as well', () => {
    const queue = track(ZooQueue.create(uniqueName()));
    queue.close();
    expect(queue.unlink()).toBe(true);
    expect(queue.unlink()).toBe(false);
  });

  it('works by the name alone', () => {
    const queue = track(ZooQueue.create(uniqueName()));
    expect(ZooQueue.unlink(`/${queue.name.replace(/^\//, '')}`)).toBe(true);
    expect(ZooQueue.unlink(queue.name)).toBe(false);
    expect(ZooQueue.unlink(uniqueName())).toBe(false);
  });

  it('lets those go on who have it open', async () => {
    const queue = track(ZooQueue.create<number>(uniqueName()));
    const reader = track(ZooQueue.open<number>(queue.name));
    queue.unlink();
    await queue.put(1);
    expect(await reader.get()).toBe(1);
    const waiting = reader.get();
    expect(await isPending(waiting)).toBe(true);
    await queue.put(2);
    expect(await within(waiting)).toBe(2);
  });

  it('never removes a newer segment of the same name', () => {
    const old = track(ZooQueue.create(uniqueName()));
    old.unlink();
    const made = track(ZooQueue.create(old.name));
    expect(old.unlink()).toBe(false);
    expect(existsSync(pathOf(made.name))).toBe(true);
    old.close();
    old[Symbol.dispose]();
    expect(existsSync(pathOf(made.name))).toBe(true);
  });

  it('and making it anew tells those who wait on the old one', async () => {
    const old = track(ZooQueue.create<number>(uniqueName()));
    const reader = track(ZooQueue.open<number>(old.name));
    const reading = failureOf(reader.get());
    old.unlink();
    const made = track(ZooQueue.create<number>(old.name));
    const failure = await within(reading);
    expect([failure.code, failure.segment]).toEqual(['ERR_ZOO_GONE', old.name]);
    expect(await codeOf(within(reader.get()))).toBe('ERR_ZOO_GONE');
    expect(thrownBy(() => reader.getSync({ timeout: 30_000 })).code).toBe('ERR_ZOO_GONE');
    await made.put(1);
    expect(await made.get()).toBe(1);
  });

  it('and making it anew tells those who wait for room on the old one', async () => {
    const old = track(ZooQueue.create(uniqueName(), { slots: 1, slotSize: 8 }));
    old.putBytesSync(Buffer.alloc(8));
    const writing = codeOf(old.putBytes(Buffer.alloc(8)));
    old.unlink();
    track(ZooQueue.create(old.name));
    expect(await within(writing)).toBe('ERR_ZOO_GONE');
  });
});

describe('what stays of a queue when its process has ended', () => {
  const ending = (how: string, options = '{}'): string => `
    const queue = ZooQueue.create(args[0], { size: '64KiB', ...${options} });
    queue.putSync('left behind');
    ${how}`;

  it('is nothing after a normal end and after an exit with code 0', async () => {
    for (const how of ['', 'process.exit(0);', 'queue.close();']) {
      const name = uniqueName();
      const { code, stderr } = await runProgram(ending(how), { args: [name] });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(existsSync(pathOf(name)), how).toBe(false);
    }
  });

  it('after an exit with another code is what a death leaves', async () => {
    for (const how of ['process.exit(3);', "throw new Error('no');"]) {
      const name = uniqueName();
      const { code } = await runProgram(ending(how), { args: [name] });
      expect(code).toBe(how.includes('3') ? 3 : 1);
      const queue = track(new ZooQueue<string>(name));
      expect(await queue.get()).toBe('left behind');
      const failure = await failureOf(queue.get({ timeout: 30_000 }));
      expect(failure.code, how).toBe('ERR_ZOO_PEER_DIED');
      expect(failure.pid).toBeTypeOf('number');
    }
  });

  it('is nothing after SIGINT and SIGTERM, and the process ends by that signal', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const name = uniqueName();
      const peer = await startPeer();
      await peer.run(({ zoosync, state }, segment) => {
        state['queue'] = zoosync.ZooQueue.create(segment);
      }, name);
      expect(existsSync(pathOf(name))).toBe(true);
      peer.kill(signal);
      expect((await within(peer.ended)).signal).toBe(signal);
      expect(existsSync(pathOf(name))).toBe(false);
    }
  });

  it('is left to a program that handles the signal itself', async () => {
    const name = uniqueName();
    const peer = await startPeer();
    await peer.run(({ zoosync, state, say }, segment) => {
      state['queue'] = zoosync.ZooQueue.create(segment);
      process.on('SIGTERM', () => say('told'));
    }, name);
    peer.kill('SIGTERM');
    await peer.heard('told');
    expect(existsSync(pathOf(name))).toBe(true);
    expect(await peer.run(({ state }) => state['queue'].closed as boolean)).toBe(false);
    expect((await peer.leave()).code).toBe(0);
    expect(existsSync(pathOf(name))).toBe(false);
  });

  it('is all of it with persist, and open goes on with it', async () => {
    const name = uniqueName();
    await runProgram(ending('process.exit(0);', '{ persist: true }'), { args: [name] });
    expect(existsSync(pathOf(name))).toBe(true);
    const queue = track(ZooQueue.open<string>(name));
    expect(queue.length).toBe(1);
    expect(queue.tryGet()).toBe('left behind');
  });

  it('after a kill is all of it as well: the constructor goes on, create replaces', async () => {
    const names = [uniqueName(), uniqueName()] as const;
    for (const name of names) {
      const { signal } = await runProgram(ending("process.kill(process.pid, 'SIGKILL');"), {
        args: [name],
      });
      expect(signal).toBe('SIGKILL');
      expect(existsSync(pathOf(name))).toBe(true);
    }
    const going = track(new ZooQueue<string>(names[0]));
    expect(going.tryGet()).toBe('left behind');
    const made = track(ZooQueue.create<string>(names[1]));
    expect(made.length).toBe(0);
    expect(made.stats().puts).toBe(0);
    expect(made.stats().participants).toHaveLength(1);
  });

  it('is the queue itself while another process has it open', async () => {
    const name = uniqueName();
    const peer = await startPeer();
    await peer.run(({ zoosync, state }, segment) => {
      state['queue'] = zoosync.ZooQueue.create(segment, { persist: true });
    }, name);
    const queue = track(ZooQueue.open<string>(name));
    expect(thrownBy(() => ZooQueue.create(name)).code).toBe('ERR_ZOO_EXISTS');
    await peer.run(({ state }) => state['queue'].putSync('from a peer') as undefined);
    await peer.leave();
    expect(queue.tryGet()).toBe('from a peer');
    expect(queue.stats().participants).toHaveLength(1);
  });
});

describe('keeping the process alive', () => {
  it('is what a pending wait does, and an idle handle does not', async () => {
    const idle = await runProgram(
      `const queue = ZooQueue.create(args[0]);
       const lock = new ZooLock(args[0] + '.lock');
       process.on('exit', () => console.log('done'));`,
      { args: [uniqueName()] },
    );
    expect([idle.code, idle.stdout, idle.stderr]).toEqual([0, 'done\n', '']);

    const name = uniqueName();
    const waiting = runProgram(
      `const queue = ZooQueue.create(args[0]);
       console.log(await queue.get());`,
      { args: [name] },
    );
    const queue = track(await ZooQueue.waitFor(name));
    await until(() => queue.stats().participants.some((one) => one.waiting), 'a waiting peer');
    await queue.put('here');
    expect(await waiting).toMatchObject({ code: 0, stdout: 'here\n', stderr: '' });
  });

  it('can be switched off with unref', async () => {
    const ended = await runProgram(
      `const queue = ZooQueue.create(args[0]);
       queue.unref();
       queue.get().then(() => console.log('never'), () => console.log('no'));
       process.on('exit', (code) => console.log('exit', code));`,
      { args: [uniqueName()] },
    );
    expect(ended).toMatchObject({ code: 0, stdout: 'exit 0\n' });
    const name = uniqueName();
    const kept = runProgram(
      `const queue = ZooQueue.create(args[0]);
       queue.unref().ref();
       console.log(await queue.get());`,
      { args: [name] },
    );
    const queue = track(await ZooQueue.waitFor(name));
    await queue.put('here');
    expect(await kept).toMatchObject({ code: 0, stdout: 'here\n' });
  });
});

describe('the names of this test', () => {
  it('are all that is left while handles are open, and nothing after', () => {
    const queue = ZooQueue.create(uniqueName());
    expect(leftovers()).toHaveLength(1);
    queue[Symbol.dispose]();
    expect(leftovers()).toEqual([]);
  });
});

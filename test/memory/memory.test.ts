import { existsSync, statSync } from 'node:fs';
import { ZooMemory, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  failureOf,
  pathOf,
  runProgram,
  startPeer,
  thrownBy,
  track,
  uniqueName,
  within,
} from '../support/index.js';

describe('a block of memory', () => {
  it('has the bytes asked for, all zero', () => {
    for (const bytes of [1, 63, 64, 1000, 4096, 4097, 1_000_000]) {
      const memory = track(ZooMemory.create(uniqueName(), bytes));
      expect(memory.byteLength).toBe(bytes);
      expect(memory.buffer).toBeInstanceOf(ArrayBuffer);
      expect(memory.buffer.byteLength).toBe(bytes);
      expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
    }
    const memory = track(ZooMemory.create(uniqueName(), '64KiB'));
    expect(memory.byteLength).toBe(65_536);
  });

  it('is the same for every handle', () => {
    const made = track(ZooMemory.create(uniqueName(), 100));
    const opened = track(ZooMemory.open(made.name));
    expect([opened.byteLength, opened.name]).toEqual([100, made.name]);
    const mine = new Uint8Array(made.buffer);
    const theirs = new Uint8Array(opened.buffer);
    mine[0] = 1;
    theirs[99] = 2;
    expect([theirs[0], mine[99]]).toEqual([1, 2]);
    const slashed = track(ZooMemory.open(`/${made.name.replace(/^\//, '')}`));
    expect(new Uint8Array(slashed.buffer)[99]).toBe(2);
  });

  it('takes every typed array at its start', () => {
    const memory = track(ZooMemory.create(uniqueName(), 64));
    new Float64Array(memory.buffer)[3] = Math.E;
    expect(new DataView(memory.buffer).getFloat64(24, true)).toBe(Math.E);
    expect(new BigInt64Array(memory.buffer)).toHaveLength(8);
  });

  it('gives the same buffer each time', () => {
    const memory = track(ZooMemory.create(uniqueName(), 64));
    expect(memory.buffer).toBe(memory.buffer);
  });

  it('is shared with other processes, and goes on when its maker dies', async () => {
    const name = uniqueName();
    const peer = await startPeer();
    await peer.run(({ zoosync, state }, segment) => {
      state['memory'] = zoosync.ZooMemory.create(segment, 1000);
      new Uint8Array(state['memory'].buffer).fill(7);
    }, name);
    const memory = track(ZooMemory.open(name));
    const bytes = new Uint8Array(memory.buffer);
    expect(bytes.every((byte) => byte === 7)).toBe(true);
    bytes[5] = 99;
    expect(await peer.run(({ state }) => new Uint8Array(state['memory'].buffer)[5])).toBe(99);
    peer.kill();
    await within(peer.ended);
    expect([bytes[5], bytes[6]]).toEqual([99, 7]);
    expect(thrownBy(() => ZooMemory.create(name, 10)).code).toBe('ERR_ZOO_EXISTS');
    memory.close();
    const anew = track(ZooMemory.create(name, 10));
    expect(anew.byteLength).toBe(10);
    expect(new Uint8Array(anew.buffer).every((byte) => byte === 0)).toBe(true);
  });

  it('keeps its contents when all its users have died', async () => {
    const name = uniqueName();
    const { signal } = await runProgram(
      `const memory = ZooMemory.create(args[0], 1000);
       new Uint8Array(memory.buffer).fill(5);
       process.kill(process.pid, 'SIGKILL');`,
      { args: [name] },
    );
    expect(signal).toBe('SIGKILL');
    const memory = track(ZooMemory.open(name));
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 5)).toBe(true);
  });

  it('is removed when its maker ends, unless it is to persist', async () => {
    for (const persist of [false, true]) {
      const name = uniqueName();
      const { code, stderr } = await runProgram(
        `const memory = ZooMemory.create(args[0], 1000, { persist: ${persist} });
         new Uint8Array(memory.buffer)[0] = 3;`,
        { args: [name] },
      );
      expect(code, stderr).toBe(0);
      expect(existsSync(pathOf(name))).toBe(persist);
      if (!persist) continue;
      const memory = track(ZooMemory.open(name));
      expect(new Uint8Array(memory.buffer)[0]).toBe(3);
    }
  });

  it('is let go by close: what was laid over it has length 0', () => {
    const memory = track(ZooMemory.create(uniqueName(), 100));
    const other = track(ZooMemory.open(memory.name));
    const { buffer } = memory;
    const bytes = new Uint8Array(buffer);
    bytes[0] = 9;
    memory.close();
    memory.close();
    expect([bytes.length, bytes[0], buffer.byteLength]).toEqual([0, undefined, 0]);
    bytes[0] = 1;
    expect(bytes[0]).toBeUndefined();
    expect(new Uint8Array(other.buffer)[0]).toBe(9);
    expect(existsSync(pathOf(memory.name))).toBe(true);
  });

  it('is unlinked by dispose of the handle that made it', () => {
    const made = track(ZooMemory.create(uniqueName(), 100));
    const opened = track(ZooMemory.open(made.name));
    opened[Symbol.dispose]();
    expect(existsSync(pathOf(made.name))).toBe(true);
    made[Symbol.dispose]();
    expect(existsSync(pathOf(made.name))).toBe(false);
    made[Symbol.dispose]();
    const kept = track(ZooMemory.create(uniqueName(), 100, { persist: true }));
    kept[Symbol.dispose]();
    expect(existsSync(pathOf(kept.name))).toBe(true);
  });

  it('can be unlinked by handle and by name', () => {
    const memory = track(ZooMemory.create(uniqueName(), 100));
    expect(memory.unlink()).toBe(true);
    expect(memory.unlink()).toBe(false);
    expect(ZooMemory.unlink(memory.name)).toBe(false);
    new Uint8Array(memory.buffer)[0] = 1;
    const again = track(ZooMemory.create(memory.name, 50));
    expect(memory.unlink()).toBe(false);
    again.close();
    expect(again.unlink()).toBe(true);
    const third = track(ZooMemory.create(uniqueName(), 10));
    expect(ZooMemory.unlink(third.name)).toBe(true);
  });

  it('has the permissions asked for, and its memory set aside unless told otherwise', () => {
    const bytes = 2 * 1024 * 1024;
    const own = track(ZooMemory.create(uniqueName(), bytes));
    expect(statSync(pathOf(own.name)).mode & 0o777).toBe(0o600);
    expect(statSync(pathOf(own.name)).blocks * 512).toBeGreaterThanOrEqual(bytes);
    const lazy = track(ZooMemory.create(uniqueName(), bytes, { mode: 0o640, reserve: false }));
    expect(statSync(pathOf(lazy.name)).mode & 0o777).toBe(0o640);
    expect(statSync(pathOf(lazy.name)).blocks * 512).toBeLessThan(bytes);
    new Uint8Array(lazy.buffer).fill(1);
    expect(new Uint8Array(lazy.buffer)[bytes - 1]).toBe(1);
  });

  it('survives the collection of its handle as long as the buffer is used', async () => {
    const { code, stdout, stderr } = await runProgram(
      `const name = args[0];
       const view = (() => new Uint8Array(ZooMemory.create(name, 1000).buffer))();
       for (let i = 0; i < 20; i += 1) {
         globalThis.gc();
         await new Promise((resolve) => setImmediate(resolve));
         view.fill(i);
       }
       console.log(view[999]);`,
      { args: [uniqueName()], nodeArgs: ['--expose-gc'] },
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '19\n', stderr: '' });
  });
});

describe('a block of memory refuses', () => {
  it('what is absent, there already, or something else', async () => {
    const name = uniqueName();
    expect(await failureOf(() => ZooMemory.open(name))).toMatchObject({
      code: 'ERR_ZOO_NOT_FOUND',
      segment: name,
    });
    const memory = track(ZooMemory.create(name, 10));
    expect(await failureOf(() => ZooMemory.create(name, 10))).toMatchObject({
      code: 'ERR_ZOO_EXISTS',
      segment: name,
    });
    const queue = track(ZooQueue.create(uniqueName()));
    for (const action of [
      () => ZooMemory.open(queue.name),
      () => ZooMemory.create(queue.name, 10),
      () => ZooMemory.unlink(queue.name),
      () => ZooQueue.open(memory.name),
      () => ZooQueue.create(memory.name),
      () => new ZooQueue(memory.name),
      () => ZooQueue.unlink(memory.name),
      () => ZooQueue.waitFor(memory.name),
    ]) {
      expect(await codeOf(action), String(action)).toBe('ERR_ZOO_KIND');
    }
    expect(existsSync(pathOf(queue.name))).toBe(true);
    expect(existsSync(pathOf(memory.name))).toBe(true);
  });

  it('sizes that are none', () => {
    const name = uniqueName();
    for (const [bytes, code] of [
      [0, 'ERR_OUT_OF_RANGE'],
      [-1, 'ERR_OUT_OF_RANGE'],
      [1.5, 'ERR_OUT_OF_RANGE'],
      [Number.NaN, 'ERR_OUT_OF_RANGE'],
      [Number.POSITIVE_INFINITY, 'ERR_OUT_OF_RANGE'],
      ['10000TiB', 'ERR_OUT_OF_RANGE'],
      ['10 apples', 'ERR_INVALID_ARG_VALUE'],
      ['', 'ERR_INVALID_ARG_VALUE'],
      [undefined, 'ERR_INVALID_ARG_TYPE'],
      [null, 'ERR_INVALID_ARG_TYPE'],
      [10n, 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      const failure = thrownBy(() => ZooMemory.create(name, bytes as never));
      expect(failure.code, String(bytes)).toBe(code);
    }
    expect(ZooMemory.unlink(name)).toBe(false);
  });

  it('unknown options, and wrong ones', () => {
    const name = uniqueName();
    for (const [options, code] of [
      [{ size: 10 }, 'ERR_INVALID_ARG_VALUE'],
      [{ prefault: true }, 'ERR_INVALID_ARG_VALUE'],
      [{ mode: 0o1000 }, 'ERR_OUT_OF_RANGE'],
      [{ mode: '600' }, 'ERR_INVALID_ARG_TYPE'],
      [{ reserve: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ persist: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
      [5, 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      const failure = thrownBy(() => ZooMemory.create(name, 10, options as never));
      expect(failure.code, JSON.stringify(options)).toBe(code);
    }
    expect(ZooMemory.unlink(name)).toBe(false);
  });
});

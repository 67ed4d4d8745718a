/**
 * Every call with arguments that make no sense: it answers, or throws an error with a documented
 * code, and leaves the handle as usable as it was.
 */
import { Channel, ZooLock, ZooMemory, ZooPipe, ZooQueue } from 'zoosync';
import fc from 'fast-check';
import { afterAll, describe, it } from 'vitest';
import { expect } from 'vitest';
import { existsSync, rmSync } from 'node:fs';
import { pathOf, track, uniqueName, within } from '../support/index.js';
import { Thrown, anything, effort, expectDocumented } from './support.js';

type AnyFunction = (...args: unknown[]) => unknown;

afterAll(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
});

/** Calls, and closes what came of it. */
async function attempt(what: string, action: () => unknown): Promise<void> {
  let made: unknown;
  try {
    made = await within(Promise.resolve(action()), what);
  } catch (error) {
    expectDocumented(error, what);
    return;
  }
  if (typeof made !== 'object' || made === null) return;
  const handle = made as { close?: () => unknown; unlink?: () => unknown };
  if (made instanceof ZooLock && made.held) made.release();
  if (made instanceof ZooPipe || made instanceof Channel) await made[Symbol.asyncDispose]();
  else if (typeof handle.close === 'function') handle.close();
}

function names(): fc.Arbitrary<() => unknown> {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: fc.constantFrom('.', '/', 'a', '\0', '-', '_', ' ', 'ä', '\n') }),
    fc.constantFrom('x'.repeat(201), '/', '..', '/..', 'a/../b', '\ud800', '%2e%2e'),
  );
  return fc.oneof(
    texts.map((text) => () => text),
    anything(),
  );
}

describe('names', () => {
  const openers: [string, AnyFunction][] = [
    ['new ZooQueue', (name) => new ZooQueue(name as string, { size: 4096 })],
    ['ZooQueue.create', (name) => ZooQueue.create(name as string, { size: 4096 })],
    ['ZooQueue.open', (name) => ZooQueue.open(name as string)],
    ['ZooQueue.unlink', (name) => ZooQueue.unlink(name as string)],
    ['ZooQueue.waitFor', (name) => ZooQueue.waitFor(name as string, { timeout: 0 })],
    ['new ZooLock', (name) => new ZooLock(name as string)],
    ['ZooMemory.create', (name) => ZooMemory.create(name as string, 8)],
    ['ZooMemory.open', (name) => ZooMemory.open(name as string)],
    ['Channel.create', (name) => Channel.create(name as string)],
    ['ZooPipe.create', (name) => ZooPipe.create(name as string)],
  ];
  it.each(openers)('of %s: made under /dev/shm, or refused', async (what, open) => {
    await fc.assert(
      fc.asyncProperty(names(), async (make) => {
        const name = make();
        await attempt(what, () => open(name));
        if (typeof name !== 'string') return;
        const bare = name.startsWith('/') ? name.slice(1) : name;
        if (/^[A-Za-z0-9._-]{1,200}$/.test(bare) && bare !== '.' && bare !== '..') {
          if (existsSync(pathOf(bare))) rmSync(pathOf(bare));
        }
      }),
      effort(60),
    );
  });
});

const optionNames = [
  'size',
  'slots',
  'slotSize',
  'groups',
  'maxDeliveries',
  'mode',
  'reserve',
  'prefault',
  'persist',
  'group',
  'codec',
  'writer',
  'label',
  'bytes',
  'capacity',
  'memoryLimit',
  'chunkSize',
  'as',
  'timeout',
  'signal',
  'siize',
  '__proto__',
  'constructor',
];

/** Options of which some are right, some are wrong, and some no option has. */
function options(): fc.Arbitrary<() => unknown> {
  const entry = fc.tuple(fc.constantFrom(...optionNames), anything());
  return fc.oneof(
    anything(),
    fc.array(entry, { minLength: 1, maxLength: 3 }).map((entries) => () => {
      const made: Record<string, unknown> = {};
      for (const [key, make] of entries) {
        Object.defineProperty(made, key, { value: make(), enumerable: true, configurable: true });
      }
      return made;
    }),
  );
}

/** Sizes that are valid and large would only fill the memory of this machine. */
function isModest(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return true;
  try {
    const { slots, slotSize, size, bytes, memoryLimit } = given as Record<string, unknown>;
    const large = (value: unknown): boolean =>
      (typeof value === 'number' && value > 1e7) ||
      (typeof value === 'string' && /[GT]iB$/.test(value));
    return ![size, bytes, memoryLimit, slotSize, slots].some(large);
  } catch {
    return true;
  }
}

describe('options', () => {
  const openers: [string, (name: string, given: unknown) => unknown][] = [
    ['new ZooQueue', (name, given) => new ZooQueue(name, given as object)],
    ['ZooQueue.create', (name, given) => ZooQueue.create(name, given as object)],
    ['ZooQueue.open', (name, given) => ZooQueue.open(name, given as object)],
    ['new ZooLock', (name, given) => new ZooLock(name, given as object)],
    ['ZooMemory.create', (name, given) => ZooMemory.create(name, 64, given as object)],
    ['ZooMemory.create (bytes)', (name, given) => ZooMemory.create(name, given as number)],
    ['Channel.create', (name, given) => Channel.create(name, given as object)],
    ['ZooPipe.create', (name, given) => ZooPipe.create(name, given as object)],
  ];
  it.each(openers)('of %s', async (what, open) => {
    await fc.assert(
      fc.asyncProperty(options(), async (make) => {
        const given = make();
        const huge =
          (typeof given === 'number' && given > 1e7) ||
          /[GT]iB$/.test(`${typeof given === 'string' ? given : ''}`);
        if (huge || !isModest(given)) return;
        const name = uniqueName('options');
        await attempt(what, () => open(name, given));
        rmSync(pathOf(name), { force: true });
      }),
      effort(60),
    );
  });

  it('that are refused name the option', () => {
    for (const key of ['siize', 'Timeout', 'slotsize']) {
      expect(() => new ZooQueue(uniqueName(), { [key]: 1 } as object)).toThrow(key);
    }
  });
});

describe('calls', () => {
  const queueCalls = [
    'putSync',
    'tryPut',
    'getSync',
    'tryGet',
    'tryPutMany',
    'putManySync',
    'getManySync',
    'tryGetMany',
    'putBytesSync',
    'tryPutBytes',
    'getBytesSync',
    'tryGetBytes',
    'tryPutBytesMany',
    'tryGetBytesMany',
    'recvViewSync',
    'tryRecvView',
    'tryRecvViews',
    'reserveSync',
    'tryReserve',
    'commitRead',
    'rejectRead',
    'commitWrite',
    'abortWrite',
    'tryGetDead',
    'views',
    'stats',
  ] as const;

  /** A timeout keeps calls that block from blocking for ever. */
  const withTimeout = fc.constantFrom<unknown>({ timeout: 0 }, { timeout: 1 });

  it('of a queue', async () => {
    const queue = track(ZooQueue.create(uniqueName(), { size: 65_536 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...queueCalls),
        fc.array(anything(), { minLength: 0, maxLength: 2 }),
        withTimeout,
        async (call, makers, wait) => {
          const args = makers.map((make) => make());
          const method = (queue as unknown as Record<string, AnyFunction>)[call] as AnyFunction;
          const blocks = call.endsWith('Sync');
          const takesNone = /^(getSync|getBytesSync|recvViewSync)$/.test(call);
          const given = blocks ? (takesNone ? [wait] : [args[0], wait]) : args;
          await attempt(`${call}(${given.length})`, () => {
            const made = method.apply(queue, given) as ReturnType<typeof queue.tryReserve>;
            // What comes behind a reservation would wait for it.
            if (/reserve/i.test(call) && made !== undefined) queue.abortWrite(made.cursor);
          });
          for (const view of queue.tryRecvViews(64)) queue.commitRead(view.cursor);
        },
      ),
      effort(700),
    );
    queue.putSync('as usable as before', { timeout: 0 });
    expect(queue.getSync({ timeout: 0 })).toBe('as usable as before');
  });

  it('of waits, with anything as their options', async () => {
    const queue = track(ZooQueue.create(uniqueName(), { size: 65_536 }));
    const lock = new ZooLock(uniqueName());
    track({ close: () => lock.close(), unlink: () => ZooLock.unlink(lock.name) });
    queue.putSync('there');
    const calls: AnyFunction[] = [
      (given) => queue.put(1, given as object),
      (given) => queue.putBytes(new Uint8Array(4), given as object),
      (given) => queue.getSync(given as object),
      (given) => lock.acquire(given as object),
      (given) => lock.acquireSync(given as object),
      (given) => lock.withLock(() => 1, given as object),
      (given) => lock.release(given as object),
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...calls), anything(), async (call, make) => {
        const given = make();
        queue.tryGetBytesMany(100);
        queue.putSync('there');
        if (lock.held) lock.release();
        await attempt(String(call), () => call(given));
      }),
      effort(300),
    );
    if (lock.held) lock.release();
    expect(lock.tryAcquire()).toBeDefined();
    lock.release();
  });

  it('with buffers that are detached, foreign or shared', () => {
    const queue = track(ZooQueue.create(uniqueName(), { size: 65_536 }));
    const detached = new Uint8Array(16);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const view = queue.reserveSync(64);
    const stale = view.view;
    queue.abortWrite(view.cursor);
    const closedMemory = ZooMemory.create(uniqueName(), 64);
    const gone = new Uint8Array(closedMemory.buffer);
    closedMemory[Symbol.dispose]();
    const resizable = new Uint8Array(
      new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(16, {
        maxByteLength: 64,
      }),
    );
    for (const bytes of [
      detached,
      stale,
      gone,
      resizable,
      new Uint8Array(new SharedArrayBuffer(8)),
    ]) {
      for (const put of [
        () => queue.tryPutBytes(bytes),
        () => queue.tryPutBytesMany([bytes, bytes]),
        () => queue.putBytesSync(bytes, { timeout: 1 }),
      ]) {
        try {
          put();
        } catch (error) {
          expectDocumented(error, 'a put of odd bytes');
        }
      }
    }
    for (const bytes of queue.tryGetBytesMany(100)) expect(bytes.length).toBeLessThanOrEqual(64);
  });

  it('that throw because of the caller pass his error on', () => {
    const queue = track(ZooQueue.create(uniqueName()));
    const wait = {
      get timeout(): number {
        throw new Thrown('mine');
      },
    };
    expect(() => queue.getSync(wait)).toThrow(Thrown);
  });
});

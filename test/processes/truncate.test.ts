/**
 * Another process truncates the file of a segment. Without a guard that ends everybody who has it
 * mapped, with SIGBUS; here nobody dies, and whoever uses the segment next is told.
 */
import { rmSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  afterThisTest,
  describeEachStore,
  failureOf,
  pathOf,
  runProgram,
  startPeer,
  startPeers,
  uniqueName,
  until,
  within,
  type Peer,
} from '../support/index.js';
import { untilAsleep } from '../support/waiting.js';

/** A name whose file, damaged as it may be, is removed after the test. */
function doomedName(hint?: string): string {
  const name = uniqueName(hint);
  afterThisTest(() => rmSync(pathOf(name), { force: true }));
  return name;
}

function truncate(name: string, bytes = 0): void {
  truncateSync(pathOf(name), bytes);
}

/** Everything, everything but the header, and the last page. */
const cuts: [string, (bytes: number) => number][] = [
  ['to nothing', () => 0],
  ['to its first page', () => 4096],
  ['by its last page', (bytes) => bytes - 4096],
];

const seed = Number(process.env['ZOO_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Numbers from 0 to 1 (mulberry32, T. Ettinger). */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describeEachStore('a queue whose file is truncated', (store) => {
  for (const [how, cutOf] of cuts) {
    it(`${how}: waits end with ERR_ZOO_CORRUPT, and nobody dies`, async () => {
      const name = doomedName();
      const [awaiting, blocked, viewing] = (await startPeers(3)) as [Peer, Peer, Peer];
      await viewing.run(
        async ({ zoosync, state }, segment, room) => {
          state['queue'] = zoosync.ZooQueue.create(segment, room);
          await state['queue'].putBytes(Buffer.alloc(1000, 7));
          state['view'] = await state['queue'].recvView();
        },
        name,
        store.room(8, 1000),
      );
      for (const peer of [awaiting, blocked]) {
        await peer.run(({ zoosync, state }, segment) => {
          state['queue'] = zoosync.ZooQueue.open(segment);
        }, name);
      }
      const failures = [
        failureOf(awaiting.run(({ state }) => state['queue'].get() as Promise<void>)),
        failureOf(
          blocked.run(({ state, say }) => {
            say('waiting');
            return state['queue'].getSync() as undefined;
          }),
        ),
      ];
      await blocked.heard('waiting');
      await untilAsleep(blocked.pid);
      truncate(name, cutOf(statSync(pathOf(name)).size));
      const begun = Date.now();
      for (const failure of failures) {
        const error = await within(failure, 'a wait to end');
        expect(error.code).toBe('ERR_ZOO_CORRUPT');
        expect(error.message).toMatch(/truncated/);
      }
      expect(Date.now() - begun).toBeLessThan(10_000);
      const seen = await viewing.run(({ state }) => {
        let sum = 0;
        for (const byte of state['view'].view as Uint8Array) sum += byte;
        return sum;
      });
      expect([0, 7000]).toContain(seen);
      // Whoever happens to touch nothing of what is gone learns of it when he looks around.
      await until(
        () =>
          viewing.run(({ state }) => {
            try {
              state['queue'].tryGetBytes();
              return false;
            } catch (error) {
              return (error as { code?: string }).code === 'ERR_ZOO_CORRUPT';
            }
          }),
        'the creator to be told',
      );
      const codes = await viewing.run(({ state }) => {
        const { queue, view } = state;
        return [
          () => queue.tryPutBytes(Buffer.alloc(10)),
          () => queue.tryGetBytesMany(5),
          () => queue.tryReserve(100),
          () => queue.commitRead(view.cursor),
        ].map((action) => {
          try {
            action();
            return 'none';
          } catch (error) {
            return (error as { code?: string }).code;
          }
        });
      });
      expect(new Set(codes)).toEqual(new Set(['ERR_ZOO_CORRUPT']));
      expect((await failureOf(() => openAgain(name))).code).toBe('ERR_ZOO_CORRUPT');
      for (const peer of [awaiting, blocked, viewing]) {
        await peer.run(({ state }) => state['queue'].close() as undefined);
        expect(await peer.leave()).toEqual({ code: 0, signal: null });
        expect(peer.stderr).toBe('');
      }
    });
  }

  it(`is told to all, at any moment of their traffic (seed ${seed})`, async () => {
    const next = random(seed);
    const rounds = Number(process.env['ZOO_TRUNCATIONS'] ?? 30);
    const peers = (await startPeers(2)) as [Peer, Peer];
    const told: Record<string, number> = {};
    for (let round = 0; round < rounds; round += 1) {
      const name = doomedName();
      const [producer, consumer] = peers;
      const room = store.room(8, 3000);
      await producer.run(
        ({ zoosync, state }, segment, given) => {
          state['queue'] = zoosync.ZooQueue.create(segment, given);
        },
        name,
        room,
      );
      await consumer.run(({ zoosync, state }, segment) => {
        state['queue'] = zoosync.ZooQueue.open(segment);
      }, name);
      const kind = round % 3;
      const endings = [
        failureOf(
          producer.run(async ({ state }, how) => {
            const { queue } = state;
            for (let i = 0; ; i += 1) {
              const bytes = Buffer.alloc((i * 997) % 3000, 5);
              if (how === 0) queue.putBytesSync(bytes);
              else if (how === 1) await queue.putBytes(bytes);
              else {
                const view = await queue.reserve(2000);
                view.view.fill(3);
                queue.commitWrite(view.cursor);
              }
            }
          }, kind),
        ),
        failureOf(
          consumer.run(async ({ state }, how) => {
            const { queue } = state;
            for (;;) {
              if (how === 0) queue.getBytesSync();
              else if (how === 1) await queue.getBytes();
              else {
                const view = await queue.recvView();
                queue.commitRead(view.cursor);
              }
            }
          }, kind),
        ),
      ];
      await sleep(next() * 8);
      const bytes = statSync(pathOf(name)).size;
      truncate(name, Math.floor(next() * 1.3 * bytes * (next() < 0.5 ? 0 : 1)) % bytes);
      for (const ending of endings) {
        const { code = 'none', message } = await within(ending, `round ${round}, seed ${seed}`);
        told[code] = (told[code] ?? 0) + 1;
        expect(code, `round ${round}, seed ${seed}: ${message}`).toBe('ERR_ZOO_CORRUPT');
      }
      for (const peer of peers) {
        await peer.run(({ state }) => state['queue'].close() as undefined);
      }
      rmSync(pathOf(name), { force: true });
    }
    expect(told).toEqual({ ERR_ZOO_CORRUPT: 2 * rounds });
    for (const peer of peers) {
      expect(await peer.leave()).toEqual({ code: 0, signal: null });
      expect(peer.stderr).toBe('');
    }
  });
});

async function openAgain(name: string): Promise<void> {
  const { ZooQueue } = await import('zoosync');
  ZooQueue.open(name).close();
}

describe('other kinds whose file is truncated', () => {
  it('a lock: the owner is told when it releases, those who wait at once', async () => {
    const name = doomedName();
    const [owner, awaiting, blocked] = (await startPeers(3)) as [Peer, Peer, Peer];
    for (const peer of [owner, awaiting, blocked]) {
      await peer.run(({ zoosync, state }, segment) => {
        state['lock'] = new zoosync.ZooLock(segment);
      }, name);
    }
    await owner.run(({ state }) => {
      state['lock'].acquireSync();
    });
    const failures = [
      failureOf(awaiting.run(({ state }) => state['lock'].acquire() as Promise<void>)),
      failureOf(
        blocked.run(({ state, say }) => {
          say('waiting');
          state['lock'].acquireSync();
        }),
      ),
    ];
    await blocked.heard('waiting');
    await untilAsleep(blocked.pid);
    truncate(name);
    for (const failure of failures) {
      const error = await within(failure, 'a wait to end');
      expect(error.code).toBe('ERR_ZOO_CORRUPT');
      expect(error.message).toMatch(/truncated/);
    }
    const released = await failureOf(
      owner.run(({ state }) => state['lock'].release() as undefined),
    );
    expect(released.code).toBe('ERR_ZOO_CORRUPT');
    for (const peer of [owner, awaiting, blocked]) {
      await peer.run(({ state }) => state['lock'].close() as undefined);
      expect(await peer.leave()).toEqual({ code: 0, signal: null });
      expect(peer.stderr).toBe('');
    }
  });

  it('a lock beside others: they are handed on when their owner dies', async () => {
    const names = [doomedName('older'), doomedName('truncated'), doomedName('newer')];
    const peer = await startPeer();
    await peer.run(({ zoosync, state }, segments) => {
      state['locks'] = segments.map((name: string) => new zoosync.ZooLock(name));
      for (const lock of state['locks']) lock.acquireSync();
    }, names);
    truncate(names[1] as string);
    await peer.run(({ state }) => void state['locks'][1].owner);
    peer.kill();
    await peer.ended;
    const { ZooLock } = await import('zoosync');
    for (const name of [names[0], names[2]] as [string, string]) {
      const lock = new ZooLock(name);
      afterThisTest(() => lock[Symbol.dispose]());
      expect((await failureOf(() => lock.acquireSync())).code).toBe('ERR_ZOO_LOCK_RECOVERED');
      lock.release();
    }
  });

  it('a memory: its views read zeros, and renew() says why', async () => {
    const name = doomedName();
    const peer = await startPeer();
    await peer.run(({ zoosync, state }, segment) => {
      state['memory'] = zoosync.ZooMemory.create(segment, '1MiB');
      new Uint8Array(state['memory'].buffer).fill(9);
    }, name);
    truncate(name);
    const seen = await peer.run(({ state }) => {
      const bytes = new Uint8Array(state['memory'].buffer);
      const numbers = new Int32Array(state['memory'].buffer);
      bytes[5] = 1;
      return [bytes[0], bytes[5], bytes.at(-1), Atomics.add(numbers, 100, 1), numbers[100]];
    });
    expect(seen).toEqual([0, 1, 0, 0, 1]);
    // What the kernel was asked to read for us is an error, and no signal.
    const written = await peer.run(({ state }) => {
      const { closeSync, openSync, writeSync } = process.getBuiltinModule('node:fs');
      const file = openSync('/dev/null', 'w');
      const bytes = writeSync(file, new Uint8Array(state['memory'].buffer));
      closeSync(file);
      return bytes;
    });
    expect(written).toBe(2 ** 20);
    const renewed = await failureOf(peer.run(({ state }) => state['memory'].renew() as undefined));
    expect(renewed.code).toBe('ERR_ZOO_CORRUPT');
    expect(renewed.message).toMatch(/truncated/);
    await peer.run(({ state }) => state['memory'].close() as undefined);
    expect(await peer.leave()).toEqual({ code: 0, signal: null });
  });

  it('a channel and a pipe: both ends are told', async () => {
    const channelName = doomedName('channel');
    const pipeName = doomedName('pipe');
    const [sender, receiver] = (await startPeers(2)) as [Peer, Peer];
    await sender.run(
      async ({ zoosync, state }, channel, pipe) => {
        state['channel'] = zoosync.Channel.create(channel, { capacity: 4 });
        state['pipe'] = zoosync.ZooPipe.create(pipe, { memoryLimit: '64KiB', as: 'writer' });
      },
      channelName,
      pipeName,
    );
    await receiver.run(
      async ({ zoosync, state }, channel, pipe) => {
        state['channel'] = await zoosync.Channel.open(channel);
        state['pipe'] = await zoosync.ZooPipe.open(pipe);
      },
      channelName,
      pipeName,
    );
    const failures = [
      failureOf(receiver.run(({ state }) => state['channel'].receive() as Promise<void>)),
      failureOf(receiver.run(({ state }) => state['pipe'].read(10) as Promise<void>)),
    ];
    await untilAsleep(receiver.pid);
    truncate(channelName);
    truncate(pipeName);
    failures.push(
      failureOf(sender.run(({ state }) => state['channel'].send('late') as Promise<void>)),
      failureOf(sender.run(({ state }) => state['pipe'].write('late') as Promise<void>)),
    );
    for (const failure of failures) {
      const error = await within(failure, 'an end to be told');
      expect(error.code).toBe('ERR_ZOO_CORRUPT');
      expect(error.message).toMatch(/truncated/);
    }
    for (const peer of [sender, receiver]) {
      await peer.run(async ({ state }) => {
        await state['channel'].close();
        await state['pipe'].close();
      });
      expect(await peer.leave()).toEqual({ code: 0, signal: null });
      expect(peer.stderr).toBe('');
    }
  });

  it('a thread that is hit does not take the others along', async () => {
    const name = doomedName();
    const peer = await startPeer();
    const answer = peer.run(
      async ({ say }, module, segment) => {
        const { Worker } = process.getBuiltinModule('node:worker_threads');
        const source = `
          const { parentPort } = require('node:worker_threads');
          import(${JSON.stringify(module)}).then(async ({ ZooQueue }) => {
            const queue = ZooQueue.create(${JSON.stringify(segment)}, { size: '64KiB' });
            parentPort.postMessage('ready');
            try {
              for (;;) queue.tryPutBytes(Buffer.alloc(100)), queue.tryGetBytes();
            } catch (error) {
              parentPort.postMessage(error.code);
            }
            queue.close();
          });`;
        const worker = new Worker(source, { eval: true });
        const heard: string[] = [];
        worker.on('message', (line: string) => {
          heard.push(line);
          say(line);
        });
        const code = await new Promise((resolve) => worker.once('exit', resolve));
        return { heard, code };
      },
      new URL('../../dist/index.js', import.meta.url).href,
      name,
    );
    await peer.heard('ready');
    truncate(name);
    expect(await within(answer)).toEqual({ heard: ['ready', 'ERR_ZOO_CORRUPT'], code: 0 });
    expect(await peer.leave()).toEqual({ code: 0, signal: null });
  });
});

describe('a program with a handler of its own', () => {
  it('and what Node handles itself stay as they are: traps, reports, the inspector', async () => {
    const name = doomedName();
    const { code, signal, stdout, stderr } = await runProgram(
      `import { truncateSync, openSync, writeSync } from 'node:fs';
       const wasm = new Uint8Array([
         0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1,
         7, 8, 1, 4, 108, 111, 97, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11,
       ]);
       const { instance } = await WebAssembly.instantiate(wasm);
       const trap = () => {
         try {
           return instance.exports.load(2 ** 30);
         } catch (error) {
           return error.constructor.name;
         }
       };
       const memory = ZooMemory.create(args[0], 2 ** 20);
       console.log(trap());
       truncateSync('/dev/shm/' + args[0], 0);
       try {
         writeSync(openSync('/proc/self/comm', 'w'), new Uint8Array(memory.buffer).subarray(0, 5));
       } catch (error) {
         console.log(error.code);
       }
       console.log(new Uint8Array(memory.buffer).at(-1), trap());`,
      { args: [name], nodeArgs: ['--report-on-signal', '--report-on-fatalerror', '--inspect=0'] },
    );
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(stderr).not.toMatch(/SIGBUS|report/);
    expect(stdout.trim().split('\n')).toEqual(['RuntimeError', 'EFAULT', '0 RuntimeError']);
  });

  it('keeps it for what is sent, and is still guarded, when it was there before', async () => {
    const name = doomedName();
    const { code, signal, stdout, stderr } = await runProgram(
      `import { truncateSync } from 'node:fs';
       let heard = 0;
       process.on('SIGBUS', () => (heard += 1));
       const memory = ZooMemory.create(args[0], 8192);
       truncateSync('/dev/shm/' + args[0], 0);
       console.log(new Uint8Array(memory.buffer)[0], heard);
       process.kill(process.pid, 'SIGBUS');
       const timer = setInterval(() => {
         if (heard === 0) return;
         clearInterval(timer);
         console.log(heard);
       }, 5);`,
      { args: [name] },
    );
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(stdout.trim().split('\n')).toEqual(['0 0', '1']);
  });

  it('is guarded again when it takes away one that was installed later', async () => {
    const name = doomedName();
    const { code, signal, stdout, stderr } = await runProgram(
      `import { truncateSync } from 'node:fs';
       const memory = ZooMemory.create(args[0], 8192);
       const listener = () => {};
       process.on('SIGBUS', listener);
       process.off('SIGBUS', listener);
       truncateSync('/dev/shm/' + args[0], 0);
       console.log(new Uint8Array(memory.buffer)[0]);`,
      { args: [name] },
    );
    expect({ code, signal, stdout, stderr }).toEqual({
      code: 0,
      signal: null,
      stdout: '0\n',
      stderr: '',
    });
  });

  it('still dies of a SIGBUS that is not ours', async () => {
    const name = doomedName();
    const { code, signal } = await runProgram(
      `const memory = ZooMemory.create(args[0], 8192);
       process.kill(process.pid, 'SIGBUS');
       setTimeout(() => {}, 20_000);`,
      { args: [name], through: ['sh', '-c', 'ulimit -c 0 && exec "$0" "$@"'] },
    );
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGBUS' });
  });
});

it('a pool whose segments are truncated ends its calls with an error, and can be destroyed', async () => {
  const peer = await startPeer();
  const segments = await peer.run(
    async ({ zoosync, state }, module) => {
      const { readdirSync, readlinkSync } = process.getBuiltinModule('node:fs');
      state['pool'] = new zoosync.ZooPool(new URL(module), { workers: 2, kind: 'process' });
      await state['pool'].ready();
      await state['pool'].run('echo', ['warm']);
      // Their names are gone as soon as the workers have them open.
      return readdirSync('/proc/self/fd').flatMap((descriptor) => {
        try {
          const isSegment = /^\/dev\/shm\/[^/]+ \(deleted\)$/.test(
            readlinkSync(`/proc/self/fd/${descriptor}`),
          );
          return isSegment ? [`/proc/${process.pid}/fd/${descriptor}`] : [];
        } catch {
          return []; // the descriptor of the list itself
        }
      });
    },
    new URL('../fixtures/pool-tasks.js', import.meta.url).href,
  );
  expect(segments.length).toBeGreaterThan(0);
  for (const segment of segments) truncateSync(segment, 0);
  const answers = await within(
    peer.run(async ({ state }) => {
      const answers: unknown[] = [];
      for (let i = 0; i < 4; i += 1) {
        try {
          answers.push(await state['pool'].run('echo', ['again']));
        } catch (error) {
          answers.push((error as { code?: string }).code ?? String(error));
        }
      }
      await state['pool'].destroy();
      return answers;
    }),
    'the pool to answer',
  );
  // The workers that were hit are replaced; a call that was under way may be told.
  for (const answer of answers) expect(answer).toMatch(/^(again|ERR_ZOO_\w+)$/);
  expect(await peer.leave()).toEqual({ code: 0, signal: null });
});

/**
 * Random operations on channels and pipes, with aborts and timeouts at any moment, against what
 * they have to be: a line in which everything that went in comes out once, whole and in order.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Channel, ZooPipe } from 'zoosync';
import { turns, uniqueName, within } from '../support/index.js';
import { disposeAfter } from './conformance-sources.js';

type Step =
  | { do: 'send' | 'receive'; give: 'up at once' | 'up later' | 'never up' }
  | { do: 'trySend' | 'tryReceive' | 'loop' | 'turn' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('send' as const, 'receive' as const),
      give: fc.constantFrom('up at once' as const, 'up later' as const, 'never up' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'trySend' as const,
        'tryReceive' as const,
        'loop' as const,
        'turn' as const,
      ),
    }),
  },
);

/** Plays `steps` on a channel and checks that nothing was lost, doubled or reordered. */
async function play(
  writer: Channel<number>,
  reader: Channel<number>,
  steps: readonly Step[],
): Promise<void> {
  const accepted: number[] = [];
  const received: number[] = [];
  const pending: Promise<unknown>[] = [];
  const later: AbortController[] = [];
  let next = 0;

  const signalFor = (give: string): AbortSignal => {
    const controller = new AbortController();
    if (give === 'up at once') queueMicrotask(() => controller.abort());
    if (give === 'up later') later.push(controller);
    return controller.signal;
  };
  const send = async (value: number, signal: AbortSignal): Promise<void> => {
    await writer.send(value, { signal });
    accepted.push(value);
  };
  const receive = async (signal: AbortSignal): Promise<void> => {
    received.push(await reader.receive({ signal }));
  };
  const loop = async (): Promise<void> => {
    for await (const value of reader) {
      received.push(value);
      break;
    }
  };

  for (const one of steps) {
    if (one.do === 'send') {
      next += 1;
      pending.push(send(next, signalFor(one.give)).catch(expectAbort));
    } else if (one.do === 'receive') {
      pending.push(receive(signalFor(one.give)).catch(expectAbort));
    } else if (one.do === 'trySend') {
      next += 1;
      if (writer.trySend(next)) accepted.push(next);
    } else if (one.do === 'tryReceive') {
      const value = reader.tryReceive();
      if (value !== undefined) received.push(value);
    } else if (one.do === 'loop') {
      pending.push(loop());
    } else {
      await turns(1);
    }
  }
  for (const controller of later) controller.abort();
  await turns(2);
  // Whoever still waits for room gets it, and whoever waits for a message gets the end.
  const rest = (async () => {
    for await (const value of reader) received.push(value);
  })();
  const closing = (async () => {
    for (let turn = 0; turn < 100 && writer.stats().depth > 0; turn += 1) await turns(1);
    await writer.close();
  })();
  await within(Promise.all([closing, rest, ...pending.map((one) => one.catch(expectEnd))]));
  expect(received).toHaveLength(accepted.length);
  expect(received.toSorted((one, other) => one - other)).toEqual(
    accepted.toSorted((one, other) => one - other),
  );
}

function expectAbort(error: Error & { code?: string }): void {
  expect(['ABORT_ERR', 'ERR_ZOO_ENDED']).toContain(error.code);
}

function expectEnd(error: Error & { code?: string }): void {
  expect(error.code).toBe('ERR_ZOO_ENDED');
}

describe.each(['local', 'shared'])('a %s channel', (kind) => {
  it('loses, doubles and invents nothing, whoever gives up when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(1, 3),
        async (steps, capacity, prefetch) => {
          if (kind === 'local') {
            const channel = Channel.local<number>(capacity);
            await play(channel, channel, steps);
            await channel[Symbol.asyncDispose]();
            return;
          }
          const writer = disposeAfter(
            Channel.create<number>(uniqueName('channel'), { bytes: '16KiB', capacity }),
          );
          const reader = disposeAfter(await Channel.open<number>(writer.name, { prefetch }));
          await play(writer, reader, steps);
          await reader[Symbol.asyncDispose]();
          await writer[Symbol.asyncDispose]();
        },
      ),
      { numRuns: kind === 'local' ? 200 : 60 },
    );
  });

  it('keeps the order of one sender for one receiver', async () => {
    const writer = disposeAfter(
      kind === 'local'
        ? Channel.local<number>(3)
        : Channel.create<number>(uniqueName('channel'), { bytes: '16KiB', capacity: 3 }),
    );
    const sending = Array.from({ length: 200 }, (_, value) => writer.send(value));
    const receiving = Array.from({ length: 100 }, () => writer.receive());
    const first = await within(Promise.all(receiving));
    void Promise.all(sending).then(() => writer.close());
    const rest = await within(writer.toArray());
    expect([...first, ...rest]).toEqual(Array.from({ length: 200 }, (_, value) => value));
  });
});

/** Bytes that tell where they belong. */
function sample(length: number, offset: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (offset + index) % 251);
}

const bytes = fc.oneof(
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 0, max: 5000 }),
  fc.constantFrom(1023, 1024, 1025, 4096, 40_000),
);

describe('a pipe', () => {
  it('gives any reads the bytes of any writes, also when reads give up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(bytes, { maxLength: 12 }),
        fc.array(
          fc.record({ bytes: fc.option(fc.integer({ min: 1, max: 6000 })), give: fc.boolean() }),
          { minLength: 1, maxLength: 6 },
        ),
        fc.constantFrom('1KiB', '4KiB', '64KiB'),
        async (writes, reads, chunkSize) => {
          const writer = disposeAfter(
            ZooPipe.create(uniqueName('pipe'), { memoryLimit: '64KiB', chunkSize }),
          );
          const reader = disposeAfter(await ZooPipe.open(writer.name));
          const total = writes.reduce((sum, length) => sum + length, 0);
          const writing = (async () => {
            let offset = 0;
            for (const length of writes) {
              await writer.write(sample(length, offset));
              offset += length;
            }
            return writer.end();
          })();
          let received = 0;
          for (let turn = 0; ; turn += 1) {
            const { bytes: wanted, give } = reads[turn % reads.length]!;
            const controller = new AbortController();
            if (give) setImmediate(() => controller.abort());
            // What gives up every time would never get on.
            const wait = give && turn < 50 ? { signal: controller.signal } : {};
            const chunk = await within(
              wanted === null ? reader.read(undefined, wait) : reader.read(wanted, wait),
            ).catch((error: Error & { code?: string }) => {
              expect(error.code).toBe('ABORT_ERR');
              return undefined;
            });
            if (chunk === null) break;
            if (chunk === undefined) continue;
            if (wanted !== null && chunk.length < wanted) {
              expect(received + chunk.length).toBe(total);
            }
            if (!Buffer.from(chunk).equals(sample(chunk.length, received))) {
              throw new Error(`wrong bytes at ${received}`);
            }
            received += chunk.length;
          }
          expect(received).toBe(total);
          expect(await within(writing)).toBe(total);
          await reader[Symbol.asyncDispose]();
          await writer[Symbol.asyncDispose]();
        },
      ),
      { numRuns: 60 },
    );
  });
});

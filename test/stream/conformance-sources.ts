/**
 * What a stream can come from, each behind one interface: the conformance suite runs over all of
 * them. Every source gives the numbers from 0 on, and counts how many it gave.
 */
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { Channel, Stream, ZooPipe, type ZooError } from 'zoosync';
import { expect } from 'vitest';
import { afterThisTest, failureOf, uniqueName, until, within } from '../support/index.js';

/** What happens after the last number. `idle`: nothing, whoever wants more waits. */
export type Ending = 'end' | 'error' | 'idle';

export interface OpenedSource {
  readonly stream: Stream<number>;
  /** How many numbers the source has given up so far, taken or on the way. */
  given(): number;
  /** Checks what has to be true of the source once its reader has left in the middle. */
  expectLetGo(): Promise<void>;
  /** Only where what was not read stays for the next reader: the next number. */
  next?: () => Promise<number>;
}

export interface SourceKind {
  readonly name: string;
  readonly endings: readonly Ending[];
  /** Numbers that may be on the way between the source and the stream. */
  readonly readAhead: number;
  /** Numbers that an operator may take, and have acknowledged, at once; left out: one. */
  readonly prefetch?: number;
  open(count: number, ending: Ending): Promise<OpenedSource>;
}

/** What a source that fails fails with. */
export function sourceError(): Error {
  return new RangeError('the source broke');
}

/** Disposes `handle` after the test. */
export function disposeAfter<H extends AsyncDisposable>(handle: H): H {
  afterThisTest(() => handle[Symbol.asyncDispose]());
  return handle;
}

/** The kind of failure that a writer meets when its reader has gone. */
const readerGone = ['ERR_ZOO_ENDED', 'ERR_ZOO_CLOSED'];

interface Feeder {
  given: number;
  error: ZooError | undefined;
}

/** Sends numbers in the background, as a producer does. */
function feed(
  count: number,
  ending: Ending,
  send: (value: number) => Promise<void>,
  finish: (error?: unknown) => Promise<unknown>,
): Feeder {
  const feeder: Feeder = { given: 0, error: undefined };
  const run = async (): Promise<void> => {
    while (feeder.given < count) {
      await send(feeder.given);
      feeder.given += 1;
    }
    if (ending === 'end') await finish();
    if (ending === 'error') await finish(sourceError());
  };
  run().catch((error: ZooError) => {
    feeder.error = error;
  });
  return feeder;
}

function fromChannel(
  writer: Channel<number>,
  reader: Channel<number>,
  count: number,
  ending: Ending,
): OpenedSource {
  const feeder = feed(
    count,
    ending,
    (value) => writer.send(value),
    (error) => (error === undefined ? writer.close() : writer.close(error)),
  );
  return {
    stream: reader,
    given: () => feeder.given,
    next: () => reader.receive(),
    // The channel belongs to all of its readers: who leaves takes nothing along and closes nothing.
    async expectLetGo() {
      expect(reader.closed).toBe(false);
      if (ending !== 'idle') return;
      await until(
        () => feeder.given === count || writer.stats().depth > 0,
        'what is still to come',
      );
      if (writer.stats().depth === 0) await writer.send(count);
      expect(await within(reader.receive(), 'a number after the first reader left')).toBeTypeOf(
        'number',
      );
    },
  };
}

export const localChannel: SourceKind = {
  name: 'local channel',
  endings: ['end', 'error', 'idle'],
  readAhead: 3,
  async open(count, ending) {
    const channel = disposeAfter(Channel.local<number>(2));
    return fromChannel(channel, channel, count, ending);
  },
};

function sharedChannelWith(name: string, prefetch: number, readAhead: number): SourceKind {
  return {
    name,
    endings: ['end', 'error', 'idle'],
    readAhead,
    prefetch,
    async open(count, ending) {
      const writer = disposeAfter(
        Channel.create<number>(uniqueName('channel'), { bytes: '16KiB', capacity: 2 }),
      );
      const reader = disposeAfter(await Channel.open<number>(writer.name, { prefetch }));
      return fromChannel(writer, reader, count, ending);
    },
  };
}

export const sharedChannel = sharedChannelWith('shared channel', 1, 3);
export const prefetchingChannel = sharedChannelWith('shared channel, prefetch 8', 8, 5);

/** Bytes of one number in a pipe: big enough that few fit. */
const numberBytes = 1024;

export const pipe: SourceKind = {
  name: 'pipe',
  endings: ['end', 'error', 'idle'],
  readAhead: 20,
  async open(count, ending) {
    const writer = disposeAfter(
      ZooPipe.create(uniqueName('pipe'), { memoryLimit: '8KiB', chunkSize: numberBytes }),
    );
    const reader = disposeAfter(await ZooPipe.open(writer.name));
    const write = async (value: number): Promise<void> => {
      const bytes = new Uint8Array(numberBytes);
      new DataView(bytes.buffer).setUint32(0, value);
      await writer.write(bytes);
    };
    const feeder = feed(count, ending, write, (error) => writer.close(error));
    return {
      stream: reader
        .chunks(numberBytes)
        .map((bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)),
      given: () => feeder.given,
      // A pipe has one reader: when it leaves, the writer has to learn it.
      async expectLetGo() {
        if (ending !== 'idle') return;
        const failure =
          feeder.given < count
            ? await until(() => feeder.error, 'the writer to learn that its reader has gone')
            : await within(failureOf(untilRefused(() => write(0))), 'a refused write');
        expect(readerGone).toContain(failure.code);
      },
    };
  },
};

/** Repeats `write` until it rejects. */
async function untilRefused(write: () => Promise<void>): Promise<never> {
  for (;;) await write();
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

export const array: SourceKind = {
  name: 'array',
  endings: ['end'],
  readAhead: Infinity,
  async open(count) {
    return {
      stream: Stream.from(numbers(count)),
      given: () => 0,
      expectLetGo: async () => undefined,
    };
  },
};

export const generator: SourceKind = {
  name: 'generator',
  endings: ['end', 'error'],
  readAhead: 64,
  async open(count, ending) {
    let given = 0;
    let left = 0;
    function* source(): Generator<number> {
      try {
        while (given < count) {
          given += 1;
          yield given - 1;
        }
        if (ending === 'error') throw sourceError();
      } finally {
        left += 1;
      }
    }
    return {
      stream: Stream.from(source()),
      given: () => given,
      async expectLetGo() {
        await until(() => left === 1, 'the finally block of the generator');
      },
    };
  },
};

export const asyncGenerator: SourceKind = {
  name: 'async generator',
  endings: ['end', 'error', 'idle'],
  readAhead: 0,
  async open(count, ending) {
    let given = 0;
    let left = 0;
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    async function* source(): AsyncGenerator<number> {
      try {
        while (given < count) {
          given += 1;
          yield given - 1;
        }
        if (ending === 'error') throw sourceError();
        if (ending === 'idle') await woken;
      } finally {
        left += 1;
      }
    }
    return {
      stream: Stream.from(source()),
      given: () => given,
      // A generator that waits cannot be woken from outside; its finally block runs when it wakes.
      async expectLetGo() {
        wake();
        await until(() => left === 1, 'the finally block of the generator');
      },
    };
  },
};

export const nodeReadable: SourceKind = {
  name: 'Node Readable',
  endings: ['end', 'error', 'idle'],
  readAhead: 3,
  async open(count, ending) {
    let given = 0;
    const readable = new Readable({
      objectMode: true,
      highWaterMark: 1,
      read() {
        if (given < count) {
          given += 1;
          this.push(given - 1);
        } else if (ending === 'end') {
          this.push(null);
        } else if (ending === 'error') {
          this.destroy(sourceError());
        }
      },
    });
    return {
      stream: Stream.from<number>(readable),
      given: () => given,
      async expectLetGo() {
        await until(() => readable.destroyed, 'the Readable to be destroyed');
      },
    };
  },
};

export const webStream: SourceKind = {
  name: 'Web stream',
  endings: ['end', 'error', 'idle'],
  readAhead: 2,
  async open(count, ending) {
    let given = 0;
    let finished = false;
    const web = new ReadableStream<number>({
      pull(controller) {
        if (given < count) {
          given += 1;
          controller.enqueue(given - 1);
        } else if (ending === 'end') {
          finished = true;
          controller.close();
        } else if (ending === 'error') {
          finished = true;
          controller.error(sourceError());
        }
      },
      cancel() {
        finished = true;
      },
    });
    return {
      stream: Stream.from<number>(web),
      given: () => given,
      async expectLetGo() {
        await until(() => finished, 'the Web stream to be cancelled');
      },
    };
  },
};

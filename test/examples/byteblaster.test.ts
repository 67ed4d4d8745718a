/** The examples of ByteBlaster's guide: files from a feed of segments, by callback and iterator. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Broadcast, Channel, Stream, assemble, segments } from 'zoosync';
import { afterThisTest, failureOf, turns, within } from '../support/index.js';
import { kinds, makeChannel } from './channels.js';

interface File {
  id: string;
  bytes: Uint8Array;
}

const file = (id: string, length = 10): File => ({
  id,
  bytes: Buffer.alloc(length, id.charCodeAt(0)),
});

/** Segments of all files, one of each in turn, as a satellite would send them. */
async function interleaved(files: readonly File[], size: number) {
  const lists = await Promise.all(
    files.map((one) => Stream.from([one]).through(segments(size)).toArray()),
  );
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) =>
    lists.flatMap((list) => list.slice(index, index + 1)),
  ).flat();
}

const idsOf = (files: readonly { id: unknown }[]): string[] => files.map(({ id }) => String(id));

describe.each(kinds)('files and segments: %s', (kind) => {
  it('by iterator and by callback at once, from interleaved segments', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'zoosync-weather-'));
    afterThisTest(() => rmSync(folder, { recursive: true, force: true }));
    const files = [file('ALERT01.TXT', 5_000), file('FILLFILE.TXT', 900), file('RADAR.GIF', 3_000)];
    type Segment = Awaited<ReturnType<typeof interleaved>>[number];
    const blocks = makeChannel<Segment>(kind, 8);

    // Everybody gets every segment: one reader looks at them, the other makes files of them.
    const feed = new Broadcast(blocks);
    const looking = feed
      .stream({ buffer: 4 })
      .filter(({ id }) => id !== 'FILLFILE.TXT')
      .map(({ id, index, count }) => `${id} ${index + 1}/${count}`)
      .toArray();
    const completed = new Broadcast(
      feed
        .stream({ buffer: 4 })
        .filter(({ id }) => id !== 'FILLFILE.TXT')
        .through(assemble()),
    );
    const saving = completed.subscribe(({ id, bytes }) => {
      writeFileSync(path.join(folder, String(id)), bytes);
    });
    const iterating = completed.stream({ buffer: 2 }).toArray();
    const runs = [completed.run(), feed.run()];

    const source = await interleaved(files, 1_000);
    for (const segment of source) {
      await blocks.send(segment);
      await blocks.send(segment); // the feed repeats itself
    }
    await blocks.close();
    await Promise.all(runs);

    expect(await saving).toBe(2);
    expect(readdirSync(folder).toSorted()).toEqual(['ALERT01.TXT', 'RADAR.GIF']);
    for (const { id, bytes } of files.filter(({ id }) => id !== 'FILLFILE.TXT')) {
      expect(readFileSync(path.join(folder, id)).equals(bytes)).toBe(true);
    }
    expect(idsOf(await iterating).toSorted()).toEqual(['ALERT01.TXT', 'RADAR.GIF']);
    expect(await looking).toContain('RADAR.GIF 3/3');
  });

  it('concurrent processing: each consumer sees every file', async () => {
    const arriving = makeChannel<File>(kind, 4);
    const files = new Broadcast(arriving);
    const texts = files
      .stream({ buffer: 2 })
      .filter(({ id }) => id.endsWith('.TXT'))
      .toArray();
    const images = files
      .stream({ buffer: 2 })
      .filter(({ id }) => /\.(png|jpg|gif)$/i.test(id))
      .toArray();
    const sizes = files.stream({ buffer: 2 }).reduce((sum, { bytes }) => sum + bytes.length, 0);
    const run = files.run();

    for (const id of ['A.TXT', 'B.GIF', 'C.TXT', 'D.BIN']) await arriving.send(file(id));
    await arriving.close();
    await run;

    expect(idsOf(await texts)).toEqual(['A.TXT', 'C.TXT']);
    expect(idsOf(await images)).toEqual(['B.GIF']);
    expect(await sizes).toBe(40);
  });

  it('batches of five alerts, and the last ones are not forgotten', async () => {
    const arriving = makeChannel<File>(kind, 4);
    const notified: string[] = [];
    const batches = arriving
      .filter(({ id }) => id.includes('ALERT'))
      .batch(5)
      .map(async (alerts) => {
        const told = await Promise.allSettled(
          alerts.map(async ({ id }) => {
            if (id === 'ALERT3') throw new Error('no answer');
            notified.push(id);
          }),
        );
        return told.length;
      })
      .toArray();
    for (let index = 0; index < 12; index += 1) {
      await arriving.send(file(`ALERT${index}`));
      await arriving.send(file(`report${index}`));
    }
    await arriving.close();

    expect(await batches).toEqual([5, 5, 2]);
    expect(notified).toHaveLength(11);
  });

  it('a short batch does not wait for a fifth alert for ever', async () => {
    const arriving = makeChannel<File>(kind, 4);
    const batches = arriving.batch(5, { ms: 10 })[Symbol.asyncIterator]();
    await arriving.send(file('ALERT1'));
    await arriving.send(file('ALERT2'));

    // Both at once, or one after the other on a slow machine; but they come.
    const seen: string[] = [];
    while (seen.length < 2) {
      const { value } = await within(batches.next(), 'a batch that is not full');
      seen.push(...idsOf(value as File[]));
    }
    expect(seen).toEqual(['ALERT1', 'ALERT2']);
    await batches.return?.();
  });

  it('priority: urgent files first, whenever there is a choice', async () => {
    const urgent = makeChannel<File>(kind, 50);
    const normal = makeChannel<File>(kind, 200);
    const isUrgent = ({ id }: File): boolean => /ALERT|WARNING|URGENT/.test(id);
    for (const id of ['report1', 'ALERT1', 'report2', 'WARNING1', 'report3', 'URGENT1']) {
      const one = file(id);
      await (isUrgent(one) ? urgent : normal).send(one);
    }
    await urgent.close();
    await normal.close();

    const order = idsOf(await Stream.priority(urgent, normal).toArray());
    expect(order).toEqual(['ALERT1', 'WARNING1', 'URGENT1', 'report1', 'report2', 'report3']);
  });

  it('errors: one bad file does not end the loop', async () => {
    const arriving = makeChannel<File>(kind, 8);
    for (const id of ['good1', 'bad', 'good2']) await arriving.send(file(id));
    await arriving.close();

    const saved: string[] = [];
    const failed: string[] = [];
    for await (const one of arriving) {
      try {
        if (one.id === 'bad') throw new Error('cannot process');
        saved.push(one.id);
      } catch {
        failed.push(one.id);
      }
    }
    expect({ saved, failed }).toEqual({ saved: ['good1', 'good2'], failed: ['bad'] });
  });

  it('cancellation: a loop that waits for the next file ends at once', async () => {
    const arriving = makeChannel<File>(kind, 8);
    const stop = new AbortController();
    const seen: string[] = [];
    const looping = (async () => {
      for await (const { id } of arriving.with({ signal: stop.signal })) seen.push(id);
    })();
    await arriving.send(file('first'));
    await within(
      (async () => {
        while (seen.length === 0) await turns(1);
      })(),
      'the first file',
    );
    const reason = new Error('shutting down');
    stop.abort(reason);

    const failure = await within(failureOf(looping), 'the end of the loop');
    expect(failure.code).toBe('ABORT_ERR');
    expect(failure.cause).toBe(reason);
    // Nothing was lost, and the channel is as usable as before.
    await arriving.send(file('second'));
    expect((await arriving.receive()).id).toBe('second');
  });

  it('lifecycle: closing the feed ends every loop, also one that waits', async () => {
    const arriving = makeChannel<File>(kind, 8);
    const files = new Broadcast(arriving);
    const loops = [files.stream().toArray(), files.stream().toArray()];
    const callback = files.subscribe(() => {});
    const run = files.run();
    await arriving.send(file('only'));
    await arriving.close();

    await within(Promise.resolve(run), 'the broadcast');
    expect((await Promise.all(loops)).map((list) => idsOf(list))).toEqual([['only'], ['only']]);
    expect(await callback).toBe(1);
  });
});

describe('one source, several consumers', () => {
  it('backpressure: a slow consumer holds the source back, not more than its buffer', async () => {
    let made = 0;
    const files = new Broadcast(
      Stream.range(0, 100).map((index) => {
        made += 1;
        return index;
      }),
    );
    const slow = files.stream({ buffer: 10 });
    const run = files.run();
    const iterator = slow[Symbol.asyncIterator]();
    await within(iterator.next(), 'the first file');
    await turns(50);

    // What is in the buffer, and a batch on its way; by far not all of them.
    expect(made).toBeLessThan(100);
    await iterator.return?.();
    await run.cancel();
    await failureOf(Promise.resolve(run));
  });

  it('error isolation: a callback that throws stops only itself', async () => {
    const files = new Broadcast([file('a'), file('b'), file('c')]);
    const validated: string[] = [];
    const saving = files.subscribe(({ id }) => {
      if (id === 'b') throw new Error('disk full');
    });
    const validating = files.subscribe(({ id }) => {
      validated.push(id);
    });
    const iterating = files.stream({ buffer: 1 }).toArray();
    const failed = failureOf(Promise.resolve(saving));

    await files.run();
    expect((await failed).message).toBe('disk full');
    expect(await validating).toBe(3);
    expect(validated).toEqual(['a', 'b', 'c']);
    expect(await iterating).toHaveLength(3);
  });

  it('a full queue that drops says how much: newest or oldest, as one wishes', async () => {
    const numbers = new Broadcast(Stream.range(0, 20));
    const newest = numbers.stream({ buffer: 3, whenFull: 'drop-oldest' });
    const oldest = numbers.stream({ buffer: 3, whenFull: 'drop-newest' });
    await numbers.run();

    expect(await newest.toArray()).toEqual([17, 18, 19]);
    expect(await oldest.toArray()).toEqual([0, 1, 2]);
  });

  it('migration: on a bare channel two subscribers share, on a broadcast each gets all', async () => {
    const shared = Channel.local<number>(10);
    const counts = [0, 0];
    const runs = counts.map((_, index) =>
      shared.subscribe(() => {
        counts[index] = (counts[index] ?? 0) + 1;
      }),
    );
    for (let index = 0; index < 10; index += 1) await shared.send(index);
    await shared.close();
    await Promise.all(runs);
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(10);

    const all = new Broadcast(Stream.range(0, 10));
    const each = [all.subscribe(() => {}), all.subscribe(() => {})];
    await all.run();
    expect(await Promise.all(each)).toEqual([10, 10]);
  });
});

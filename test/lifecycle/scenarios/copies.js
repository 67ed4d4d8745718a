/** Several copies of the package in one process, and contexts of their own. */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { check, load } from '../context.js';
import { scenariosOf } from '../scenario.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** @param {string} folder @param {boolean} sharesAddon @returns {Promise<import('../context.js').ZooSync>} */
async function loadCopy(folder, sharesAddon) {
  cpSync(`${root}/dist`, `${folder}/dist`, { recursive: true });
  symlinkSync(`${root}/node_modules`, `${folder}/node_modules`);
  cpSync(`${root}/package.json`, `${folder}/package.json`);
  const addon = 'build/Release/zoosync.node';
  if (sharesAddon) symlinkSync(`${root}/build`, `${folder}/build`);
  else cpSync(`${root}/${addon}`, `${folder}/${addon}`);
  return import(pathToFileURL(`${folder}/dist/index.js`).href);
}

/** @param {import('../context.js').Context} t @param {boolean} sharesAddon */
async function useTwoCopies(t, sharesAddon) {
  const folder = mkdtempSync(`${tmpdir()}/zoo-lifecycle-`);
  try {
    const copies = [await load(), await loadCopy(folder, sharesAddon)];
    const [first, second] = copies.map(
      ({ ZooQueue }) => new ZooQueue(t.name('queue'), { writer: true }),
    );
    const [here, there] = copies.map(({ ZooQueue }, which) =>
      ZooQueue.create(t.name(`empty${which}`), { size: '64KiB' }),
    );
    if (!first || !second || !here || !there) throw new Error('two copies');
    // Wakes reach the copy that waits.
    for (let i = 0; i < 50; i += 1) {
      const waiting = [here.get(), there.get()];
      const started = performance.now();
      setImmediate(() => {
        there.putSync({ there: i });
        here.putSync({ here: i });
      });
      const values = await Promise.all(waiting);
      check(JSON.stringify(values) === `[{"here":${i}},{"there":${i}}]`, JSON.stringify(values));
      if (i > 0) check(performance.now() - started < 5000, 'a wake came late');
    }
    // Values and bytes of one copy are not those of the other.
    for (let i = 0; i < 50; i += 1) {
      const text = String(i).repeat(100);
      first.putSync(text);
      second.putBytesSync(Buffer.from([0xc0, i]));
      check(second.getSync() === text, 'another value came');
      check(first.getBytesSync()[1] === i, 'other bytes came');
    }
    for (const one of [first, second, here, there]) one[Symbol.dispose]();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const scenarios = scenariosOf([
  { name: 'two copies with an addon each', run: (t) => useTwoCopies(t, false) },
  { name: 'two copies with one addon', run: (t) => useTwoCopies(t, true) },
  {
    name: 'a wait of one copy keeps the process alive when the other has none',
    exits: true,
    async run(t) {
      const folder = mkdtempSync(`${tmpdir()}/zoo-lifecycle-`);
      const copy = await loadCopy(folder, true);
      process.on('exit', () => rmSync(folder, { recursive: true }));
      const { ZooQueue } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      const other = copy.ZooQueue.create(t.name('other'), { size: '64KiB' });
      let over = false;
      queue.get({ timeout: 80 }).catch(() => (over = true));
      other.get({ timeout: 10 }).catch(() => undefined);
      process.on('exit', () => check(over, 'the process ended before its wait'));
    },
  },
  {
    name: 'import and require() give the same package',
    async run(t) {
      const zoo = await load();
      const require = createRequire(import.meta.url);
      check(require('../../../dist/index.js').ZooQueue === zoo.ZooQueue, 'there are two');
      const queue = zoo.ZooQueue.create(t.name('queue'), { size: '64KiB' });
      queue[Symbol.dispose]();
    },
  },
  {
    name: 'values and functions of another context',
    async run(t) {
      const { ZooQueue, ZooLock, Stream } = await load();
      const queue = ZooQueue.create(t.name('queue'), { size: '64KiB' });
      const lock = new ZooLock(t.name('lock'));
      const context = createContext({ queue, lock, Stream, Buffer });
      const program = `(async () => {
        queue.putBytesSync(new Uint8Array([1, 2, 3]));
        const bytes = await queue.getBytes();
        await queue.put({ map: new Map([[1, { two: 2 }]]), list: [1, 2], date: new Date(5) });
        const value = await queue.get();
        let failure;
        try { queue.putBytesSync('text'); } catch (error) { failure = error.code; }
        const sum = await lock.withLock(async () => 1 + 1);
        const streamed = await Stream.from([1, 2]).map((x) => x * 2).toArray();
        return [bytes.length, value.map.get(1).two, value.date.getTime(), failure, sum, streamed].join();
      })()`;
      const answer = await runInContext(program, context);
      check(answer === '3,2,5,ERR_INVALID_ARG_TYPE,2,2,4', answer);
      for (const one of [queue, lock]) one[Symbol.dispose]();
    },
  },
]);

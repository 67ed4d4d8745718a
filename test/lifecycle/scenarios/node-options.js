/** Options of Node that change what a native addon may do, or how JavaScript runs. */
import { check, failureOf, load } from '../context.js';
import { openEverything, startPool, waitEverywhere } from '../everything.js';
import { scenariosOf } from '../scenario.js';

/** @param {import('../context.js').Context} t */
async function useAll(t) {
  const waits = await waitEverywhere(t);
  const everything = await openEverything(t);
  await waits.close();
  await everything.close();
}

/** @param {import('../context.js').Context} t */
async function refused(t) {
  const { ZooQueue, ZooLock, ZooMemory, ZooPool, Channel, ZooPipe } = await load();
  const uses = [
    () => ZooQueue.create(t.name('queue')),
    () => ZooQueue.open(t.name('queue')),
    () => new ZooLock(t.name('lock')),
    () => ZooMemory.create(t.name('memory'), 64),
    () => ZooQueue.unlink(t.name('queue')),
    () => Channel.create(t.name('channel')),
    () => ZooPipe.create(t.name('pipe')),
    () => new ZooPool(new URL('../tasks.js', import.meta.url)).run('add', [1, 2]),
  ];
  for (const use of uses) {
    const error = await failureOf(use);
    const { code } = error.code === 'ERR_ZOO_POOL_BROKEN' ? error.cause : error;
    check(code === 'ERR_ZOO_PLATFORM', `${use}: ${error.stack}`);
    check(error.message.includes('--allow-addons'), error.message);
  }
}

/** @param {number} major */
const permission = (major) => (major < 24 ? '--experimental-permission' : '--permission');
const everyFile = [
  '--allow-fs-read=*',
  '--allow-fs-write=*',
  '--allow-worker',
  '--allow-child-process',
];
/** What Node itself says about options that are new. */
const warnings = /^((\(node:\d+\)|\(Use `node|Warning: disabling flag) [^\n]*\n)*$/;

export const scenarios = scenariosOf([
  { name: '--no-addons: one clear error', node: ['--no-addons'], cold: true, run: refused },
  {
    name: 'the permission model without addons: one clear error',
    nodeOf: (major) => [permission(major), ...everyFile],
    says: warnings,
    cold: true,
    // Up to Node 22 the model lets addons be loaded when it is not told otherwise.
    run: (t) => refused(t),
  },
  {
    name: 'the permission model with addons',
    nodeOf: (major) => [permission(major), ...everyFile, '--allow-addons'],
    says: warnings,
    async run(t) {
      await useAll(t);
      const { pool } = await startPool('process');
      await pool.destroy();
    },
    leavesBell: true,
  },
  { name: '--frozen-intrinsics', node: ['--frozen-intrinsics'], says: warnings, run: useAll },
  {
    name: '--disallow-code-generation-from-strings',
    node: ['--disallow-code-generation-from-strings'],
    run: useAll,
  },
  { name: '--jitless', node: ['--jitless'], says: warnings, run: useAll },
  { name: '--inspect', node: ['--inspect=0'], says: /^Debugger listening on [^]*$/, run: useAll },
  { name: '--disable-proto=throw', node: ['--disable-proto=throw'], run: useAll },
  { name: '--max-old-space-size=40', node: ['--max-old-space-size=40'], run: useAll },
  { name: '--pending-deprecation', node: ['--pending-deprecation'], run: useAll },
  { name: '--unhandled-rejections=strict', node: ['--unhandled-rejections=strict'], run: useAll },
  { name: '--trace-warnings --throw-deprecation', node: ['--throw-deprecation'], run: useAll },
  {
    name: '--stack-size=200',
    node: ['--stack-size=200'],
    run: useAll,
  },
]);

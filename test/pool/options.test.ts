import { tmpdir } from 'node:os';
import { realpathSync } from 'node:fs';
import { ZooPool, type PoolOptions } from 'zoosync';
import { describe, expect, it } from 'vitest';
import type * as values from '../fixtures/pool-values.js';
import { codeOf, failureOf, runProgram, thrownBy, until } from '../support/index.js';
import { describeEachKind, fixture } from '../support/pools.js';

type Anything = Record<string, (...args: unknown[]) => unknown>;
type Values = typeof values;

interface Surroundings {
  variable?: string;
  inherited?: string;
  argv: string[];
  execArgv: string[];
  directory: string;
  nice: number;
  oldGeneration?: number;
}

const look = async (pool: ZooPool<Anything>): Promise<Surroundings> =>
  (await pool.run('surroundings', [])) as Surroundings;

describe('options of a pool', () => {
  it.each<[unknown, string]>([
    [{ kind: 'fiber' }, 'ERR_INVALID_ARG_VALUE'],
    [{ workers: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ workers: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ workers: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ workers: Infinity }, 'ERR_OUT_OF_RANGE'],
    [{ workers: '2' }, 'ERR_INVALID_ARG_TYPE'],
    [{ workers: { min: 2, max: 1 } }, 'ERR_OUT_OF_RANGE'],
    [{ workers: { min: '0' } }, 'ERR_INVALID_ARG_TYPE'],
    [{ idleTimeout: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ idleTimeout: '30s' }, 'ERR_INVALID_ARG_TYPE'],
    [{ retries: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ retries: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ timeout: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ timeout: NaN }, 'ERR_OUT_OF_RANGE'],
    [{ queueTimeout: -5 }, 'ERR_OUT_OF_RANGE'],
    [{ killAfter: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ maxQueue: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ maxQueue: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ overflow: 'drop' }, 'ERR_INVALID_ARG_VALUE'],
    [{ concurrency: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ concurrency: 2.5 }, 'ERR_OUT_OF_RANGE'],
    [{ maxTasksPerWorker: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ maxMemory: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ maxMemory: 'a lot' }, 'ERR_INVALID_ARG_VALUE'],
    [{ size: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ size: 'big' }, 'ERR_INVALID_ARG_VALUE'],
    [{ codec: 'yaml' }, 'ERR_INVALID_ARG_VALUE'],
    [{ codec: { name: 'own', encode: () => 1, decode: () => 1 } }, 'ERR_INVALID_ARG_VALUE'],
    [{ env: 'A=1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ argv: 'one' }, 'ERR_INVALID_ARG_TYPE'],
    [{ execArgv: [1] }, 'ERR_INVALID_ARG_TYPE'],
    [{ cwd: 7 }, 'ERR_INVALID_ARG_TYPE'],
    [{ nice: 100 }, 'ERR_OUT_OF_RANGE'],
    [{ resourceLimits: 5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ stdio: 'loud' }, 'ERR_INVALID_ARG_VALUE'],
    [{ worker: 2 }, 'ERR_INVALID_ARG_VALUE'],
    ['process', 'ERR_INVALID_ARG_TYPE'],
  ])('are checked when it is made: %o', async (options, code) => {
    const make = (): ZooPool => new ZooPool(fixture('pool-tasks.js'), options as PoolOptions);
    const error = thrownBy(make);
    expect(error.code).toBe(code);
    if (typeof options === 'object' && options !== null) {
      const [name = ''] = Object.keys(options);
      expect(error.message).toContain(name);
    }
  });

  it.each([undefined, 7, {}, ''])('need a module: %o', (module) => {
    expect(thrownBy(() => new ZooPool(module as never)).code).toMatch(/^ERR_INVALID_ARG_/);
  });
});

describeEachKind('codecs', (pools) => {
  it.each(['msgpack', 'json', 'v8'] as const)(
    'named %s carry arguments and results',
    async (codec) => {
      const pool = pools.open<Values>('pool-values.js', { codec });
      const value = { list: [1, 'two', null, { three: true }], text: 'ä'.repeat(3000) };
      expect(await pool.run('echo', [value])).toEqual(value);
      expect(await pool.run('greet', ['Ada'])).toBe('Hello, Ada');
      expect(await pool.run('nothing', [])).toBeUndefined();
      const bytes = (await pool.run('echo', [new Uint8Array(100_000).fill(3)])) as Uint8Array;
      expect(bytes).toEqual(new Uint8Array(100_000).fill(3));
      const error = await failureOf(pool.run('unsendable', ['function']));
      expect(error.code).toBe('ERR_ZOO_UNSENDABLE');
    },
  );

  it('of the user are modules, loaded on both sides', async () => {
    for (const module of [fixture('pool-codec.js'), fixture('pool-codec.js').href]) {
      const pool = pools.open<Values>('pool-values.js', { codec: { module } });
      expect(await pool.run('echo', [{ a: [1, { b: null }] }])).toEqual({ a: [1, { b: null }] });
      expect(await pool.run('greet', ['Ada'])).toBe('Hello, Ada');
    }
  });

  it.each(['pool-codec-incomplete.js', 'pool-no-such-codec.js'])(
    'that are no codec fail the tasks, and say why: %s',
    async (name) => {
      const pool = pools.open<Values>('pool-values.js', { codec: { module: fixture(name) } });
      const error = await failureOf(async () => pool.run('greet', ['Ada']));
      expect(`${error.message} ${String(error.cause)}`).toContain(name);
    },
  );
});

describeEachKind('surroundings of a worker', (pools) => {
  const module = 'pool-environment.js';

  it('are those of this program unless told otherwise', async () => {
    process.env['POOL_TEST_INHERITED'] = 'from here';
    const found = await look(pools.open<Anything>(module));
    delete process.env['POOL_TEST_INHERITED'];
    expect(found.inherited).toBe('from here');
    expect(found.argv).toEqual([]);
    expect(found.directory).toBe(process.cwd());
  });

  it('take env, argv and execArgv', async () => {
    const pool = pools.open<Anything>(module, {
      env: { POOL_TEST_VARIABLE: 'mine' },
      argv: ['one', '--two'],
      execArgv: ['--no-warnings'],
    });
    expect(await look(pool)).toMatchObject({
      variable: 'mine',
      argv: ['one', '--two'],
      execArgv: ['--no-warnings'],
    });
    expect((await look(pool)).inherited).toBeUndefined();
  });

  it('hide nothing of how the worker was started from the task', async () => {
    const pool = pools.open<Anything>(module, { env: {} });
    expect((await look(pool)).argv).toEqual([]);
  });

  it('take resourceLimits', async () => {
    const pool = pools.open<Anything>(module, { resourceLimits: { maxOldGenerationSizeMb: 100 } });
    const { oldGeneration, execArgv } = await look(pool);
    if (pools.kind === 'thread') expect(oldGeneration).toBe(100);
    else expect(execArgv.join(' ')).toContain('--max-old-space-size=100');
  });

  it('take a nice value', async () => {
    const pool = pools.open<Anything>(module, { nice: 5 });
    expect((await look(pool)).nice).toBe(5);
  });

  it('let output go out through a pipe, tagged by worker', async () => {
    const pool = pools.open<Anything>(module, { stdio: 'pipe' });
    await pool.ready();
    const [worker] = pool.workers;
    let out = '';
    let error = '';
    worker?.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
    worker?.stderr?.setEncoding('utf8').on('data', (text: string) => (error += text));
    await pool.run('write', ['to out\n', 'to error\n']);
    await pool.run('printLog', ['logged']);
    await until(() => out === 'to out\nlogged\n' && error === 'to error\n', 'the output');
  });

  it('let output go out with that of this program, or nowhere', async () => {
    const program = `const pool = new zoosync.ZooPool(args[0], { kind: args[1], workers: 1, stdio: args[2] });
      await pool.run('write', ['to out\\n', 'to error\\n']);
      await pool.run('printLog', ['logged']);
      await pool.close();`;
    const args = [fixture(module).href, pools.kind];
    expect(await runProgram(program, { args: [...args, 'inherit'] })).toEqual({
      code: 0,
      signal: null,
      stdout: 'to out\nlogged\n',
      stderr: 'to error\n',
    });
    expect(await runProgram(program, { args: [...args, 'ignore'] })).toEqual({
      code: 0,
      signal: null,
      stdout: '',
      stderr: '',
    });
  });

  it('have a working directory of their own as processes, and as threads cannot', async () => {
    const directory = realpathSync(tmpdir());
    if (pools.kind === 'process') {
      expect((await look(pools.open<Anything>(module, { cwd: directory }))).directory).toBe(
        directory,
      );
    } else {
      const options = { kind: 'thread', cwd: directory } as const;
      expect(await codeOf(() => new ZooPool(fixture(module), options))).toBe(
        'ERR_INVALID_ARG_VALUE',
      );
    }
  });
});

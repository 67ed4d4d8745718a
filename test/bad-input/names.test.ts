import { existsSync } from 'node:fs';
import { ZooMemory, ZooQueue } from 'zoosync';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  failureOf,
  pathOf,
  runPrefix,
  thrownBy,
  track,
  uniqueName,
} from '../support/index.js';

/** Every way to say a name. */
const ways: [string, (name: never) => unknown][] = [
  ['new ZooQueue', (name) => new ZooQueue(name)],
  ['ZooQueue.create', (name) => ZooQueue.create(name)],
  ['ZooQueue.open', (name) => ZooQueue.open(name)],
  ['ZooQueue.waitFor', (name) => ZooQueue.waitFor(name, { timeout: 1 })],
  ['ZooQueue.unlink', (name) => ZooQueue.unlink(name)],
  ['ZooMemory.create', (name) => ZooMemory.create(name, 10)],
  ['ZooMemory.open', (name) => ZooMemory.open(name)],
  ['ZooMemory.unlink', (name) => ZooMemory.unlink(name)],
];

describe.each(ways)('%s', (_, use) => {
  it.each([
    ['', 'empty'],
    ['/', 'a slash only'],
    ['.', 'the directory'],
    ['..', 'the directory above'],
    ['/.', 'the directory'],
    ['/..', 'the directory above'],
    ['//x', 'two slashes'],
    ['a/b', 'a folder'],
    ['../escape', 'a way out'],
    ['/../escape', 'a way out'],
    ['a b', 'a space'],
    ['a\0b', 'a zero byte'],
    ['a\nb', 'a line break'],
    ['a\n', 'a line break at the end'],
    ['ä', 'a letter that is not ASCII'],
    ['a:b', 'a colon'],
    ['a*', 'a star'],
    ['x'.repeat(201), 'too long'],
    [`/${'x'.repeat(201)}`, 'too long'],
  ])('refuses the name %j (%s)', async (name) => {
    const failure = await failureOf(async () => use(name as never));
    expect(failure.code).toBe('ERR_INVALID_ARG_VALUE');
    expect(failure).toBeInstanceOf(TypeError);
    expect(failure.message).toContain('name');
  });

  it.each([[undefined], [null], [5], [{}], [['x']], [Symbol('x')], [Buffer.from('x')]])(
    'refuses %s, which is no string',
    async (name) => {
      expect(await codeOf(async () => use(name as never))).toBe('ERR_INVALID_ARG_TYPE');
    },
  );
});

describe('a name', () => {
  it('may have 200 characters, also behind a slash', () => {
    const name = runPrefix + 'x'.repeat(200 - runPrefix.length);
    const queue = track(ZooQueue.create(`/${name}`));
    expect(existsSync(pathOf(name))).toBe(true);
    ZooQueue.open(name).close();
    expect(queue.unlink()).toBe(true);
  });

  it('may have all the characters it may have', () => {
    const queue = track(ZooQueue.create(`${uniqueName()}AZaz09._-`));
    expect(existsSync(pathOf(queue.name))).toBe(true);
    expect(thrownBy(() => ZooQueue.create(queue.name)).code).toBe('ERR_ZOO_EXISTS');
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ZooMemory } from 'zoosync';
import { expect, it } from 'vitest';
import { randomFrom } from '../fixtures/numbered-messages.js';
import {
  afterThisTest,
  describeEachStore,
  track,
  uniqueName,
  until,
  within,
} from '../support/index.js';

const seed = Number(process.env['ZOO_SEED'] ?? Date.now() % 1_000_000);
const duration = Number(process.env['ZOO_TORTURE_MS'] ?? 5000);
const producers = 3;
const consumers = 3;

interface Member {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  stderr: string;
}

async function start(fixture: string, args: readonly string[]): Promise<Member> {
  const file = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const member: Member = { child, ended: once(child, 'exit'), stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => (member.stderr += text));
  afterThisTest(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await member.ended;
  });
  await within(Promise.race([once(child.stdout, 'data'), member.ended]), `${fixture} to start`);
  child.stdout.resume();
  return member;
}

/** What the journals say, whole lines only: a kill can cut the last one. */
function linesOf(directory: string, prefix: string): string[][] {
  return readdirSync(directory)
    .filter((file) => file.startsWith(prefix))
    .flatMap((file) => readFileSync(join(directory, file), 'utf8').split('\n').slice(0, -1))
    .map((line) => line.split(' '));
}

describeEachStore('random kills', (store) => {
  it(`lose nothing, damage nothing, and repeat only what was out (seed ${seed})`, async () => {
    const random = randomFrom(seed);
    const directory = await mkdtemp(join(tmpdir(), 'zoosync-'));
    afterThisTest(() => rm(directory, { recursive: true, force: true }));
    const queue = store.create({ messages: 24, bytes: 1600, maxDeliveries: 65_535 });
    // So that there is a writer at all times, and an end when this test says so.
    const steady = store.open(queue, { writer: true });
    const flag = track(ZooMemory.create(uniqueName('stop'), 64));
    let started = 0;

    const startMember = (kind: 'producer' | 'consumer'): Promise<Member> => {
      started += 1;
      const journal = join(directory, `${kind}-${started}`);
      const memberSeed = String(seed + started);
      return kind === 'producer'
        ? start('random-producer.js', [queue.name, flag.name, journal, String(started), memberSeed])
        : start('random-consumer.js', [queue.name, journal, memberSeed]);
    };
    const kinds = [
      ...Array.from({ length: producers }, () => 'producer' as const),
      ...Array.from({ length: consumers }, () => 'consumer' as const),
    ];
    const members = await Promise.all(kinds.map(startMember));

    let kills = 0;
    for (const end = Date.now() + duration; Date.now() < end || kills < 10;) {
      await sleep(random() * 120);
      const at = Math.floor(random() * members.length);
      const { child, ended, stderr } = members[at] as Member;
      expect([child.exitCode, stderr], `a ${kinds[at]} ended by itself`).toEqual([null, '']);
      child.kill('SIGKILL');
      await ended;
      kills += 1;
      members[at] = await startMember(kinds[at] as 'producer' | 'consumer');
    }

    new Int32Array(flag.buffer)[0] = 1;
    const producing = members.slice(0, producers);
    await within(Promise.all(producing.map(({ ended }) => ended)), 'the producers to end');
    steady.end();
    await within(Promise.all(members.map(({ ended }) => ended)), 'the consumers to end');
    for (const { child, stderr } of members) expect([child.exitCode, stderr]).toEqual([0, '']);
    await until(() => queue.stats().messages === 0, 'the queue to be empty');

    const mayExist = new Map<string, number>();
    const mustArrive = new Set<string>();
    for (const [sign, sender = '', from, to] of linesOf(directory, 'producer')) {
      if (sign === '+') {
        mayExist.set(sender, Math.max(mayExist.get(sender) ?? 0, Number(to)));
      } else {
        for (let i = Number(from); i < Number(to); i += 1) mustArrive.add(`${sender} ${i}`);
      }
    }
    const arrived = new Map<string, number[]>();
    const committed = new Set<string>();
    const unknown: string[] = [];
    for (const [sign, sender = '', number, deliveries] of linesOf(directory, 'consumer')) {
      const message = `${sender} ${number}`;
      if (!(Number(number) < (mayExist.get(sender) ?? 0))) unknown.push(message);
      const before = arrived.get(message);
      if (before === undefined) arrived.set(message, [Number(deliveries)]);
      else before.push(Number(deliveries));
      if (sign === '!') committed.add(message);
    }
    expect(unknown, 'messages that nobody has put').toEqual([]);

    const lost = [...mustArrive].filter((message) => !committed.has(message));
    expect(lost, 'messages whose put had returned').toEqual([]);
    // A second time has to say so: each delivery has a number of its own.
    const repeated = [...arrived].filter(([, list]) => new Set(list).size < list.length);
    expect(repeated, 'messages that came twice as if it were the first time').toEqual([]);
    expect(mustArrive.size).toBeGreaterThan(100);
    const stats = queue.stats();
    expect(stats).toMatchObject({ messages: 0, blockedBytes: 0, dead: 0 });
    expect(stats.reaped).toBeGreaterThan(0);
  });
});

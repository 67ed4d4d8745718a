/** Seeing from outside that a process or a worker really waits, and steering queues inside peers. */
import { readFileSync } from 'node:fs';
import type { OpenOptions, ZooQueue } from 'zoosync';
import { until } from './patience.js';
import type { PeerScope } from './processes.js';

/** Whatever runs functions sent to it: a peer process or a worker thread. */
export interface Runner {
  run<A extends unknown[], R>(
    action: (scope: PeerScope, ...args: A) => R,
    ...args: A
  ): Promise<Awaited<R>>;
}

/** Waits until a handle of the process `pid` waits in `queue`. */
export async function untilWaiting<T>(queue: ZooQueue<T>, pid: number): Promise<void> {
  await until(
    () => queue.stats().participants.some((one) => one.pid === pid && one.waiting),
    `process ${pid} to wait in ${queue.name}`,
  );
}

/** Waits until the main thread of the process `pid` sleeps: in a call that blocks, or idle. */
export async function untilAsleep(pid: number): Promise<void> {
  await until(() => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '';
    return fields.startsWith('S');
  }, `process ${pid} to sleep`);
}

/** Opens `name` in a peer or worker as `state.queue`. */
export async function openIn(
  runner: Runner,
  name: string,
  options: OpenOptions = {},
): Promise<void> {
  await runner.run(
    ({ zoosync, state }, segment, given) => {
      state['queue'] = zoosync.ZooQueue.open(segment, given);
    },
    name,
    options,
  );
}

/** Lets a peer or worker claim `count` messages in place and keep them as `state.views`. */
export async function holdViews(runner: Runner, count: number): Promise<void> {
  await runner.run(async ({ state }, most) => {
    const views: unknown[] = [];
    while (views.length < most) {
      views.push(...(await state['queue'].recvViews(most - views.length)));
    }
    state['views'] = views;
  }, count);
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToWorker } from '../../src/pool/protocol.js';
import { TaskQueue, estimateOf, hasRoom, learn, placeOfKey } from '../../src/pool/scheduler.js';
import { Task, type TaskDemands } from '../../src/pool/task.js';

const caller = { resolve: () => undefined, reject: () => undefined };
const plain: TaskDemands = {
  priority: 0,
  key: undefined,
  place: -1,
  timeout: Infinity,
  queueTimeout: Infinity,
  retries: 0,
  signal: undefined,
};

function taskOf(id: number, demands: Partial<TaskDemands> = {}, mean = Infinity): Task {
  const cargo = {
    kind: ToWorker.task,
    flags: 0,
    memory: Buffer.alloc(16),
    start: 0,
    end: 16,
    parts: [],
  };
  return new Task(id, { name: 'work', mean }, cargo, { ...plain, ...demands }, caller, 0);
}

/** Takes everything that the worker at `place` would take, in its order. */
function drain(queue: TaskQueue, place = 0): number[] {
  const ids: number[] = [];
  for (let task = queue.firstFor(place); task; task = queue.firstFor(place)) {
    queue.remove(task);
    ids.push(task.id);
  }
  return ids;
}

describe('the queue of tasks', () => {
  it('goes by priority, and inside one first in, first out', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -2, max: 2 })), (priorities) => {
        const queue = new TaskQueue();
        const tasks = priorities.map((priority, i) => taskOf(i, { priority }));
        for (const task of tasks) queue.push(task);
        expect(queue.size).toBe(tasks.length);
        const expected = tasks
          .toSorted((a, b) => b.demands.priority - a.demands.priority || a.id - b.id)
          .map(({ id }) => id);
        expect(drain(queue)).toEqual(expected);
        expect(queue.size).toBe(0);
      }),
    );
  });

  it('gives a worker its own tasks and those of nobody, in the order they came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ place: fc.integer({ min: -1, max: 2 }), priority: fc.nat(1) })),
        (list) => {
          const queue = new TaskQueue();
          const tasks = list.map((demands, i) => taskOf(i, demands));
          for (const task of tasks) queue.push(task);
          const own = tasks.filter(({ demands }) => demands.place === 1 || demands.place === -1);
          const expected = own
            .toSorted((a, b) => b.demands.priority - a.demands.priority || a.id - b.id)
            .map(({ id }) => id);
          expect(drain(queue, 1)).toEqual(expected);
          expect(queue.size).toBe(tasks.length - own.length);
        },
      ),
    );
  });

  it('lets any task leave, from wherever it stands', () => {
    const queue = new TaskQueue();
    const tasks = Array.from({ length: 6 }, (_, i) => taskOf(i));
    for (const task of tasks) queue.push(task);
    for (const i of [0, 3, 5]) queue.remove(tasks[i]!);
    expect(queue.all().map(({ id }) => id)).toEqual([1, 2, 4]);
    queue.push(tasks[3]!);
    expect(drain(queue)).toEqual([1, 2, 4, 3]);
  });

  it('takes tasks back at the front, in the order they had', () => {
    const queue = new TaskQueue();
    const tasks = Array.from({ length: 8 }, (_, i) => taskOf(i, { priority: i % 2 }));
    for (const task of tasks) queue.push(task);
    const sent = [tasks[1]!, tasks[3]!, tasks[5]!, tasks[7]!, tasks[0]!];
    for (const task of sent) queue.remove(task);
    queue.pushFront(sent.toReversed());
    expect(drain(queue)).toEqual([1, 3, 5, 7, 0, 2, 4, 6]);
  });

  it('knows for which workers tasks wait', () => {
    const queue = new TaskQueue();
    queue.push(taskOf(1));
    expect([...queue.placesInDemand()]).toEqual([]);
    queue.push(taskOf(2, { place: 2 }));
    expect([...queue.placesInDemand()]).toEqual([2]);
    expect(drain(queue, 2)).toEqual([1, 2]);
    expect([...queue.placesInDemand()]).toEqual([]);
  });
});

describe('what is sent ahead', () => {
  /** How many tasks of that kind one worker is sent at once. */
  function sentAhead(task: Task, concurrency = 1): number {
    const load = { inFlight: 0, estimated: 0, stalled: false };
    while (hasRoom(load, concurrency, task)) {
      load.inFlight += 1;
      load.estimated += estimateOf(task);
      if (load.inFlight > 1000) throw new Error('there is no end to it');
    }
    return load.inFlight;
  }

  it('is nothing for a function that is unknown or slow', () => {
    expect(sentAhead(taskOf(1))).toBe(1);
    expect(sentAhead(taskOf(1, {}, 5))).toBe(1);
    expect(sentAhead(taskOf(1, {}, 5), 4)).toBe(4);
  });

  it('is much for short tasks, with a limit', () => {
    const short = sentAhead(taskOf(1, {}, 0.001));
    expect(short).toBeGreaterThan(20);
    expect(short).toBeLessThan(1000);
    expect(sentAhead(taskOf(1, {}, 0.2))).toBeLessThan(10);
  });

  it('is nothing for a task with a time limit, or behind a worker that does not answer', () => {
    expect(sentAhead(taskOf(1, { timeout: 100 }, 0.001))).toBe(1);
    const load = { inFlight: 1, estimated: 0.01, stalled: true };
    expect(hasRoom(load, 1, taskOf(1, {}, 0.001))).toBe(false);
  });

  it('learns from what ran', () => {
    expect(learn(Infinity, 3)).toBe(3);
    let mean = 3;
    for (let i = 0; i < 100; i += 1) mean = learn(mean, 1);
    expect(mean).toBeCloseTo(1, 2);
  });
});

describe('the place of a key', () => {
  const keys = Array.from({ length: 2000 }, (_, i) => `key ${i}`);

  it('is always the same, and spreads keys evenly', () => {
    const counts = [0, 0, 0, 0];
    for (const key of keys) {
      const place = placeOfKey(key, 4);
      expect(placeOfKey(key, 4)).toBe(place);
      counts[place]! += 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(2000 / 4 / 2);
    expect(placeOfKey('any', 1)).toBe(0);
  });

  it('changes for few keys when there is one more', () => {
    const moved = keys.filter((key) => placeOfKey(key, 4) !== placeOfKey(key, 5));
    expect(moved.every((key) => placeOfKey(key, 5) === 4)).toBe(true);
    expect(moved.length).toBeLessThan(2000 / 3);
  });
});

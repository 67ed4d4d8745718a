/** Worker threads for tests: they run functions sent to them, as peers do. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterThisTest } from './names.js';
import { within } from './patience.js';
import type { PeerScope } from './processes.js';

interface WorkerAnswer {
  id?: number;
  line?: string;
  value?: unknown;
  error?: { message: string; properties: Record<string, unknown> };
}

export class TestWorker {
  /** Settles with the exit code when the thread has ended, however it ended. */
  readonly ended: Promise<number>;
  /** What the thread threw and did not catch. */
  readonly failures: Error[] = [];
  readonly #worker: Worker;
  readonly #answers = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  readonly #lines: string[] = [];
  readonly #listeners: { line: string; resolve: () => void }[] = [];
  #asked = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        for (const answer of this.#answers.values()) {
          answer.reject(new Error(`the worker ended (${code}) before it answered`));
        }
        this.#answers.clear();
        resolve(code);
      });
    });
    worker.on('error', (error) => this.failures.push(error));
    worker.on('message', (message) => this.#take(message as WorkerAnswer));
  }

  /** Runs `action` in the worker and answers what it answers. An error arrives with its code. */
  run<A extends unknown[], R>(
    action: (scope: PeerScope, ...args: A) => R,
    ...args: A
  ): Promise<Awaited<R>> {
    this.#asked += 1;
    const id = this.#asked;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
    });
    answer.catch(() => undefined);
    this.#worker.postMessage({ id, source: action.toString(), args });
    return answer as Promise<Awaited<R>>;
  }

  /** Waits until the worker has said `line`; each line is heard once. */
  async heard(line: string): Promise<void> {
    const at = this.#lines.indexOf(line);
    if (at >= 0) {
      this.#lines.splice(at, 1);
      return;
    }
    await within(
      new Promise<void>((resolve) => this.#listeners.push({ line, resolve })),
      `the worker to say ${line}`,
    );
  }

  /** Ends the thread wherever it is. */
  async terminate(): Promise<void> {
    await within(this.#worker.terminate(), 'a worker to be terminated');
  }

  /** Lets the thread end by itself: nothing of the tests keeps it alive any longer. */
  async leave(): Promise<number> {
    this.#worker.postMessage({ last: true });
    return within(this.ended, 'a worker to end');
  }

  #take(message: WorkerAnswer): void {
    if (message.line !== undefined) {
      const { line } = message;
      const at = this.#listeners.findIndex((listener) => listener.line === line);
      if (at < 0) this.#lines.push(line);
      else this.#listeners.splice(at, 1)[0]?.resolve();
      return;
    }
    const answer = this.#answers.get(message.id ?? 0);
    if (answer === undefined) return;
    this.#answers.delete(message.id ?? 0);
    if (message.error === undefined) {
      answer.resolve(message.value);
    } else {
      answer.reject(Object.assign(new Error(message.error.message), message.error.properties));
    }
  }
}

/** Starts a worker; it is terminated after the test when it still runs. */
export async function startWorker(): Promise<TestWorker> {
  const worker = new Worker(new URL('../fixtures/worker.js', import.meta.url));
  const test = new TestWorker(worker);
  afterThisTest(() => worker.terminate());
  await within(once(worker, 'online'), 'a worker to start');
  await test.heard('ready');
  return test;
}

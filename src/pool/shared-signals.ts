/** One listener per signal, however many wait for it: thousands of tasks may share one. */
export class SharedSignals<T> {
  readonly #aborted: (waiting: T, reason: unknown) => void;
  readonly #groups = new Map<AbortSignal, { waiting: Set<T>; listener: () => void }>();

  constructor(aborted: (waiting: T, reason: unknown) => void) {
    this.#aborted = aborted;
  }

  add(signal: AbortSignal, waiting: T): void {
    const group = this.#groups.get(signal) ?? this.#listenTo(signal);
    group.waiting.add(waiting);
  }

  #listenTo(signal: AbortSignal): { waiting: Set<T>; listener: () => void } {
    const waiting = new Set<T>();
    const listener = (): void => {
      for (const each of waiting) this.#aborted(each, signal.reason);
    };
    const group = { waiting, listener };
    this.#groups.set(signal, group);
    signal.addEventListener('abort', listener, { once: true });
    return group;
  }

  delete(signal: AbortSignal, waiting: T): void {
    const group = this.#groups.get(signal);
    if (!group?.waiting.delete(waiting) || group.waiting.size > 0) return;
    signal.removeEventListener('abort', group.listener);
    this.#groups.delete(signal);
  }
}

/** Waiting for a condition instead of sleeping: a test never guesses how long something takes. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** How long a condition may take on a noisy machine, in milliseconds. */
export const patience = 40_000;

/**
 * Waits until `condition` answers something true, and answers that. Fails after `patience` with
 * `what` in the text.
 */
export async function until<R>(
  condition: () => R | Promise<R>,
  what = 'the condition',
  limit = patience,
): Promise<Exclude<R, undefined | null | false | 0>> {
  const deadline = Date.now() + limit;
  for (;;) {
    const answer = await condition();
    if (answer) return answer as Exclude<R, undefined | null | false | 0>;
    if (Date.now() > deadline) throw new Error(`waited ${limit} ms in vain for ${what}`);
    await sleep(2);
  }
}

/** Answers what `promise` answers, or fails after `patience` with `what` in the text. */
export async function within<R>(
  promise: Promise<R>,
  what = 'a promise',
  limit = patience,
): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${limit} ms in vain for ${what}`)), limit);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets the event loop turn `turns` times, so that everything already due has happened. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i += 1) await nextTurn();
}

/** Tells whether a promise is still open after everything already due has happened. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  await turns(5);
  return !settled;
}

/** Catching an error to look at it, instead of only at its message. */

/** What the library's errors carry; everything optional, since the test says what has to be there. */
export interface CaughtError extends Error {
  code?: string;
  segment?: string;
  errno?: number;
  syscall?: string;
  pid?: number;
  needed?: number;
  free?: number;
  size?: number;
  limit?: number;
  sent?: number;
  bytes?: Uint8Array;
}

/** The error that `action` throws, or the one its promise rejects with. Fails when there is none. */
export async function failureOf(action: (() => unknown) | Promise<unknown>): Promise<CaughtError> {
  let answer: unknown;
  try {
    answer = await (typeof action === 'function' ? action() : action);
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`what was thrown is no Error: ${String(error)}`, { cause: error });
  }
  throw new Error(`an error was expected, but there was an answer: ${String(answer)}`);
}

/** The error that `action` throws at once. Fails when it throws none. */
export function thrownBy(action: () => unknown): CaughtError {
  let answer: unknown;
  try {
    answer = action();
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`what was thrown is no Error: ${String(error)}`, { cause: error });
  }
  throw new Error(`an error was expected, but there was an answer: ${String(answer)}`);
}

/** The code of the error that `action` throws or rejects with. */
export async function codeOf(
  action: (() => unknown) | Promise<unknown>,
): Promise<string | undefined> {
  return (await failureOf(action)).code;
}

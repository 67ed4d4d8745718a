/** What a channel or pipe is closed with, on its way into shared memory. */
import { encodeThrown } from '../error-encoding.js';
import { emptyError, setErrorProperty, takeErrorApart } from '../error-parts.js';

/** Room for the error of a channel, in bytes. */
const mostBytes = 16 * 1024;
const mostText = 2048;

/** The error as bytes. One with more to tell than there is room for is sent without its details. */
export function encodeFailure(error: unknown): Uint8Array {
  const whole = encodeThrown(error);
  if (whole.length <= mostBytes) return whole;
  const short = encodeThrown(shortened(error));
  return short.length <= mostBytes ? short : encodeThrown(new Error('an error too large to send'));
}

/** Class, name, message, stack and code, the texts cut; the rest is left out. */
function shortened(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(cut(String(error)));
  const { className } = takeErrorApart(error);
  const short = emptyError(className);
  if (error.name !== className) setErrorProperty(short, 'name', cut(error.name), true);
  setErrorProperty(short, 'message', cut(error.message), true);
  setErrorProperty(short, 'stack', cut(String(error.stack)), true);
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') setErrorProperty(short, 'code', cut(code), false);
  if (typeof code === 'number') setErrorProperty(short, 'code', code, false);
  return short;
}

function cut(text: string): string {
  return text.length > mostText ? `${text.slice(0, mostText)}…` : text;
}

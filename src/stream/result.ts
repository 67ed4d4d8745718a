/** Values and errors as items: one bad item does not stop the rest. */
import { isThenable } from './pull.js';

/** A value that was made, or the error instead. A plain object, so that it survives any codec. */
export type Result<A, E = Error> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly error: E };

/** A result that holds a value. */
export function Ok<A>(value: A): { readonly ok: true; readonly value: A } {
  return { ok: true, value };
}

/** A result that holds an error. */
export function Err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** The same result with its value changed; the change may take time. */
export function changeValue<A, E, B>(
  result: Result<A, E>,
  change: (value: A) => B | PromiseLike<B>,
): Result<B, E> | PromiseLike<Result<B, E>> {
  return result.ok ? after(change(result.value), Ok<B>) : result;
}

/** The same result with its error changed; the change may take time. */
export function changeError<A, E, F>(
  result: Result<A, E>,
  change: (error: E) => F | PromiseLike<F>,
): Result<A, F> | PromiseLike<Result<A, F>> {
  return result.ok ? result : after(change(result.error), Err<F>);
}

function after<A, B>(value: A | PromiseLike<A>, use: (value: A) => B): B | PromiseLike<B> {
  return isThenable(value) ? (value as PromiseLike<A>).then(use) : use(value as A);
}

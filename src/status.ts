/** What the addon reports, a negative status or an error object, as the errors a user sees. */
import { PeerDied, ZooError, type ZooErrorCode, type ZooErrorDetails } from './errors.js';
import { Status, native, type NativeFailure, type NativeHandle } from './native.js';

/** What an error message has to name. */
export interface Subject {
  readonly kind: 'queue' | 'lock' | 'memory';
  readonly name: string;
  readonly native: NativeHandle;
}

/** The error for a status that is not `ok`. Reads `scratch`, so it has to come right after the call. */
export function statusError(status: number, subject: Subject, operation: string): Error {
  const where = `${subject.kind} '${subject.name}'`;
  const segment = subject.name;
  switch (status) {
    case Status.ended:
      return new ZooError(
        'ERR_ZOO_ENDED',
        `${operation}: ${where} is at its end, its writers have called end() or close()`,
        { segment },
      );
    case Status.peerDied:
      return new PeerDied(native().scratch[0] ?? 0, segment);
    case Status.gone:
      return new ZooError(
        'ERR_ZOO_GONE',
        `${operation}: ${where} was unlinked and made anew by somebody; this handle is on the ` +
          'old one: close it and open the name again',
        { segment },
      );
    case Status.closed:
      return closedError(subject, operation);
    case Status.corrupt:
      return new ZooError(
        'ERR_ZOO_CORRUPT',
        `${operation}: the shared memory of ${where} is damaged (${subject.native.corruption()}); ` +
          'stop its users, remove the name with unlink() and make it again',
        { segment },
      );
    case Status.cursor:
      return cursorError(subject, operation);
    case Status.deadlock:
      return new ZooError(
        'ERR_ZOO_DEADLOCK',
        `${operation}: this handle holds ${where} already, waiting for it would never end; release it first`,
        { segment },
      );
    case Status.notOwner:
      return new ZooError('ERR_ZOO_NOT_OWNER', `${operation}: this handle does not hold ${where}`, {
        segment,
      });
    default:
      return new ZooError(
        'ERR_ZOO_SYSTEM',
        `${operation}: unexpected status ${status} from ${where}`,
        { segment },
      );
  }
}

export function closedError(subject: { kind: string; name: string }, operation: string): ZooError {
  return new ZooError(
    'ERR_ZOO_CLOSED',
    `${operation}: this handle on ${subject.kind} '${subject.name}' is closed; open the name again`,
    { segment: subject.name },
  );
}

export function cursorError(subject: { name: string }, operation: string): ZooError {
  return new ZooError(
    'ERR_ZOO_CURSOR',
    `${operation}: this view of queue '${subject.name}' is not out any more, or belongs to another ` +
      'handle; a view is committed, rejected or aborted once, at the handle that gave it',
    { segment: subject.name },
  );
}

export function tooLargeError(
  subject: { name: string },
  operation: string,
  size: number,
  limit: number,
): ZooError {
  return new ZooError(
    'ERR_ZOO_TOO_LARGE',
    `${operation}: a message of ${size} bytes can never fit into queue '${subject.name}', ` +
      `the largest has ${limit} bytes; create the queue with a larger size or slotSize`,
    { segment: subject.name, size, limit },
  );
}

export function timeoutError(
  subject: { kind: string; name: string },
  operation: string,
  milliseconds: number,
  reason: string,
): ZooError {
  return new ZooError(
    'ERR_ZOO_TIMEOUT',
    `${operation} on ${subject.kind} '${subject.name}' timed out after ${milliseconds} ms: ${reason}`,
    { segment: subject.name },
  );
}

/** Runs a cold call of the addon; what it throws becomes a ZooError (or Node's class for a wrong argument). */
export function translated<R>(segment: string, call: () => R): R {
  try {
    return call();
  } catch (failure) {
    throw translateFailure(failure, segment);
  }
}

function translateFailure(failure: unknown, segment: string): unknown {
  if (!(failure instanceof Error) || failure instanceof ZooError || !('code' in failure))
    return failure;
  const { code, message, errno, syscall, pid, needed, free, size, limit } =
    failure as NativeFailure;
  if (code === 'ERR_INVALID_ARG_VALUE' || code === 'ERR_INVALID_ARG_TYPE') {
    return Object.assign(new TypeError(message), { code });
  }
  if (code === 'ERR_OUT_OF_RANGE') return Object.assign(new RangeError(message), { code });
  if (!code.startsWith('ERR_ZOO_')) return failure;
  const details: ZooErrorDetails = { segment, errno, syscall, pid, needed, free, size, limit };
  return new ZooError(code as ZooErrorCode, message, details);
}

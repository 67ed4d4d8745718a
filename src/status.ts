/** What the addon reports, a negative status or an error object, as the errors a user sees. */
import {
  ChannelClosed,
  PeerDied,
  ZooError,
  type ZooErrorCode,
  type ZooErrorDetails,
} from './errors.js';
import { decodeThrown } from './error-encoding.js';
import { Status, native, type NativeFailure, type NativeHandle } from './native.js';

/** What an error message has to name. */
export interface Subject {
  readonly kind: 'queue' | 'lock' | 'memory' | 'channel' | 'pipe';
  readonly name: string;
  readonly native: NativeHandle;
}

/** A channel or a pipe: what it failed with comes out of the shared memory. */
export interface StreamSubject extends Subject {
  readonly kind: 'channel' | 'pipe';
  /** The encoded error, empty when there is none; undefined when it is damaged. */
  failure(): Uint8Array | undefined;
}

/** The error for a status that is not `ok`. Reads `scratch`, so it has to come right after the call. */
export function statusError(status: number, subject: Subject, operation: string): Error {
  if (isStream(subject)) return streamError(status, subject, operation) as Error;
  return commonError(status, subject, operation);
}

function isStream(subject: Subject): subject is StreamSubject {
  return subject.kind === 'channel' || subject.kind === 'pipe';
}

/** What a channel or pipe ends with. May be any value, since anything can be thrown. */
function streamError(status: number, subject: StreamSubject, operation: string): unknown {
  const { kind, name: segment } = subject;
  const pid = native().scratch[0] ?? 0;
  const writerDied =
    `${operation}: process ${pid}, the last writer of ${kind} '${segment}', died without closing it: ` +
    'everything it had sent was delivered, what it still meant to send will not come';
  const readerDied =
    `${operation}: process ${pid}, the reader of pipe '${segment}', died; ` +
    'what was written and not read is lost';
  switch (status) {
    case Status.ended:
      return new ChannelClosed(
        `${operation}: ${kind} '${segment}' has ended, its writers have closed it`,
        { segment, ...causeOf(subject) },
      );
    case Status.peerDied:
      return new PeerDied(pid, segment, writerDied);
    case Status.failed:
      return failureOf(subject, pid);
    case Status.noReader:
      return pid > 0
        ? new PeerDied(pid, segment, readerDied)
        : new ChannelClosed(
            `${operation}: the reader of pipe '${segment}' has closed it; nobody would read this`,
            { segment },
          );
    default:
      return commonError(status, subject, operation);
  }
}

/** The error that a writer closed with, with the process that sent it. */
function failureOf(subject: StreamSubject, pid: number): unknown {
  const bytes = subject.failure();
  const thrown = bytes === undefined ? undefined : decodeOrUndefined(bytes);
  if (thrown === undefined) {
    return new ZooError(
      'ERR_ZOO_CORRUPT',
      `${subject.kind} '${subject.name}' was closed with an error by process ${pid}, but the ` +
        'shared memory that should hold this error is damaged',
      { segment: subject.name, pid },
    );
  }
  const { value } = thrown;
  if (value instanceof Error && !('pid' in value)) Object.assign(value, { pid });
  return value;
}

function causeOf(subject: StreamSubject): { cause?: unknown } {
  const bytes = subject.failure();
  if (bytes === undefined || bytes.length === 0) return {};
  const thrown = decodeOrUndefined(bytes);
  return thrown ? { cause: thrown.value } : {};
}

function decodeOrUndefined(bytes: Uint8Array): { value: unknown } | undefined {
  try {
    return { value: decodeThrown(bytes) };
  } catch {
    return undefined;
  }
}

function commonError(status: number, subject: Subject, operation: string): Error {
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
  subject: { kind: string; name: string },
  operation: string,
  size: number,
  limit: number,
): ZooError {
  return new ZooError(
    'ERR_ZOO_TOO_LARGE',
    `${operation}: a message of ${size} bytes can never fit into ${subject.kind} ` +
      `'${subject.name}', the largest has ${limit} bytes; create it with ` +
      (subject.kind === 'queue' ? 'a larger size or slotSize' : 'more bytes'),
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

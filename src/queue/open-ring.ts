/** Opens the rings that channels and pipes are made of. */
import { Buffer } from 'node:buffer';
import { parseCodec, type Codec, type ValueCodec } from '../codec.js';
import { ZooError, invalidArgumentValue } from '../errors.js';
import { environment } from '../lifecycle.js';
import type { NativeQueueOptions } from '../native.js';
import type { Wait } from '../options.js';
import { translated } from '../status.js';
import { QueueEndpoint } from './endpoint.js';
import { untilMade } from './wait-for.js';

/** A channel is a ring with many writers and readers, a pipe one with one of each. */
export type RingKind = 'channel' | 'pipe';

/** What the creator chooses, checked and in plain numbers. What is undefined takes its default. */
export interface RingOptions {
  /** Bytes of the ring. */
  readonly bytes?: number | undefined;
  /** How many messages may wait at the same time. */
  readonly mostMessages?: number | undefined;
  /** The oldest message gives way when there is no room. */
  readonly dropsOldest?: boolean | undefined;
  /** Pipe: the end that the creator takes. */
  readonly end?: 'writer' | 'reader' | undefined;
  readonly mode?: number | undefined;
  readonly reserve?: boolean | undefined;
  readonly persist?: boolean | undefined;
  readonly label?: string | undefined;
}

/** A handle, and what is to be done when it is disposed of. */
export interface OpenedRing {
  readonly endpoint: QueueEndpoint;
  readonly unlinkWhenDisposed: boolean;
}

const overflowDropOldest = 1;
const mostCodecNameBytes = 55;

/**
 * Makes a ring. Who makes a channel counts as a writer, so that it cannot end before it has begun.
 */
export function createRing(
  kind: RingKind,
  name: string,
  options: RingOptions,
  codec: ValueCodec,
): OpenedRing {
  if (Buffer.byteLength(codec.name) > mostCodecNameBytes) {
    throw invalidArgumentValue(
      'codec.name',
      codec.name,
      `it must be at most ${mostCodecNameBytes} bytes of UTF-8`,
    );
  }
  const native: NativeQueueOptions = { openMode: 'create', kind, codec: codec.name };
  const { dropsOldest, ...rest } = options;
  for (const [option, value] of Object.entries(rest)) {
    if (value !== undefined) Object.assign(native, { [option]: value });
  }
  if (dropsOldest === true) native.groups = [{ name: 'default', overflow: overflowDropOldest }];
  const handle = translated(name, () => environment().openQueue(name, native));
  return {
    endpoint: new QueueEndpoint(name, handle, codec, kind),
    unlinkWhenDisposed: options.persist !== true,
  };
}

/** Waits until the name is there. `codec`: the one that the user named; without it, the creator's. */
export function openRing(
  kind: RingKind,
  name: string,
  wait: Wait,
  label: string | undefined,
  codec: Codec | undefined,
): Promise<OpenedRing> {
  const native: NativeQueueOptions = { openMode: 'open', kind };
  if (label !== undefined) native.label = label;
  return untilMade(
    name,
    wait,
    () => {
      const handle = translated(name, () => environment().openQueue(name, native));
      try {
        const agreed = agreeOnCodec(name, codec, handle.codec);
        const endpoint = new QueueEndpoint(name, handle, agreed, kind);
        return { endpoint, unlinkWhenDisposed: false };
      } catch (error) {
        handle.close();
        throw error;
      }
    },
    { kind, operation: 'open' },
  );
}

function agreeOnCodec(name: string, asked: Codec | undefined, there: string): ValueCodec {
  const custom = !['msgpack', 'json', 'v8', 'bytes'].includes(there);
  if (asked === undefined && !custom) return parseCodec(there as Codec);
  const codec = parseCodec(asked);
  if (asked !== undefined && codec.name === there) return codec;
  throw new ZooError(
    'ERR_ZOO_INCOMPATIBLE',
    asked === undefined
      ? `channel '${name}' was made with a codec of its own, '${there}': open it with this codec`
      : `channel '${name}' exists with codec '${there}', but '${codec.name}' was asked for; ` +
          'leave the option out, or choose another name',
    { segment: name },
  );
}

/** Removes the name of a channel or pipe. */
export function unlinkRing(kind: RingKind, name: string): boolean {
  return translated(name, () =>
    kind === 'channel' ? environment().unlinkChannel(name) : environment().unlinkPipe(name),
  );
}

/** One suite for both channels: the one of this process and the one in shared memory. */
import { Channel, type ChannelOptions } from 'zoosync';
import { describe } from 'vitest';
import { afterThisTest, uniqueName } from '../support/index.js';

export interface ChannelKind {
  readonly kind: 'local' | 'shared';
  /** A new channel with room for `capacity` messages, disposed of after the test. */
  create<T>(capacity: number, options?: ChannelOptions): Channel<T>;
}

/** Disposes after the test. */
export function disposed<H extends AsyncDisposable>(handle: H): H {
  afterThisTest(() => handle[Symbol.asyncDispose]());
  return handle;
}

export const local: ChannelKind = {
  kind: 'local',
  create<T>(capacity: number, options: ChannelOptions = {}): Channel<T> {
    const { whenFull } = options;
    return disposed(Channel.local<T>(capacity, whenFull === undefined ? {} : { whenFull }));
  },
};

export const shared: ChannelKind = {
  kind: 'shared',
  create<T>(capacity: number, options: ChannelOptions = {}): Channel<T> {
    return disposed(
      Channel.create<T>(uniqueName('channel'), { bytes: '256KiB', capacity, ...options }),
    );
  },
};

/** Runs a suite over both kinds. */
export function describeEachChannel(name: string, suite: (channels: ChannelKind) => void): void {
  for (const kind of [local, shared]) describe(`${name} (${kind.kind})`, () => suite(kind));
}

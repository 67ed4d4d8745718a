/** The same example over a channel in this process and over one in shared memory. */
import { Channel } from 'zoosync';
import { afterThisTest, uniqueName } from '../support/index.js';

export const kinds = ['local', 'shared'] as const;
export type Kind = (typeof kinds)[number];

/** A channel of `capacity` messages, given up after the test. */
export function makeChannel<T>(kind: Kind, capacity: number): Channel<T> {
  const channel =
    kind === 'local'
      ? Channel.local<T>(capacity)
      : Channel.create<T>(uniqueName('channel'), { capacity });
  afterThisTest(() => channel[Symbol.asyncDispose]());
  return channel;
}

/** Sends all values, then says that there are no more. */
export async function feed<T>(channel: Channel<T>, values: Iterable<T>): Promise<void> {
  for (const value of values) await channel.send(value);
  await channel.close();
}

/** Receives until the channel has ended. */
export async function drain<T>(channel: Channel<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of channel) values.push(value);
  return values;
}

/** The numbers of a channel or pipe in shared memory. */
import type { QueueEndpoint } from '../queue/endpoint.js';
import type { ChannelStats } from './channel-store.js';

export function readRingStats(endpoint: QueueEndpoint): ChannelStats {
  // Who died is only known once somebody has looked.
  endpoint.native.lookAround();
  const stats = endpoint.stats();
  const group = stats.groups[0];
  return {
    depth: (group?.backlog ?? 0) + (group?.claimed ?? 0),
    bytes: stats.bytes,
    sent: stats.puts,
    received: stats.gets,
    dropped: group?.dropped ?? 0,
    writers: stats.participants.filter(({ writer, ended }) => writer && !ended).length,
    readers: stats.participants.filter(({ reader }) => reader).length,
    died: stats.reaped,
  };
}

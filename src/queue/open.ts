/** Opening a queue: the checks of name and options, and the handle below the public class. */
import { environment } from '../lifecycle.js';
import type { OpenMode } from '../native.js';
import { parseName } from '../options.js';
import { translated } from '../status.js';
import { QueueEndpoint } from './endpoint.js';
import { parseQueueOptions, type QueueOptions } from './options.js';

/** A handle on the queue of this name. Errors as of the constructor of `ZooQueue`. */
export function openEndpoint(
  name: string,
  options: QueueOptions | undefined,
  openMode: OpenMode,
): QueueEndpoint {
  const bare = parseName(name);
  const { native: nativeOptions, codec } = parseQueueOptions(options, openMode);
  const native = translated(bare, () => environment().openQueue(bare, nativeOptions));
  return new QueueEndpoint(bare, native, codec);
}

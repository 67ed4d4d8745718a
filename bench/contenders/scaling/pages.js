/** Passes over a fresh ring: the first one meets pages that nobody has touched yet. */
import { ZooQueue } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { curve } from '../support/over-time.js';
import { stopwatch } from '../support/stopwatch.js';
import { touchLines } from '../support/tally.js';

/** @typedef {import('../../../dist/index.js').QueueOptions} QueueOptions */
/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { passes: number[], size: number, queue: QueueOptions }} Options */

const pageBytes = 4096;

/** @param {ZooQueue} producer @param {ZooQueue} consumer @param {Buffer} message @param {number} count @returns {number} seconds */
function pass(producer, consumer, message, count) {
  let sum = 0;
  const elapsed = stopwatch();
  for (let index = 0; index < count; index += 1) {
    producer.putBytesSync(message);
    const { view, cursor } = consumer.recvViewSync();
    sum += touchLines(view);
    consumer.commitRead(cursor);
  }
  const seconds = elapsed();
  if (sum < count) throw new Error(`${count} messages arrived with sum ${sum}`);
  return seconds;
}

/** @param {Options} options @returns {import('../../harness/types.d.ts').Session} */
export function open({ prefix, bytes, passes, size, queue, processors }) {
  place(processors, 0, 2);
  const name = `${prefix}-messages`;
  const message = Buffer.alloc(bytes, 1);
  const make = () => {
    const producer = ZooQueue.create(name, { size, ...queue });
    return { producer, consumer: ZooQueue.open(name) };
  };
  /** @param {ReturnType<typeof make>} ring */
  const remove = ({ producer, consumer }) => {
    consumer.close();
    producer.close();
    producer.unlink();
  };
  const first = make();
  let inOnePass = 0;
  while (first.producer.tryPutBytes(message)) inOnePass += 1;
  // The code is warm from here on; only the pages of each new ring are not.
  while (first.consumer.tryGetBytes());
  pass(first.producer, first.consumer, message, 4 * inOnePass);
  remove(first);
  return {
    async run() {
      const ring = make();
      try {
        return await curve(passes, async () => {
          const seconds = pass(ring.producer, ring.consumer, message, inOnePass);
          return (seconds * 1e9) / (size / pageBytes);
        });
      } finally {
        remove(ring);
      }
    },
    close() {},
  };
}

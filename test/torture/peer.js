/** A process or thread of the torture of queues, locks and streams: does what its role says until it is told to stop. */
import { openSync, writeSync } from 'node:fs';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { randomFrom } from './support/random.js';

/** @typedef {import('./support/peers.js').PeerPlan} PeerPlan */
/**
 * What a role has to do with.
 * @typedef {object} Scope
 * @property {number} id
 * @property {any} plan
 * @property {import('./support/random.js').Random} random
 * @property {(line: string) => void} note writes a line into the journal, at once
 * @property {{ stop: boolean }} state
 * @property {boolean} isThread
 */

/** @type {PeerPlan} */
const { role, journal, id, seed, plan } = isMainThread
  ? JSON.parse(process.argv[2] ?? '{}')
  : workerData;
const file = openSync(journal, 'a');
const state = { stop: false };
const stop = () => (state.stop = true);
if (isMainThread) {
  process.on('message', stop);
  // Whoever started this is dead.
  process.on('disconnect', () => process.exit(0));
} else {
  parentPort?.on('message', stop);
}

/** @type {Record<string, { run: (scope: Scope) => Promise<void> }>} */
const roles = {
  producer: await import('./queue-producer.js'),
  consumer: await import('./queue-consumer.js'),
  holder: await import('./lock-holder.js'),
  writer: await import('./stream-writer.js'),
  reader: await import('./stream-reader.js'),
};
const note = (/** @type {string} */ line) => void writeSync(file, `${line}\n`);
note('begun');
try {
  await roles[role]?.run({
    id,
    plan,
    random: randomFrom(seed),
    note,
    state,
    isThread: !isMainThread,
  });
} catch (error) {
  note(
    `! ${JSON.stringify(error instanceof Error ? (error.stack ?? error.message) : String(error))}`,
  );
  throw error;
}
process.exit(0);

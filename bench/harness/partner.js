/** The other side of a contender, in a process or a thread of its own. Started by `start-partner.js`. */
import { isMainThread, workerData } from 'node:worker_threads';

const [module, options] = isMainThread
  ? [process.argv[2] ?? '', JSON.parse(process.argv[3] ?? '{}')]
  : [workerData.module, workerData.options];

const { partner } = await import(module);
try {
  await partner(options);
} catch (error) {
  // How a blocking side learns that the measurement is over, or was broken off.
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ERR_ZOO_ENDED' && code !== 'ERR_ZOO_PEER_DIED') throw error;
}

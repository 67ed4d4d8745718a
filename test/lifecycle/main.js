/**
 * Runs one scenario, or one role of it: in a process (argument: the place as JSON) or in a worker
 * thread (the place is its workerData).
 */
import { isMainThread } from 'node:worker_threads';
import { Context, ThreadContext, placeOfThisThread } from './context.js';

/** @type {import('./context.js').Place} */
const place = isMainThread ? JSON.parse(process.argv[2] ?? '') : placeOfThisThread();
/** @type {{ scenarios: import('./scenario.js').Scenario[] }} */
const { scenarios } = await import(`./scenarios/${place.file}.js`);
const scenario = scenarios.find(({ name }) => name === place.scenario);
if (!scenario) throw new Error(`${place.file} has no scenario '${place.scenario}'`);

if (!isMainThread) {
  await scenario.threads?.[place.role ?? '']?.(new ThreadContext(place));
} else {
  const t = new Context(place);
  if (place.role !== undefined) {
    await scenario.peers?.[place.role]?.(t);
  } else {
    if (!scenario.cold) await t.warmUp();
    await scenario.run(t);
    if (!scenario.exits) await t.settled();
  }
}

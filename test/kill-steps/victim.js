/** A process that dies at a step of what it is told to do: `node victim.js ROLE JSON`. Its journal says how far it came. */
import { existsSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { roles } from './victim-roles.js';

const [role = '', text = '{}'] = process.argv.slice(2);
/** @type {{ directory: string, name: string, packageUrl: string }} */
const plan = JSON.parse(text);
const journal = openSync(`${plan.directory}/journal`, 'a');
const note = (/** @type {string} */ line) => void writeSync(journal, `${line}\n`);

const zoosync = await import(plan.packageUrl);
/** From now on steps count. */
const arm = () =>
  void writeSync(openSync(`${plan.directory}/control`, 'r+'), Buffer.from([1, 0, 0, 0]), 0, 4, 0);
await roles[role]?.({ zoosync, note, arm, plan });
// Who leaves with code 0 takes along the names that it has made: the other side has to come first.
while (!existsSync(`${plan.directory}/seen`)) await sleep(2);

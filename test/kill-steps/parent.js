/** A program with a pool that dies at a step: `node parent.js OPERATION JSON`. */
import { openSync, writeSync } from 'node:fs';
import { judge, operations } from './pool-operations.js';

const [operation = '', text = '{}'] = process.argv.slice(2);
/** @type {{ directory: string, packageUrl: string, workerUrl: string }} */
const { directory, packageUrl, workerUrl } = JSON.parse(text);
const { ZooPool } = await import(packageUrl);
const env = { ...process.env };
delete env['ZOO_KILL_CONTROL'];
writeSync(openSync(`${directory}/control`, 'r+'), Buffer.from([1, 0, 0, 0]), 0, 4, 0);
const pool = new ZooPool(new URL('tasks.js', import.meta.url), {
  workers: 2,
  data: { directory, workerUrl },
  env,
  size: '64KiB',
  stdio: 'ignore',
});
if (operation === 'the death of a worker') {
  const answer = await pool.run('dies', ['dies', directory], { retries: 1 });
  if (answer !== directory) throw new Error(`a task that ran again answered ${answer}`);
} else {
  await judge(operations[operation]?.(pool) ?? [], 0, () => []).catch((error) => {
    // What the tasks wrote down is not looked at here.
    if (!String(error.message).includes('was never started')) throw error;
  });
}
await pool.close();

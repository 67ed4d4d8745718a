/** Another user to try things as. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { packageUrl } from './processes.js';

export const nobody = { uid: 65_534, gid: 65_534 };

/** Whether another user can be tried: we are root, and that user can read the package. */
export const canBeNobody =
  process.getuid?.() === 0 &&
  spawnSync(
    process.execPath,
    ['-e', `require('fs').readFileSync(${JSON.stringify(fileURLToPath(packageUrl))})`],
    nobody,
  ).status === 0;

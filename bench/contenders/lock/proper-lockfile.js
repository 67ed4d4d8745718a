/** proper-lockfile: a folder beside the file says that it is locked. */
import { rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { place } from '../../harness/processors.js';
import { loadOptional } from '../../harness/unavailable.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open({ prefix, processors }) {
  const { default: lockfile } = await loadOptional('proper-lockfile');
  const file = path.join(os.tmpdir(), `${prefix}.file`);
  writeFileSync(file, '');
  place(processors, 0, 1);
  return {
    run(amount) {
      const elapsed = stopwatch();
      for (let index = 0; index < amount; index += 1) {
        const release = lockfile.lockSync(file);
        release();
      }
      return { operations: amount, seconds: elapsed() };
    },
    close: () => rmSync(file),
  };
}

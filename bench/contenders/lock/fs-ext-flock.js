/** `flock` of a file with fs-ext, when that package is installed. */
import { closeSync, openSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { place } from '../../harness/processors.js';
import { loadOptional } from '../../harness/unavailable.js';
import { stopwatch } from '../support/stopwatch.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open({ prefix, processors }) {
  const { flockSync } = await loadOptional('fs-ext');
  const file = path.join(os.tmpdir(), `${prefix}.lock`);
  const descriptor = openSync(file, 'w');
  place(processors, 0, 1);
  return {
    run(amount) {
      const elapsed = stopwatch();
      for (let index = 0; index < amount; index += 1) {
        flockSync(descriptor, 'ex');
        flockSync(descriptor, 'un');
      }
      return { operations: amount, seconds: elapsed() };
    },
    close() {
      closeSync(descriptor);
      rmSync(file);
    },
  };
}

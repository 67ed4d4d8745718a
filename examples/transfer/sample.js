/** A file to begin with. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const MiB = 2 ** 20;

/** Compresses to two thirds: large enough that a sender can be killed long before its end. */
function sampleBytes() {
  const noise = randomBytes(32 * MiB);
  const text = Buffer.alloc(
    16 * MiB,
    'A file from one process, through another one, to a storage. ',
  );
  return Buffer.concat([noise.subarray(0, 16 * MiB), text, noise.subarray(16 * MiB)]);
}

/** @param {(file: string) => Promise<void>} use what is done with the file before it is removed */
export async function withSampleFile(use) {
  const folder = mkdtempSync(path.join(tmpdir(), 'zoosync-transfer-'));
  try {
    const file = path.join(folder, 'sample');
    writeFileSync(file, sampleBytes());
    await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

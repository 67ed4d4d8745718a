/** A folder to begin with: many small files, as in a source tree or a mail folder. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const folders = 100;
const filesEach = 100;
const smallest = 256;
const largest = 65_536;
/** Steps of the golden ratio spread evenly, however many are taken. */
const goldenRatio = 0.618033988749895;

/** Bytes that no file system stores as a hole and no hash finds easier than others. */
function makeNoise() {
  const noise = Buffer.alloc(largest);
  for (let at = 0, state = 1; at < largest; at++) {
    state = (state * 48_271) % 0x7fffffff;
    noise[at] = state;
  }
  return noise;
}

/** @param {number} number @returns {number} bytes: as many files per doubling, so most are small */
const sizeOf = (number) =>
  Math.round(smallest * (largest / smallest) ** ((number * goldenRatio) % 1));

/** @param {string} folder is made unless it is there @param {(text: string) => void} say */
export function makeSample(folder, say) {
  if (existsSync(folder)) return;
  say(`Making a sample of ${(folders * filesEach).toLocaleString('en')} small files in ${folder}.`);
  const noise = makeNoise();
  /** @param {number} number */
  const contents = (number) => {
    noise.writeUInt32LE(number, 0);
    return noise.subarray(0, sizeOf(number));
  };
  // Made beside and renamed, so that a sample is complete or not there.
  const unfinished = `${folder}.${process.pid}`;
  try {
    for (let index = 0; index < folders; index++) {
      const into = path.join(unfinished, `folder-${String(index).padStart(3, '0')}`);
      mkdirSync(into, { recursive: true });
      for (let file = 0; file < filesEach; file++) {
        const name = `file-${String(file).padStart(2, '0')}.txt`;
        writeFileSync(path.join(into, name), contents(index * filesEach + file));
      }
    }
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

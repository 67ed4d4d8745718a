/** @returns {() => number} seconds since the call */
export function stopwatch() {
  const start = process.hrtime.bigint();
  return () => Number(process.hrtime.bigint() - start) / 1e9;
}

/**
 * Takes the time of each operation.
 * @param {number} count
 * @param {() => void} operation that blocks until it is done
 * @returns {import('../../harness/types.d.ts').Sample}
 */
export function timeEach(count, operation) {
  const latencies = new Float64Array(count);
  const elapsed = stopwatch();
  for (let index = 0; index < count; index += 1) {
    const start = process.hrtime.bigint();
    operation();
    latencies[index] = Number(process.hrtime.bigint() - start);
  }
  return { operations: count, seconds: elapsed(), latencies };
}

/**
 * The same for operations that wait on the event loop.
 * @param {number} count
 * @param {() => Promise<unknown>} operation
 * @returns {Promise<import('../../harness/types.d.ts').Sample>}
 */
export async function timeEachAsync(count, operation) {
  const latencies = new Float64Array(count);
  const elapsed = stopwatch();
  for (let index = 0; index < count; index += 1) {
    const start = process.hrtime.bigint();
    await operation();
    latencies[index] = Number(process.hrtime.bigint() - start);
  }
  return { operations: count, seconds: elapsed(), latencies };
}

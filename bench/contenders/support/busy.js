/** Work for a processor: always the same, about a millisecond. The module of the pool, too. */

const rounds = 615_000;

/** @param {number} seed @returns {number} depends on every round */
export function work(seed) {
  let value = seed | 1;
  for (let round = 0; round < rounds; round += 1) {
    value = (Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) + round) | 0;
  }
  return value;
}

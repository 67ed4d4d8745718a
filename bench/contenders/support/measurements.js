/** Small objects as programs send them. */

/** @typedef {{ id: number, name: string, value: number, isValid: boolean }} Measurement */

/** @param {number} id @returns {Measurement} */
export const measurement = (id) => ({ id, name: 'temperature', value: id / 2, isValid: true });

/** @param {number} sum of all ids @param {number} count */
export function checkSum(sum, count) {
  const expected = (count * (count - 1)) / 2;
  if (sum !== expected) throw new Error(`the sum of the ids is ${sum} instead of ${expected}`);
}

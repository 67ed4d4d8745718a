/** What host and partner tell each other over the channel of `child_process`, outside of what is measured. */
import { once } from 'node:events';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/** @param {ChildProcess} child @returns {Promise<any>} what the partner says next */
export async function answer(child) {
  const [message] = await once(child, 'message');
  return message;
}

/** @param {ChildProcess} child @param {object} order @returns {Promise<any>} the answer to it */
export function ask(child, order) {
  const answered = answer(child);
  child.send(order);
  return answered;
}

/**
 * For the partner.
 * @template Order
 * @param {(order: Order, say: (message: unknown) => void) => void | Promise<void>} obey
 */
export function onOrder(obey) {
  /** @param {unknown} message */
  const say = (message) => process.send?.(message);
  process.on('message', (order) => {
    Promise.resolve(obey(/** @type {Order} */ (order), say)).catch((error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    });
  });
}

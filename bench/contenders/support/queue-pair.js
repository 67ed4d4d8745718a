/** Two queues between a contender and its partner: messages there, answers back. */
import { ZooQueue } from '../../../dist/index.js';

/**
 * @param {string} prefix
 * @param {import('../../../dist/index.js').QueueOptions} [options] of the queue of messages
 * @returns {{ messages: ZooQueue, answers: ZooQueue }}
 */
export function createQueues(prefix, options = {}) {
  return {
    messages: ZooQueue.create(`${prefix}-messages`, { ...options, writer: true }),
    answers: ZooQueue.create(`${prefix}-answers`),
  };
}

/**
 * @param {string} prefix
 * @param {import('../../../dist/index.js').OpenOptions} [options] of the queue of messages
 * @returns {{ messages: ZooQueue, answers: ZooQueue }}
 */
export function openQueues(prefix, options = {}) {
  return {
    messages: ZooQueue.open(`${prefix}-messages`, options),
    answers: ZooQueue.open(`${prefix}-answers`, { writer: true }),
  };
}

/** @param {ReturnType<typeof createQueues>} queues the creator's: their names go too */
export function removeQueues({ messages, answers }) {
  for (const queue of [messages, answers]) {
    queue.close();
    queue.unlink();
  }
}

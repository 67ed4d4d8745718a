/** Two queues between a contender and its partner: messages there, answers back. */
import { ZooQueue } from '../../../dist/index.js';
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { stopwatch } from './stopwatch.js';
import { announce, checkAnswer } from './tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

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

/**
 * The side that measures: `send` puts so many messages, and the partner answers with its tally of them.
 * @param {string} module URL of the contender
 * @param {ContenderOptions} options
 * @param {object} how
 * @param {(messages: ZooQueue, count: number) => void} how.send
 * @param {import('../../../dist/index.js').QueueOptions} [how.queue] options of the queue of messages
 * @param {number} [how.batch] messages come in multiples of this
 * @param {boolean} [how.isRead] whether the partner looks at the messages, so that its sum can be checked
 * @returns {import('../../harness/types.d.ts').Session}
 */
export function sendingSession(module, options, { send, queue = {}, batch = 1, isRead = true }) {
  const queues = createQueues(options.prefix, queue);
  const { messages, answers } = queues;
  const child = startProcess(module, options);
  place(options.processors, 0, 2);
  return {
    run(amount) {
      const count = Math.ceil(amount / batch) * batch;
      const elapsed = stopwatch();
      messages.putBytesSync(announce(count));
      send(messages, count);
      const answer = answers.getBytesSync();
      const seconds = elapsed();
      if (isRead) checkAnswer(answer, count);
      return { operations: count, seconds };
    },
    async close() {
      messages.end();
      await ended(child);
      removeQueues(queues);
    },
  };
}

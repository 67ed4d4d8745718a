import { framesQuestions } from './frames.js';
import { lockQuestions } from './lock.js';
import { poolQuestions } from './pool.js';
import { queueQuestions } from './queue.js';
import { streamsQuestions } from './streams.js';

/** All questions, in the order in which they are put. */
export const questions = [
  ...queueQuestions,
  ...lockQuestions,
  ...framesQuestions,
  ...poolQuestions,
  ...streamsQuestions,
];

/** @type {string[]} */
export const parts = [...new Set(questions.map(({ part }) => part))];

import { framesQuestions } from './frames.js';
import { lockQuestions } from './lock.js';
import { queueQuestions } from './queue.js';

/** All questions, in the order in which they are put. */
export const questions = [...queueQuestions, ...lockQuestions, ...framesQuestions];

/** @type {string[]} */
export const parts = [...new Set(questions.map(({ part }) => part))];

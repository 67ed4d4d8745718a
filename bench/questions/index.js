import { framesQuestions } from './frames.js';
import { lockQuestions } from './lock.js';
import { poolQuestions } from './pool.js';
import { queueQuestions } from './queue.js';
import { scalingQuestions } from './scaling.js';
import { streamsQuestions } from './streams.js';
import { versionsPart, versionsQuestions } from './versions.js';

/** All questions, in the order in which they are put. */
export const questions = [
  ...queueQuestions,
  ...scalingQuestions,
  ...lockQuestions,
  ...framesQuestions,
  ...poolQuestions,
  ...streamsQuestions,
  ...versionsQuestions,
];

export const parts = [...new Set(questions.map(({ part }) => part))];

/** What is asked when no part is named: all but what has to fetch something first. */
export const defaultParts = parts.filter((part) => part !== versionsPart);

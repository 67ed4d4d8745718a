/** What ours is asked on each version of Node, side by side. */
import { majors } from '../../scripts/support/nodes.js';
import { lockQuestions } from './lock.js';
import { poolQuestions } from './pool.js';
import { queueQuestions } from './queue.js';

/** @typedef {import('../harness/types.d.ts').Question} Question */
/** @typedef {import('../harness/types.d.ts').NodeMajor} NodeMajor */

export const versionsPart = 'versions';

const others = [...queueQuestions, ...lockQuestions, ...poolQuestions];

/** Ours alone of these questions; `name` where a question has several of ours. */
const asked = [
  { id: 'queue-single' },
  { id: 'queue-batch' },
  { id: 'queue-await' },
  { id: 'queue-round-trip-event-loop' },
  { id: 'queue-round-trip-blocking' },
  { id: 'lock-uncontended' },
  { id: 'pool-noop-many', name: 'zoosync, threads', suffix: 'threads' },
  { id: 'pool-noop-many', name: 'zoosync, processes', suffix: 'processes' },
];

/** @param {{ id: string, name?: string, suffix?: string }} wanted @returns {Question} */
function onEachVersion({ id, name, suffix }) {
  const question = others.find((other) => other.id === id);
  const ours = question?.contenders.find((contender) =>
    name === undefined ? contender.role === 'ours' : contender.name === name,
  );
  if (!question || !ours) throw new Error(`the question ${id} has no contender to run again`);
  const ending = suffix === undefined ? '' : `-${suffix}`;
  return {
    ...question,
    id: `versions-${id}${ending}`,
    part: versionsPart,
    title: suffix === undefined ? question.title : `${question.title}, ${suffix}`,
    contenders: majors.map((major) => ({
      ...ours,
      name: `Node ${major}`,
      role: 'ours',
      node: /** @type {NodeMajor} */ (major),
    })),
    verdict: () => undefined,
  };
}

export const versionsQuestions = asked.map((wanted) => onEachVersion(wanted));

/** What the user asked for. */
import { parseArgs } from 'node:util';
import { parts, questions } from '../questions/index.js';

const usage = `npm run bench -- [${parts.join('] [')}] [options]

  --only ID      one question; may be repeated
  --rounds N     rounds of each contender (7; the report needs 5)
  --quick        one short round, to see that everything runs
  --list         the questions and their contenders
`;

/** @param {string} message @returns {never} */
function refuse(message) {
  process.stderr.write(`bench: ${message}\n\n${usage}`);
  process.exit(2);
}

/** @param {string[]} given */
function parse(given) {
  try {
    return parseArgs({
      args: given,
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string', default: '7' },
        quick: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string[]} given */
export function readArguments(given) {
  const { values, positionals } = parse(given);
  if (values.help) {
    process.stdout.write(usage);
    process.exit();
  }
  for (const part of positionals) {
    if (!parts.includes(part)) refuse(`there is no part '${part}', but ${parts.join(', ')}`);
  }
  for (const id of values.only) {
    if (!questions.some((question) => question.id === id)) {
      refuse(`there is no question '${id}'; --list shows them all`);
    }
  }
  const rounds = values.quick ? 1 : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000) {
    refuse(`--rounds must be a whole number from 1 to 1000, not '${values.rounds}'`);
  }
  const chosen = questions.filter(
    ({ id, part }) =>
      (positionals.length === 0 || positionals.includes(part)) &&
      (values.only.length === 0 || values.only.includes(id)),
  );
  if (chosen.length === 0) refuse('no question is in these parts and has this name');
  /** @type {import('./types.d.ts').Pace} */
  const pace = values.quick
    ? { rounds, seconds: 0.05, warmUpSeconds: 0.02, quick: true }
    : { rounds, seconds: 0.5, warmUpSeconds: 0.5, quick: false };
  return { chosen, pace, list: values.list, isComplete: chosen.length === questions.length };
}

/** What the user asked for. */
import { parseArgs } from 'node:util';
import { defaultParts, parts, questions } from '../questions/index.js';
import { paceOf, paces, roundsToPublish } from './pace.js';

const usage = `Measures zoosync beside its peers, in turns, on this machine.

npm run bench -- [part …] [options]

Parts: ${parts.join(' ')}
  Without a part: ${defaultParts.join(', ')}. 'versions' runs ours on Node 20 to 26
  and fetches those that are missing from the npm registry into out/nodes.

Options
  --only ID      one question, may be repeated; --list shows the IDs
  --rounds N     rounds of each contender: ${paces.usual.rounds}, with --long ${paces.long.rounds}
  --long         rounds of ${paces.long.seconds} s instead of ${paces.usual.seconds} s, and 1,000 kills where there are few otherwise
  --quick        one very short round, to see that everything runs; the figures mean nothing
  --publish      after a complete run, writes the figures into docs/ and README.md
  --list         the questions and their contenders
  --help         this

Each run leaves bench/results/: a JSON file for each question, report.md with everything that is
there, and the plots. A contender that cannot run here is left out and says why. Nothing else
should run meanwhile; fix the processor's frequency for figures that are to be compared.
`;

/** @param {string} message @returns {never} */
function refuse(message) {
  process.stderr.write(`bench: ${message}\nnpm run bench -- --help explains everything.\n`);
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
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        long: { type: 'boolean', default: false },
        publish: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string | undefined} text @returns {number | undefined} */
function roundsFrom(text) {
  if (text === undefined) return undefined;
  const rounds = Number(text);
  if (/^\d+$/.test(text) && rounds >= 1 && rounds <= 1000) return rounds;
  return refuse(`--rounds must be a whole number from 1 to 1000, not '${text}'`);
}

/** @param {string[]} named @param {string[]} ids */
function choose(named, ids) {
  const unknownPart = named.find((part) => !parts.includes(part));
  if (unknownPart !== undefined) {
    refuse(`there is no part '${unknownPart}', but ${parts.join(', ')}`);
  }
  const unknownId = ids.find((id) => !questions.some((question) => question.id === id));
  if (unknownId !== undefined) {
    const all = questions.map(({ id }) => `  ${id}`).join('\n');
    refuse(`there is no question '${unknownId}', but\n${all}`);
  }
  const wanted = named.length === 0 && ids.length === 0 ? defaultParts : named;
  const chosen = questions.filter(
    ({ id, part }) =>
      (wanted.length === 0 || wanted.includes(part)) && (ids.length === 0 || ids.includes(id)),
  );
  const elsewhere = ids.find((wantedId) => !chosen.some(({ id }) => id === wantedId));
  if (elsewhere !== undefined) refuse(`${elsewhere}: not in ${named.join(', ')}`);
  return chosen;
}

/** @param {string[]} given */
export function readArguments(given) {
  const { values, positionals } = parse(given);
  if (values.help) {
    process.stdout.write(usage);
    process.exit();
  }
  const { quick, long, publish, list } = values;
  if (quick && long) refuse('--quick and --long exclude each other');
  const rounds = roundsFrom(values.rounds);
  const chosen = choose(positionals, values.only);
  const pace = paceOf({ quick, long, rounds });
  const isComplete = questions
    .filter(({ part }) => defaultParts.includes(part))
    .every((question) => chosen.includes(question));
  if (publish && (!isComplete || quick || pace.rounds < roundsToPublish)) {
    refuse(`--publish needs all default parts and at least ${roundsToPublish} rounds`);
  }
  return { chosen, pace, list, publish };
}

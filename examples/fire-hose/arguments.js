/** What the command line asks for. */
import { parseArgs } from 'node:util';

const mostProducers = 32;
const secondsWithoutTerminal = 9;

const help = `Usage: node examples/fire-hose/main.js [options]

Producer processes send metrics as fast as they may; one consumer watches the average of each.

  --producers N  1 to ${mostProducers} (default: 4)
  --seconds N    stops after that time, prints lines instead of a table, and is slow in the second
                 third (default without a terminal: ${secondsWithoutTerminal})
  --kill         kills a producer half-way
  --help         shows this text
`;

/** @param {string} message @returns {never} */
function refuse(message) {
  process.stderr.write(`fire-hose: ${message}\n`);
  process.exit(2);
}

/** @param {string} option @param {string} text @param {number} most */
function positive(option, text, most) {
  const value = Number(text);
  if (!(value > 0 && value <= most)) {
    refuse(`${option} must be more than 0 and at most ${most}, not '${text}'`);
  }
  return value;
}

/** @param {string[]} given */
function parse(given) {
  try {
    return parseArgs({
      args: given,
      options: {
        producers: { type: 'string', default: '4' },
        seconds: { type: 'string' },
        kill: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string[]} given @returns {{ producers: number, seconds: number | undefined, kill: boolean }} */
export function readArguments(given) {
  const { producers: count, seconds: limit, kill, help: isHelp } = parse(given);
  if (isHelp) {
    process.stdout.write(help);
    process.exit();
  }
  const producers = positive('--producers', count, mostProducers);
  if (!Number.isInteger(producers)) refuse(`--producers must be a whole number, not '${count}'`);
  if (limit !== undefined) return { producers, seconds: positive('--seconds', limit, 1e6), kill };
  const hasTerminal = process.stdin.isTTY && process.stdout.isTTY;
  return { producers, seconds: hasTerminal ? undefined : secondsWithoutTerminal, kill };
}

/** Counting the instructions of a program with valgrind's callgrind. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fromRoot, quiet } from './run.js';

/**
 * @typedef {object} Report what was counted since the report before
 * @property {string} trigger what the program, or the function it called, is named
 * @property {Map<string, number>} instructions by the file that holds their code
 */

/**
 * Callgrind writes text: `ob=` names the file that the costs below it belong to; a line that begins
 * with a position is a cost, behind `calls=` that of the function called, which has its own lines.
 * @param {string} text @returns {Report}
 */
function parse(text) {
  const trigger = /^desc: Trigger: (?:Client Request: )?(.*)$/m.exec(text)?.[1] ?? '';
  const instructions = new Map();
  let object = '';
  let ofCallee = false;
  for (const line of text.slice(text.indexOf('\nsummary:') + 1).split('\n')) {
    if (line.startsWith('ob=')) object = line.slice('ob='.length);
    else if (line.startsWith('calls=')) ofCallee = true;
    else if (/^[\d+*-]/.test(line)) {
      const cost = Number(line.slice(line.indexOf(' ')));
      if (!ofCallee) instructions.set(object, (instructions.get(object) ?? 0) + cost);
      ofCallee = false;
    }
  }
  return { trigger, instructions };
}

/**
 * Runs a program under callgrind.
 * @param {string[]} options of callgrind
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {{ output: string, reports: Report[] }} what it wrote, and the reports in their order
 */
export function callgrind(options, command, env = process.env) {
  const parent = fromRoot('build', 'instructions');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(path.join(parent, 'run-'));
  try {
    const output = quiet(
      'valgrind',
      [
        '--tool=callgrind',
        '--quiet',
        '--collect-atstart=no',
        '--compress-strings=no',
        '--compress-pos=no',
        `--callgrind-out-file=${path.join(folder, 'out')}`,
        ...options,
        ...command,
      ],
      { env },
    );
    // The one without a number is what came after the last report.
    const reports = readdirSync(folder)
      .map((file) => ({ file, number: Number(/^out\.(\d+)$/.exec(file)?.[1]) }))
      .filter(({ number }) => number > 0)
      .sort((one, other) => one.number - other.number)
      .map(({ file }) => parse(readFileSync(path.join(folder, file), 'utf8')));
    return { output, reports };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

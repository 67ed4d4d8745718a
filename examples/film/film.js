/**
 * A film through shared memory: ffmpeg decodes it into the slots of a queue, detectors paint what
 * moves, an encoder makes a film of it again, and a preview looks on. See README.md.
 */
import { inspect } from 'node:util';
import { ZooError } from 'zoosync';
import { readArguments } from './arguments.js';
import { Failure } from './failure.js';
import { makeFilm } from './supervisor.js';

const endings = /** @type {const} */ ({ SIGINT: 130, SIGTERM: 143 });

const stop = new AbortController();
for (const [signal, exitCode] of Object.entries(endings)) {
  process.once(signal, () => {
    stop.abort(new Failure(`${signal}: stopped before the film was complete.`, exitCode));
  });
}

try {
  const wishes = readArguments(process.argv.slice(2));
  if (wishes.help !== undefined) process.stdout.write(wishes.help);
  else await makeFilm(wishes, stop.signal);
} catch (error) {
  const expected = error instanceof Failure || error instanceof ZooError;
  process.stderr.write(`film: ${expected ? error.message : inspect(error)}\n`);
  process.exitCode = error instanceof Failure ? error.exitCode : 1;
}

/** How the processes of the film end. */
import { inspect } from 'node:util';
import { ZooError } from 'zoosync';
import { namesOf, unlinkAll } from './parts.js';

/**
 * The supervisor feeds the frames, keeps all queues from their end, and removes their names last of all: while it
 * lives, none of these can happen.
 */
const signsOfDeath = new Set(['ERR_ZOO_PEER_DIED', 'ERR_ZOO_NOT_FOUND', 'ERR_ZOO_ENDED']);

/**
 * The supervisor ends this process, not the keyboard: Ctrl-C reaches all of them at once. When the
 * supervisor itself is killed, nobody is left to tidy up but us.
 *
 * @returns {import('./parts.js').Names} of what it has made for us
 */
export function followSupervisor() {
  process.on('SIGINT', () => {});
  const supervisor = Number(process.argv[2]);
  const names = namesOf(supervisor);
  const tidyUp = () => {
    unlinkAll(names);
    // Nobody reads the exit code any more, and with 0 this process closes what it has open.
    process.exit(0);
  };
  process.once('disconnect', tidyUp);
  // Listening keeps a process alive; this one ends when its work is done.
  process.channel?.unref();
  process.on('uncaughtException', (error) => {
    const isOurs = error instanceof ZooError;
    if (isOurs && signsOfDeath.has(error.code)) tidyUp();
    process.stderr.write(`film: ${isOurs ? error.message : inspect(error)}\n`);
    process.exit(1);
  });
  if (process.ppid !== supervisor) tidyUp();
  return names;
}

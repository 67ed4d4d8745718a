/** A publisher and a polling subscriber of iceoryx, two C++ processes, beside a RouDi of our own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Unavailable } from '../../harness/unavailable.js';
import { compile, nativeSession, placesFor } from '../support/native-program.js';

const packages = 'iceoryx libiceoryx-posh-dev libiceoryx-hoofs-dev';
const includes = ['/usr/include/iceoryx/v2.0.3', '/usr/local/include/iceoryx/v2.0.3'];

/** The daemon that owns the memory. @returns {Promise<import('node:child_process').ChildProcess>} */
async function startRouDi() {
  // It ends with this process, even when that is killed; and it takes its memory away then.
  const words = ['--pdeathsig', 'TERM', 'iox-roudi', '--monitoring-mode', 'off'];
  const daemon = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let last = 'it said nothing';
  daemon.stderr.on('data', (chunk) => {
    last = String(chunk).trim().split('\n').at(-1) ?? last;
  });
  try {
    await new Promise((resolve, reject) => {
      daemon.once('error', reject);
      daemon.once('exit', (code, signal) => reject(new Error(`${signal ?? `code ${code}`}`)));
      createInterface(daemon.stdout).on('line', (line) => {
        if (line.includes('ready for clients')) resolve(undefined);
      });
    });
  } catch (error) {
    throw new Unavailable(`iox-roudi does not start: ${last} (${error})`);
  }
  return daemon;
}

/** @typedef {import('../../harness/types.d.ts').ContenderOptions} ContenderOptions */

/** @param {ContenderOptions} options @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open({ prefix, processors }) {
  const program = compile('iceoryx_topic', {
    packages,
    arguments: [
      ...includes.flatMap((folder) => ['-isystem', folder]),
      '-liceoryx_posh',
      '-liceoryx_hoofs',
      '-liceoryx_platform',
    ],
  });
  const daemon = await startRouDi();
  const places = placesFor(processors, 2);
  return {
    ...nativeSession(program, (amount) => [amount, prefix, ...places]),
    async close() {
      const gone = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await gone;
    },
  };
}

/** zeromq.js: a Push socket here, a Pull socket there, over `ipc://`. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { place } from '../../harness/processors.js';
import { ended, startProcess } from '../../harness/start-partner.js';
import { loadOptional } from '../../harness/unavailable.js';
import { stopwatch } from '../support/stopwatch.js';
import { Tally, announce, checkAnswer } from '../support/tally.js';

/** @typedef {import('../../harness/types.d.ts').ContenderOptions & { folder: string }} Options */

/** @param {Options} given @returns {Promise<import('../../harness/types.d.ts').Session>} */
export async function open(given) {
  const { Push, Pull } = await loadOptional('zeromq');
  const folder = mkdtempSync(path.join(os.tmpdir(), `${given.prefix}-`));
  const options = { ...given, folder };
  const messages = new Push();
  const answers = new Pull();
  await messages.bind(`ipc://${folder}/messages`);
  await answers.bind(`ipc://${folder}/answers`);
  const child = startProcess(import.meta.url, options);
  // After the sockets: zeromq's own thread keeps all processors.
  place(options.processors, 0, 2);
  const message = Buffer.alloc(options.bytes);
  return {
    async run(amount) {
      const elapsed = stopwatch();
      await messages.send(announce(amount));
      for (let index = 0; index < amount; index += 1) {
        message[0] = index;
        await messages.send(message);
      }
      const [answer] = await answers.receive();
      checkAnswer(answer, amount);
      return { operations: amount, seconds: elapsed() };
    },
    async close() {
      // No message of this length is a count or a payload: it says that nothing follows.
      await messages.send('');
      await ended(child);
      messages.close();
      answers.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @param {Options} options */
export async function partner({ folder, processors }) {
  const { Push, Pull } = await loadOptional('zeromq');
  const messages = new Pull();
  const answers = new Push();
  messages.connect(`ipc://${folder}/messages`);
  answers.connect(`ipc://${folder}/answers`);
  place(processors, 1, 2);
  process.disconnect();
  const tally = new Tally();
  for await (const [message] of messages) {
    if (message.length === 0) break;
    if (tally.take(message)) await answers.send(tally.answer);
  }
  messages.close();
  answers.close();
}

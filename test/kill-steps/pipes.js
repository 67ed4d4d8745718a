/** A writer or a reader of a pipe dies at a step. */
import { expect, within } from './trial.js';
import { accepted, checkEnd, drain, load, nextName, openOrGone, startVictim } from './victims.js';

/** @typedef {import('./trial.js').Scenario} Scenario */

/** @param {string} role @returns {Scenario} */
function pipeWriter(role) {
  return {
    name: `pipe writer: ${role}`,
    async run(trial) {
      const { ZooPipe } = await load();
      const name = nextName();
      trial.afterwards(() => ZooPipe.unlink(name));
      const victim = startVictim(trial, role, name, { memoryLimit: '64KiB', chunkSize: 4096 });
      const pipe = await within(
        openOrGone(() => ZooPipe.open(name, { timeout: 200 }), victim.isGone),
        'the pipe',
      );
      victim.release();
      let bytes = Buffer.alloc(0);
      let end;
      if (pipe) {
        const result = await within(
          drain(() => pipe),
          'the end of the pipe',
        );
        bytes = Buffer.concat(result.items);
        end = result.end;
      }
      const died = await victim.gone;
      bytes.forEach((byte, i) => expect(byte === (i & 255), `byte ${i} is ${byte}`));
      expect(
        bytes.length >= accepted(trial),
        `${accepted(trial)} bytes were accepted, and ${bytes.length} came`,
      );
      if (pipe) {
        checkEnd(trial, end, died);
        await pipe[Symbol.asyncDispose]();
      } else expect(died && accepted(trial) === 0, 'a pipe with bytes in it was not found');
      const again = ZooPipe.create(name);
      await again[Symbol.asyncDispose]();
    },
  };
}

/** @type {Scenario} */
const pipeReader = {
  name: 'pipe reader: read',
  async run(trial) {
    const { ZooPipe } = await load();
    const name = nextName();
    const pipe = ZooPipe.create(name, { memoryLimit: '16KiB', chunkSize: 2048 });
    trial.afterwards(() => pipe[Symbol.asyncDispose]());
    const victim = startVictim(trial, 'read', name, {});
    victim.release();
    let position = 0;
    let end;
    const writing = (async () => {
      try {
        // More than the pipe and its reader take: it has to wait, and to learn of the end.
        while (position < 200_000) {
          const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => (position + i) & 255));
          await pipe.write(bytes, victim.isGone() ? { timeout: 10_000 } : {});
          position += 1000;
        }
      } catch (error) {
        end = /** @type {any} */ (error).code;
      }
    })();
    const died = await within(victim.gone, 'the end of the reader');
    const opened =
      trial.control.read().visits.has('join.active') || trial.lines('journal').length > 0;
    if (died && !opened) {
      // It was never the reader of this pipe: another one may be.
      const reader = await within(
        ZooPipe.open(name, { timeout: 20_000 }),
        'a pipe without a reader',
      ).catch((error) => error);
      if (reader instanceof Error) await pipe.fail(reader);
      else {
        await reader.read();
        await reader[Symbol.asyncDispose]();
      }
    }
    await within(writing, 'the writer to learn of the end');
    const expected = died ? ['ERR_ZOO_PEER_DIED', 'ERR_ZOO_ENDED'] : ['ERR_ZOO_ENDED'];
    expect(
      expected.includes(String(end)),
      `the writer learnt ${end}, and the reader ${died ? 'died' : 'left'}`,
    );
  },
};

export const scenarios = [pipeWriter('write'), pipeWriter('writeSync'), pipeReader];

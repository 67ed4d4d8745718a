/** Starting a process that dies at a step, and looking at what it leaves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageUrl } from './prepare.js';
import { expect } from './trial.js';

/** @typedef {import('./trial.js').Trial} Trial */

/** The package with kill steps. @returns {Promise<any>} */
export const load = () => import(packageUrl);
let names = 0;
export const nextName = () => `zookill.${process.pid}.${(names += 1)}`;

/**
 * A process that dies at the step of the trial, or comes through.
 * @param {Trial} trial @param {string} role @param {string} name @param {object} options
 */
export function startVictim(trial, role, name, options) {
  trial.arm();
  trial.control.disarm();
  const plan = { directory: trial.directory, name, options, packageUrl };
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('victim.js', import.meta.url)), role, JSON.stringify(plan)],
    {
      env: { ...process.env, ZOO_KILL_CONTROL: trial.control.path },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let complaints = '';
  child.stderr.on('data', (text) => (complaints += String(text)));
  trial.afterwards(() => child.kill('SIGKILL'));
  const gone = once(child, 'close').then(([code, signal]) => {
    const { died } = trial.control.read();
    expect(
      died ? signal === 'SIGKILL' : code === 0,
      `the victim ended with ${code}, ${signal}: ${complaints}`,
    );
    return died;
  });
  gone.catch(() => undefined);
  return {
    gone,
    isGone: () => child.exitCode !== null || child.signalCode !== null,
    /** It need not stay for this side any longer. */
    release: () => writeFileSync(`${trial.directory}/seen`, ''),
  };
}

/** What was accepted for sure. @param {Trial} trial */
export function accepted(trial) {
  return Math.max(
    0,
    ...trial
      .lines('journal')
      .filter((line) => line.startsWith('= '))
      .map((line) => Number(line.slice(2))),
  );
}

/**
 * Opens what the victim makes; undefined when it died before it had made it.
 * @param {() => Promise<any>} open @param {() => boolean} isGone
 */
export async function openOrGone(open, isGone) {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (/** @type {any} */ (error).code !== 'ERR_ZOO_TIMEOUT') throw error;
      if (isGone()) return undefined;
    }
  }
}

/** Which end the reader has to see. @param {Trial} trial @param {string | undefined} end @param {boolean} died */
export function checkEnd(trial, end, died) {
  const said = trial.lines('journal');
  if (said.includes('closed'))
    expect(end === undefined, `the writer closed, and its reader learnt ${end}`);
  else if (said.includes('failed'))
    expect(end === 'RangeError', `the writer failed, and its reader learnt ${end}`);
  else {
    expect(died, 'the writer came to no end');
    // It may have died between its end and saying so.
    expect(
      end === 'ERR_ZOO_PEER_DIED' || end === undefined || end === 'RangeError',
      `the writer died, and its reader learnt ${end}`,
    );
  }
}

/** @param {() => any} source @returns {Promise<{ items: any[], end: string | undefined }>} */
export async function drain(source) {
  const items = [];
  try {
    for await (const item of source()) items.push(item);
    return { items, end: undefined };
  } catch (error) {
    const { code, name } = /** @type {any} */ (error);
    return { items, end: code ?? name };
  }
}

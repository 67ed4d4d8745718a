/** Everything that can be said about the sources without running them. `npm run lint` */
import { readFileSync } from 'node:fs';
import { exists, fromRoot, localCommand, show } from './support/run.js';
import { cxxFiles, formattedByOxfmt, ownTexts } from './support/sources.js';
import { filesBelow } from './support/stamp.js';

/** @typedef {{ file: string, line: number, text: string }} Finding */

/** @param {string[]} files @param {RegExp} pattern @returns {Finding[]} the lines that match */
function linesWith(files, pattern) {
  return files.flatMap((file) =>
    readFileSync(fromRoot(file), 'utf8')
      .split('\n')
      .map((text, index) => ({ file, line: index + 1, text: text.trim() }))
      .filter(({ text }) => pattern.test(text)),
  );
}

/** @param {Finding[]} findings @param {string} complaint @returns {boolean} true when there is none */
function report(findings, complaint) {
  for (const { file, line, text } of findings) {
    process.stderr.write(`${file}:${line}: ${complaint}: ${text}\n`);
  }
  return findings.length === 0;
}

/** Each publishing store names what it publishes, and each consuming load what it reads. */
function checkPublishPairs() {
  const core = filesBelow(['native/core']);
  /** @param {string} word */
  const named = (word) => {
    const pattern = new RegExp(`\\b${word} (\\w+)`);
    return linesWith(core, pattern).map((finding) => ({
      finding,
      name: finding.text.match(pattern)?.[1],
    }));
  };
  const published = named('PUBLISH');
  const consumed = named('CONSUME');
  /** @param {typeof published} these @param {typeof published} those */
  const unpaired = (these, those) =>
    these
      .filter(({ name }) => !those.some((that) => that.name === name))
      .map(({ finding }) => finding);
  const everyPublishIsRead = report(unpaired(published, consumed), 'PUBLISH without its CONSUME');
  const everyReadIsPublished = report(unpaired(consumed, published), 'CONSUME without its PUBLISH');
  return everyPublishIsRead && everyReadIsPublished;
}

// The brackets keep these patterns from finding themselves.
const unfinished = /\b(TOD[O]|FIXM[E]|XX[X])\b/;
const switchedOff = /\b(it|test|describe)\.(only|todo)\(/;
const otherMachines = /(^|[^\w.])\/(hom[e]|roo[t]|User[s]|wor[k]|tmp\/[a-z])\//;

function checkWords() {
  const texts = ownTexts();
  return [
    report(linesWith(texts, unfinished), 'unfinished'),
    report(linesWith(texts, switchedOff), 'other tests are switched off'),
    report(linesWith(texts, otherMachines), 'a path of one machine'),
    report(linesWith(['package-lock.json'], /"resolved": "http/), 'a registry host'),
  ].every(Boolean);
}

function checkCxxFormat() {
  const files = cxxFiles();
  if (files.length === 0) return true;
  if (!exists('clang-format')) {
    process.stderr.write(
      'The format of the C++ files is not checked: clang-format is not installed.\n',
    );
    return !process.env.CI;
  }
  return show('clang-format', ['--dry-run', '-Werror', ...files]) === 0;
}

const checks = [
  show(localCommand('oxlint'), ['--quiet', '--format=unix']) === 0,
  show(localCommand('oxfmt'), ['--check', ...formattedByOxfmt]) === 0,
  checkCxxFormat(),
  checkPublishPairs(),
  checkWords(),
];
if (!checks.every(Boolean)) process.exitCode = 1;

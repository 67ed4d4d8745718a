/** Which files of the repository the tools look at. */
import { filesBelow } from './stamp.js';

/** The parts of the repository that we write ourselves. */
export const ownPlaces = [
  'src',
  'native',
  'test',
  'bench',
  'examples',
  'docs',
  'scripts',
  '.ci',
  'README.md',
  'package.json',
  'binding.gyp',
  'tsconfig.json',
  'tsconfig.check.json',
  'vitest.config.ts',
];

/** Patterns for oxfmt; documents keep the line breaks of their authors. */
export const formattedByOxfmt = [
  '{src,test,bench,examples,scripts}/**/*.{ts,js,mjs}',
  '*.{ts,json}',
  '!package-lock.json',
];

/** @returns {string[]} all C++ files */
export const cxxFiles = () =>
  filesBelow(['native', 'examples', 'bench', 'test'], (file) => /\.(h|cc|cpp)$/.test(file));

/** @param {string} file relative to the root folder @returns {boolean} whether it is a text of ours */
export const isText = (file) =>
  /\.(h|cc|cpp|ts|js|mjs|json|md|gyp|txt|sh)$/.test(file) || file.startsWith('.ci/');

/** @returns {string[]} every text of ours */
export const ownTexts = () =>
  filesBelow(ownPlaces, (file) => isText(file) && !file.startsWith('bench/results/'));

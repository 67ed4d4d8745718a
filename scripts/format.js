/** Formats everything: oxfmt for TypeScript, JavaScript, JSON and Markdown, clang-format for C++. */
import { cxxFiles, formattedByOxfmt } from './support/sources.js';
import { exists, localCommand, quiet, show } from './support/run.js';

process.exitCode = show(localCommand('oxfmt'), ['--write', ...formattedByOxfmt]);
if (exists('clang-format')) {
  const files = cxxFiles();
  if (files.length > 0) quiet('clang-format', ['-i', ...files]);
} else {
  process.stderr.write('C++ is left as it is: clang-format is not installed.\n');
}

/**
 * The random torture run of native/core, with everything after `--` handed to it:
 *
 *   npm run torture -- --kills 10000 --seed 7
 */
import { build, haveTools, programPath } from './support/core-tests.js';
import { show } from './support/run.js';

haveTools();
build({}, ['torture']);
process.exitCode = show(programPath({}, 'torture'), process.argv.slice(2));

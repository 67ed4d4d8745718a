/**
 * Mixed traffic whose memory, descriptors, mappings, threads and files have to stay flat:
 *
 *   npm run soak -- [--minutes M | --seconds S] [--seed N] [--report FILE]
 *
 * Without arguments: 15 seconds, in which memory is judged generously, since only a longer run can
 * tell a small leak from an allocator that warms up. The report goes to out/soak.
 */
import path from 'node:path';
import { readRequest } from './support/request.js';
import { fromRoot, quiet, show } from './support/run.js';

const { seconds = 15, seed, values } = readRequest('soak');
const report = path.resolve(values.report ?? fromRoot('out', 'soak', `soak-${seed}.json`));
quiet(process.execPath, [fromRoot('scripts', 'setup.js')]);
process.exitCode = show(process.execPath, [
  fromRoot('test', 'soak', 'soak.js'),
  '--seconds',
  String(seconds),
  '--seed',
  String(seed),
  '--report',
  report,
]);

/** Measures as fast as it may: node producer.js CHANNEL SOURCE PHASE */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { Channel, Stream } from 'zoosync';
import { endWithParent } from '../support/lifeline.js';
import { measure } from './metric.js';

const [name = '', source = '', phase = '0'] = process.argv.slice(2);
const where = { source, phase: Number(phase) };
const metricsAtATime = 256;
const reportEveryMs = 200;

let made = 0;
let isStopped = false;

/** Runs only as far as the channel has room: what is not asked for is not measured. */
function* measurements() {
  while (!isStopped) {
    yield Array.from({ length: metricsAtATime }, () => measure(where, made++));
  }
}

/** Memory of this process alone, without what it shares. */
function ownBytes() {
  const [, kibibytes = '0'] =
    /^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

let before = performance.eventLoopUtilization();

function report() {
  const now = performance.eventLoopUtilization();
  const { utilization } = performance.eventLoopUtilization(now, before);
  before = now;
  process.send?.({ made, waiting: 1 - utilization, ownBytes: ownBytes() });
}

process.once('message', () => (isStopped = true));
// Without its consumer this process would wait for the next one.
const leave = endWithParent(() => Channel.unlink(name));

/** @type {Channel<import('./metric.js').Metric>} */
const channel = await Channel.open(name, { timeout: 30_000 });
const reports = setInterval(report, reportEveryMs);
await Stream.from(measurements())
  .flatMap((batch) => batch)
  .to(channel);

clearInterval(reports);
report();
leave();

/**
 * Many processes send metrics faster than one can take them: node examples/fire-hose/main.js
 * See README.md.
 */
import { Channel } from 'zoosync';
import { readArguments } from './arguments.js';
import { Board } from './board.js';
import { count, mebibytes, percent } from './format.js';
import { onKeys } from './keys.js';
import { Lines } from './lines.js';
import { Meter } from './meter.js';
import { Pace, watch } from './pipeline.js';
import { Producer } from './producers.js';

const MiB = 2 ** 20;
const ringBytes = 8 * MiB;
const alertLevel = 75;
/** What a batch costs in the slow third of a run with `--seconds`. */
const slowDelay = 40;

/**
 * @typedef {object} Picture
 * @property {number} seconds since the start
 * @property {{ perSecond: number, age: number }} lap
 * @property {number} backlog bytes in the channel
 * @property {number} capacity bytes that fit
 * @property {number} delay milliseconds for each batch
 * @property {Producer[]} producers
 * @property {import('./pipeline.js').Status[]} status
 * @property {number} alertLevel
 */

const wishes = readArguments(process.argv.slice(2));
const name = `zoosync_fire_hose_${process.pid}`;
/** @type {Channel<import('./metric.js').Metric>} */
const channel = Channel.create(name, { bytes: ringBytes, prefetch: 256 });
const producers = Array.from(
  { length: wishes.producers },
  (_, index) => new Producer(name, index, wishes.producers),
);
const meter = new Meter();
const pace = new Pace();
/** @type {import('./pipeline.js').Status[]} */
let status = [];

let started = 0;
const secondsGone = () => (performance.now() - started) / 1000;

function killOne() {
  const victim = producers.find(({ isAlive, wasKilled }) => isAlive && !wasKilled);
  victim?.kill();
}

/** How the producers did, at full speed and slowed down. */
const phases = { 'at full speed': newPhase(), 'slowed down': newPhase() };

function newPhase() {
  return { laps: 0, perSecond: 0, waiting: 0, ownBytes: 0 };
}

/** @param {Picture} picture */
function remember({ delay, lap, producers }) {
  const alive = producers.filter(({ isAlive }) => isAlive);
  if (alive.length === 0) return;
  const phase = phases[delay === 0 ? 'at full speed' : 'slowed down'];
  phase.laps += 1;
  phase.perSecond += lap.perSecond;
  phase.waiting += alive.reduce((sum, { waiting }) => sum + waiting, 0) / alive.length;
  phase.ownBytes += alive.reduce((sum, { ownBytes }) => sum + ownBytes, 0) / alive.length;
}

/** @returns {Picture} */
function takePicture() {
  return {
    seconds: secondsGone(),
    lap: meter.lap(),
    backlog: channel.stats().bytes,
    capacity: ringBytes,
    delay: pace.delay,
    producers,
    status,
    alertLevel,
  };
}

/** @returns {Promise<void>} when the time is up or somebody pressed `q` */
function runUntilDone() {
  const { seconds, kill } = wishes;
  const view = seconds === undefined ? new Board(process.stdout) : new Lines(process.stdout);
  return new Promise((resolve) => {
    const stop = () => {
      clearInterval(ticks);
      releaseKeys();
      view.close();
      resolve();
    };
    const releaseKeys =
      seconds === undefined
        ? onKeys({ s: () => pace.slower(), f: () => pace.faster(), k: killOne, q: stop })
        : () => {};
    let isKilled = !kill;
    const tick = () => {
      const picture = takePicture();
      remember(picture);
      view.show(picture);
      if (!isKilled && picture.seconds > (seconds ?? 10) / 2) {
        isKilled = true;
        killOne();
      }
      if (seconds === undefined) return;
      const isSecondThird = picture.seconds > seconds / 3 && picture.seconds < (seconds * 2) / 3;
      pace.delay = isSecondThird ? slowDelay : 0;
      if (picture.seconds >= seconds) stop();
    };
    const ticks = setInterval(tick, Math.min(500, (seconds ?? 1) * 100));
  });
}

/** Whether every metric came, once and in order; of one who was killed, what it had sent. */
function isComplete() {
  return (
    meter.disorder === 0 &&
    producers.every(({ source, made, wasKilled }) => {
      return wasKilled || (meter.next.get(source) ?? 0) === made;
    })
  );
}

function summarise() {
  for (const [when, { laps, perSecond, waiting, ownBytes }] of Object.entries(phases)) {
    if (laps === 0) continue;
    process.stdout.write(
      `${when}: ${count(perSecond / laps)} metrics/s, a producer waits ` +
        `${percent(waiting / laps)} of the time and has ${mebibytes(ownBytes / laps)}\n`,
    );
  }
  const killed = producers.filter(({ wasKilled }) => wasKilled).length;
  process.stdout.write(
    `${isComplete() ? 'ok  ' : 'NOT COMPLETE  '}${count(meter.received)} metrics from ` +
      `${producers.length} producers${killed > 0 ? `, ${killed} of them killed` : ''}: ` +
      `${meter.disorder === 0 ? 'each once and in order' : `${meter.disorder} out of order`}\n`,
  );
}

const run = watch(channel, pace, (batch) => meter.count(batch)).subscribe((latest) => {
  status = latest;
});
try {
  await Promise.all(producers.map(({ ready }) => ready));
  started = performance.now();
  await Promise.race([runUntilDone(), run]);
  pace.delay = 0;
  const endings = await Promise.all(producers.map((producer) => producer.stop()));
  // The consumer made the channel, so it counts as one who may still send.
  await channel.close();
  await run;
  summarise();
  const isSound = endings.every((ending, index) => ending === 0 || producers[index]?.wasKilled);
  if (!isComplete() || !isSound) process.exitCode = 1;
} finally {
  await channel[Symbol.asyncDispose]();
}

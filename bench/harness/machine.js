/** What the figures were measured with. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { usableProcessors } from './processors.js';

const peers = [
  'zeromq',
  'ringbuf.js',
  '@redis/client',
  'fs-ext',
  'proper-lockfile',
  'piscina',
  'tinypool',
  'workerpool',
  'jest-worker',
];

/** @param {string} file @returns {{ version: string, devDependencies?: Record<string, string> }} */
const packageFile = (file) =>
  JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));

/** @param {string} name @returns {string} */
function installedVersion(name) {
  try {
    return packageFile(`node_modules/${name}/package.json`).version;
  } catch {
    return 'not installed';
  }
}

/** @returns {string} version of the server on the PATH */
function redisVersion() {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return /\bv=(\S+)/.exec(stdout ?? '')?.[1] ?? 'not installed';
}

/** @returns {import('./types.d.ts').Machine} */
export function describeMachine() {
  const [first] = os.cpus();
  const usable = usableProcessors();
  return {
    date: new Date().toISOString(),
    processor: first?.model.trim() ?? 'unknown',
    processors: `${usable.length} of ${os.cpus().length} usable`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    zoosync: packageFile('package.json').version,
    packages: {
      ...Object.fromEntries(peers.map((name) => [name, installedVersion(name)])),
      'redis-server': redisVersion(),
    },
  };
}

/** @param {import('./types.d.ts').Machine} machine @returns {string[]} */
export function machineLines(machine) {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  return [
    `zoosync ${machine.zoosync}, Node ${machine.node}, ${packages.join(', ')}`,
    `${machine.processor}, ${machine.processors}, ${machine.memory}, ${machine.kernel}`,
    `measured ${machine.date}`,
  ];
}

/**
 * Checks the tarball as a newcomer meets it: installed into an empty folder, without install scripts
 * and without a compiler on the PATH, and the example of the README run with every supported Node.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { collect, fail, fromRoot, localCommand, show } from './support/run.js';

/** Binaries from the npm registry; they come inside the packages, so no script has to run. */
const otherNodes = ['22.23.3', '24.21.0', '26.10.0'];

/** @param {string} script */
function runScript(script) {
  if (show(process.execPath, [fromRoot('scripts', script)]) !== 0) process.exit(1);
}

/** @returns {string} the tarball that pack.js has made */
function tarball() {
  const folder = fromRoot('build', 'package');
  const name = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  return name === undefined
    ? fail('There is no tarball in build/package.')
    : path.join(folder, name);
}

/**
 * A PATH with Node, npm and a shell, and nothing that could build anything.
 * @param {string} folder where to make it
 */
function pathWithoutCompiler(folder) {
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, path.join(bin, 'node'));
  for (const command of ['npm', 'sh', 'env'])
    symlinkSync(findCommand(command), path.join(bin, command));
  return bin;
}

/** @param {string} command @returns {string} */
function findCommand(command) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const found = folders.map((folder) => path.join(folder, command)).find(existsSync);
  return found ?? fail(`${command} is not on the PATH.`);
}

/** @param {string} folder @param {string} bin */
async function install(folder, bin) {
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  // The settings of the user who runs this check would change what npm says.
  const environment = { HOME: folder, PATH: bin, npm_config_cache: path.join(folder, 'cache') };
  const command = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
  ];
  const { code, output } = await collect(path.join(bin, 'npm'), [...command, tarball()], {
    cwd: folder,
    env: environment,
  });
  const said = output.trim();
  if (code !== 0 || !said.includes('added 1 package') || /warn/i.test(said)) {
    fail(
      `npm install should say 'added 1 package' and warn of nothing (exit code ${code}):\n${said}`,
    );
  }
  process.stdout.write(`ok  npm install: ${said.split('\n').at(-1)}\n`);
}

/** The code blocks of the README that begin with a comment naming their file. */
function readmeFiles() {
  const text = readFileSync(fromRoot('README.md'), 'utf8');
  const blocks = text.matchAll(/^```\w*\n(\/\/ (\S+\.mjs)\b[^]*?)^```/gm);
  const files = [...blocks].map(([, code = '', name = '']) => ({ name, code }));
  if (files.length < 2) {
    fail('The README needs two code blocks that begin with a comment such as // producer.mjs.');
  }
  return files;
}

/** @param {string} version @returns {Promise<string>} path of the Node binary */
async function otherNode(version) {
  const folder = fromRoot('build', 'nodes', version);
  const name = `node-linux-${process.arch}`;
  const binary = path.join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(binary)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    const command = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=5'];
    const { code, output } = await collect('npm', [...command, `${name}@${version}`], {
      cwd: folder,
      seconds: 240,
    });
    if (code !== 0) fail(`Node ${version} could not be installed:\n${output}`);
  }
  return binary;
}

/** Runs all files of the README's example at the same time. @param {string} folder @param {string} node */
async function runExample(folder, node) {
  const { output: version } = await collect(node, ['--version']);
  const runs = readmeFiles().map(async ({ name }) => ({
    name,
    ...(await collect(node, [name], { cwd: folder, seconds: 60 })),
  }));
  const results = await Promise.all(runs);
  const told = results.map(({ name, output }) => `--- ${name}\n${output}`).join('');
  if (results.some(({ code }) => code !== 0)) {
    fail(`The example of the README fails with Node ${version.trim()}:\n${told}`);
  }
  if (/warning/i.test(told)) fail(`The example warns with Node ${version.trim()}:\n${told}`);
  process.stdout.write(`ok  example of the README with Node ${version}`);
}

runScript('setup.js');
runScript('prebuild.js');
runScript('pack.js');
const publint = show(localCommand('publint'), ['--strict', tarball()]);
if (publint !== 0) process.exit(1);

const folder = mkdtempSync(path.join(tmpdir(), 'zoosync-package-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
await install(folder, pathWithoutCompiler(folder));
for (const { name, code } of readmeFiles()) writeFileSync(path.join(folder, name), code);
await runExample(folder, process.execPath);
for (const version of otherNodes) await runExample(folder, await otherNode(version));

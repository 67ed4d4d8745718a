/** Finds the compiled addon: a local build first, then the binary that the package brings along. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ZooError } from './errors.js';
import type { Addon } from './native.js';

const require = createRequire(import.meta.url);

interface Attempt {
  readonly file: string;
  readonly error: unknown;
}

/**
 * Loads the addon for this platform.
 *
 * @throws ZooError `ERR_ZOO_PLATFORM`, naming every file that was tried and why it failed
 */
export function loadAddon(): Addon {
  if (process.platform !== 'linux') {
    throw new ZooError(
      'ERR_ZOO_PLATFORM',
      `zoosync needs Linux (futexes, robust mutexes and /dev/shm), this is ${process.platform}: ` +
        'importing works here, using does not; run the program on Linux, in a container or under WSL 2',
    );
  }
  const target = `${process.platform}-${process.arch}-${detectLibc()}`;
  const attempts: Attempt[] = [];
  for (const load of [loadLocalBuild, () => loadPrebuild(target)]) {
    try {
      return ownInstance(load());
    } catch (error) {
      attempts.push({
        file: load === loadLocalBuild ? 'build/Release' : `prebuilds (${target})`,
        error,
      });
    }
  }
  throw platformError(target, attempts);
}

/**
 * A bundler, or a test runner, may load this package more than once. Each copy gets an instance of
 * the addon to itself: where wakes go and what keeps the process alive belong to one.
 */
function ownInstance(addon: Addon): Addon {
  for (const [file, module] of Object.entries(require.cache)) {
    if (module?.exports === addon) delete require.cache[file];
  }
  return addon;
}

function loadLocalBuild(): Addon {
  return require('../build/Release/zoosync.node') as Addon;
}

/** One literal path per target, so that bundlers see which files may be needed. */
function loadPrebuild(target: string): Addon {
  switch (target) {
    case 'linux-x64-glibc':
      return require('../prebuilds/linux-x64/zoosync.glibc.node') as Addon;
    case 'linux-x64-musl':
      return require('../prebuilds/linux-x64/zoosync.musl.node') as Addon;
    case 'linux-arm64-glibc':
      return require('../prebuilds/linux-arm64/zoosync.glibc.node') as Addon;
    case 'linux-arm64-musl':
      return require('../prebuilds/linux-arm64/zoosync.musl.node') as Addon;
    default:
      throw new Error('there are binaries for linux-x64 and linux-arm64, each with glibc and musl');
  }
}

/** Which C library this process runs on: the one that is mapped into it. */
function detectLibc(): 'glibc' | 'musl' {
  try {
    return /\bld-musl-|\blibc\.musl-/.test(readFileSync('/proc/self/maps', 'latin1'))
      ? 'musl'
      : 'glibc';
  } catch {
    const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return report.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  }
}

function platformError(target: string, attempts: readonly Attempt[]): ZooError {
  const lines = attempts.map(({ file, error }) => `  ${file}: ${firstLine(error)}`);
  const message =
    `the native part of zoosync could not be loaded for ${target}, Node ${process.versions.node}:\n` +
    `${lines.join('\n')}\n${advice(attempts)}`;
  return new ZooError('ERR_ZOO_PLATFORM', message, {
    cause: new AggregateError(
      attempts.map(({ error }) => error),
      'every place the addon may be in was tried',
    ),
  });
}

function advice(attempts: readonly Attempt[]): string {
  const all = attempts.map(({ error }) => `${codeOf(error)} ${firstLine(error)}`).join('\n');
  if (all.includes('ERR_DLOPEN_DISABLED')) {
    return 'Native addons are switched off: start Node without --no-addons, or with --allow-addons under the permission model.';
  }
  if (/GLIBC(XX)?_\d/.test(all)) {
    return 'The C library of this system is older than the binary needs: use a newer base image, or build from a checkout with npm run build.';
  }
  if (/ld-musl|libc\.musl|libc\.so\.6/.test(all)) {
    return 'The binary is for another C library: install the package again on this system.';
  }
  return 'Install the package again on the system that runs it, or in a checkout run: npm run build';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}

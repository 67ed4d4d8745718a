import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The compiled package, so that a test and the processes it starts run the same build. */
const compiled = (module: string): string =>
  fileURLToPath(new URL(`dist/${module}.js`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^zoosync$/, replacement: compiled('index') },
      { find: /^zoosync\/arrow$/, replacement: compiled('arrow/arrow') },
      { find: /^zoosync\/worker$/, replacement: compiled('pool/worker') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'test/bench/*.test.js'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: process.env['CI'] ? 2 : 0,
    // Node itself loads the compiled package: one copy per process, as in a user's program.
    server: { deps: { external: [/\/dist\//] } },
  },
});

/** What the fuzzers share: how long they run, and what counts as an answer. */
import fc from 'fast-check';
import { expect } from 'vitest';

/** Runs of one property. `ZOO_FUZZ_RUNS` multiplies them, `ZOO_SEED` repeats a run. */
export function effort(numRuns: number): { numRuns: number; seed?: number } {
  const factor = Number(process.env['ZOO_FUZZ_RUNS'] ?? 1);
  const seed = process.env['ZOO_SEED'];
  return {
    numRuns: Math.ceil(numRuns * factor),
    ...(seed !== undefined && { seed: Number(seed) }),
  };
}

const documented =
  /^(ERR_ZOO_[A-Z_]+|ABORT_ERR|ERR_INVALID_ARG_TYPE|ERR_INVALID_ARG_VALUE|ERR_OUT_OF_RANGE|ERR_ARG_NOT_ITERABLE|ERR_STREAM_PREMATURE_CLOSE)$/;

/** What a getter or a method of the caller's own threw comes out as it is. */
export class Thrown extends Error {
  readonly code = 'OF_THE_CALLER';
}

/** Fails unless `error` is one that a user may be given. */
export function expectDocumented(error: unknown, what: string): void {
  const { code, message } = error as { code?: string; message?: string };
  if (error instanceof Thrown) return;
  // The engine's own words about what the caller handed over.
  if (error instanceof TypeError && String(message).includes('proxy that has been revoked')) return;
  expect(error, what).toBeInstanceOf(Error);
  const shown = `${what} threw ${String(message)} (${String(code)})\n${(error as Error).stack}`;
  expect(code, shown).toMatch(documented);
  expect(String(message).length, what).toBeGreaterThan(5);
}

/** Nothing that was sent or decoded may reach the prototypes. */
export function expectCleanPrototypes(): void {
  const keys = (object: object): string[] => Object.keys(object);
  expect([keys(Object.prototype), keys(Array.prototype), keys(Function.prototype)]).toEqual([
    [],
    [],
    [],
  ]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}

/** Values of every type, and objects that fight back; made when needed, since some cannot even be looked at. */
export function anything(): fc.Arbitrary<() => unknown> {
  const hostile = fc.constantFrom<() => unknown>(
    () => Object.freeze({}),
    () => Object.create(null) as unknown,
    () => new Proxy({}, {}),
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
    () => ({
      get timeout(): number {
        throw new Thrown('a getter');
      },
      get name(): string {
        throw new Thrown('a getter');
      },
    }),
    () => ({
      toString(): string {
        throw new Thrown('toString');
      },
    }),
    () => ({ valueOf: () => 5, toString: () => 'name' }),
    () => ({ [Symbol.toPrimitive]: () => 4096 }),
    () => Symbol('symbol'),
    () => () => 5,
    () =>
      class Something {
        x = 1;
      },
    () => new Uint8Array(8),
    () => new SharedArrayBuffer(8),
    () => new Date(Number.NaN),
    () => AbortSignal.abort(),
    () => Promise.resolve(5),
    () => new Map([[1, 2]]),
    () => Object.assign([], { length: 3 }),
  );
  const plain = fc.oneof(
    fc.constantFrom<unknown>(
      undefined,
      null,
      true,
      false,
      Number.NaN,
      -0,
      0,
      -1,
      1,
      1.5,
      Infinity,
      -Infinity,
      2 ** 31,
      2 ** 32,
      2 ** 53,
      1e308,
      0n,
      -1n,
      2n ** 70n,
      '',
      '0',
      '64KiB',
      '64 KiB',
      '1.5GiB',
      '-1B',
      '1e3',
      '99999999999TiB',
      '0x10',
      'NaN',
      '__proto__',
      'constructor',
    ),
    fc.double(),
    fc.integer(),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(fc.integer(), { maxLength: 3 }),
  );
  return fc.oneof({ weight: 3, arbitrary: plain.map((value) => () => value) }, hostile);
}
